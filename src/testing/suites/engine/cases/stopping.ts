/** An engine drains and closes. */
import { setTimeout as sleep } from 'node:timers/promises'
import { EngineUnavailable } from '../../../../tasks/engine.ts'
import { expect } from '../../runner.ts'
import { collect, spec, typesOf, type EngineCases } from '../bench.ts'
import { createGate, failure, FakeHost, never, untilAborted, value } from '../fake-host.ts'

export const stopping = {
  'a drain takes nothing new and waits for what runs': async ({ open }) => {
    const gate = createGate()
    const on = await open(new FakeHost(1).on('long', () => gate.wait.then(() => value('ok'))))
    const { id } = await on.start('long')
    await on.claimed(id)
    const waiting = await on.start('long')
    const drained = on.engine.drain(5000)
    await expect(on.start('long')).rejects.toThrow(EngineUnavailable)
    gate.open()
    await drained
    expect(await on.engine.get(id)).toMatchObject({ status: 'succeeded' })
    expect(await on.engine.get(waiting.id)).toMatchObject({ status: 'queued', attempt: 0 })
  },

  'a drain gives back what does not end in time': async ({ open }) => {
    const host = new FakeHost()
      .on('heeding', untilAborted(failure('aborted')))
      .on('deaf', never, { cancelGrace: 20 })
    const on = await open(host)
    const heeding = await on.start('heeding')
    const deaf = await on.start('deaf')
    await Promise.all([on.claimed(heeding.id), on.claimed(deaf.id)])
    await on.engine.drain(20)
    for (const { id } of [heeding, deaf])
      expect(await on.engine.get(id)).toMatchObject({
        status: 'queued',
        attempt: 1,
        attempts: [{ error: { code: 'WORKER_LOST' } }],
      })
    expect(host.claims[0]!.signal.reason).toMatchObject({ name: 'Draining' })
  },

  'the outcome of an attempt that was given back changes nothing': async ({ open }) => {
    const gate = createGate()
    const host = new FakeHost().on('deaf', () => gate.wait.then(() => value('late')), { cancelGrace: 10 })
    const on = await open(host)
    const { id } = await on.start('deaf')
    await on.claimed(id)
    await on.engine.drain(10)
    const before = await on.engine.get(id)
    host.claims[0]!.progress(99)
    gate.open()
    // Nothing tells of what does not happen.
    await sleep(50)
    expect(await on.engine.get(id)).toEqual(before)
  },

  'a drain takes what a running task starts, and leaves it for later': async ({ open }) => {
    const gate = createGate()
    const on = await open(new FakeHost(1).on('parent', () => gate.wait.then(() => value('ok'))))
    const { id } = await on.start('parent')
    await on.claimed(id)
    const drained = on.engine.drain(5000)
    await expect(on.start('parent')).rejects.toThrow(EngineUnavailable)
    const child = (await on.engine.submit(spec('parent'), { byTask: true })).task
    gate.open()
    await drained
    expect(await on.engine.get(id)).toMatchObject({ status: 'succeeded' })
    expect(await on.engine.get(child.id)).toMatchObject({ status: 'queued', attempt: 0 })
  },

  'a drained engine lets watchers go, before or after, and still reads': async ({ open }) => {
    const on = await open(new FakeHost(1).on('deaf', never, { cancelGrace: 10 }))
    const runs = await on.start('deaf')
    await on.claimed(runs.id)
    const waits = await on.start('deaf')
    const watched = await Promise.all([runs, waits].map(({ id }) => on.observe(id)))
    await on.engine.drain(10)
    for (const { all } of watched) expect(typesOf(await all)).not.toContain('done')
    expect(typesOf(await collect(on.watch(waits.id)))).toEqual(['state'])
    expect(await on.engine.get(runs.id)).toMatchObject({ status: 'queued', attempt: 1 })
    expect((await on.engine.list({ limit: 10 })).items).toHaveLength(2)
  },

  'closing ends watchers, and later calls are refused': async ({ open }) => {
    const on = await open(new FakeHost().on('long', untilAborted(value(1))))
    const { id } = await on.start('unknown')
    const { all } = await on.observe(id)
    const ended = on.engine.ended(id, new AbortController().signal)
    await Promise.all([on.engine.close(), on.engine.close()])
    expect(typesOf(await all)).toEqual(['state'])
    expect(await ended).toBeUndefined()
    await expect(on.engine.get(id)).rejects.toThrow(EngineUnavailable)
    await expect(on.start('long')).rejects.toThrow(EngineUnavailable)
  },

  'gives a sign of life from its opening to its end, drained or not': async ({ open }) => {
    const { engine } = await open(new FakeHost())
    await engine.check()
    await engine.drain(0)
    await engine.check()
    await engine.close()
    await expect(engine.check()).rejects.toThrow(EngineUnavailable)
  },

  'opening twice is opening once': async ({ open }) => {
    const on = await open(new FakeHost().on('add', () => value(3)))
    await on.engine.open(on.host)
    await on.end((await on.start('add')).id)
    expect(on.host.claims).toHaveLength(1)
  },

  'an open engine runs nothing before it is told to work, and then what waits already': async ({
    openIdle,
  }) => {
    const on = await openIdle(new FakeHost().on('add', () => value(3)).on('other', () => value(4)))
    const [added, other] = [await on.start('add'), await on.start('other')]
    // Nothing tells of what does not happen.
    await sleep(50)
    expect(on.host.claims).toHaveLength(0)
    on.engine.work(['add'])
    expect(await on.end(added.id)).toMatchObject({ status: 'succeeded', result: 3 })
    expect(await on.engine.get(other.id)).toMatchObject({ status: 'queued', attempt: 0 })
  },
} satisfies EngineCases
