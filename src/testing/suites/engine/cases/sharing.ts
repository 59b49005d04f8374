/** Several hosts on one place: any of them runs, reads, watches and stops what another started, and one outcome counts. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Claim } from '../../../../tasks/engine.ts'
import { expect } from '../../runner.ts'
import { spec, typesOf, type EngineBench, type EngineCases } from '../bench.ts'
import { createGate, failure, FakeHost, never, untilAborted, value } from '../fake-host.ts'
import { NEEDS } from '../place.ts'

const ofHosts = (run: (bench: EngineBench) => Promise<void>) => ({ needs: [NEEDS.hosts], run })

export const sharing = {
  'two hosts share the work': ofHosts(async ({ open }) => {
    const gate = createGate()
    const busy = () => gate.wait.then(() => value('ok'))
    const hosts = [new FakeHost(1).on('long', busy), new FakeHost(1).on('long', busy)] as const
    const [here, there] = [await open(hosts[0]), await open(hosts[1])]
    const ids = [(await here.start('long')).id, (await here.start('long')).id]
    for (const id of ids) await there.running(id)
    await here.until(ids[0]!, () => hosts.every(({ claims }) => claims.length === 1))
    gate.open()
    for (const id of ids) expect(await there.end(id)).toMatchObject({ status: 'succeeded', attempt: 1 })
  }),

  'a host leaves a task to the one that has its procedure': ofHosts(async ({ open }) => {
    const here = await open(new FakeHost().on('known', () => value(1)))
    const { id } = await here.start('unknown')
    await here.end((await here.start('known')).id)
    expect(await here.engine.get(id)).toMatchObject({ status: 'queued', attempt: 0 })
    const there = await open(new FakeHost().on('unknown', () => value('ok')))
    expect(await here.end(id)).toMatchObject({ status: 'succeeded', attempt: 1, result: 'ok' })
    expect(there.host.claims).toHaveLength(1)
  }),

  'a host that only starts tasks runs none': ofHosts(async ({ open, openIdle }) => {
    const here = await openIdle(new FakeHost().on('add', () => value('here')))
    const tasks = await Promise.all(Array.from({ length: 20 }, () => here.start('add')))
    // One at a time: a host that works too would get some.
    const there = await open(new FakeHost(1).on('add', () => sleep(5, value('there'))))
    for (const { id } of tasks)
      expect(await here.end(id)).toMatchObject({ status: 'succeeded', result: 'there' })
    expect(there.host.claims).toHaveLength(20)
  }),

  'what one host runs, another lists and watches to its end': ofHosts(async ({ open, openIdle }) => {
    const gate = createGate()
    const script = async ({ progress, log }: Claim) => {
      await gate.wait
      progress({ percent: 50 })
      log({ level: 'info', message: 'half', at: 'now' })
      return value('ok')
    }
    const here = await open(new FakeHost().on('long', script))
    const there = await openIdle(new FakeHost())
    const { id } = await here.start('long', { tags: ['t'] })
    await here.claimed(id)
    expect((await there.engine.list({ limit: 5, tag: 't' })).items.map((task) => task.id)).toEqual([id])
    const { all } = await there.observe(id)
    gate.open()
    const events = await all
    // Reports may be gathered on their way, each kind in its order.
    expect(typesOf(events)).toEqual(expect.arrayContaining(['progress', 'log']))
    expect(events.at(-1)).toMatchObject({ type: 'done' })
    expect(events.at(-1)).toMatchObject({ task: { status: 'succeeded', progress: { percent: 50 } } })
  }),

  'a cancel reaches an attempt that another host runs': ofHosts(async ({ open, openIdle }) => {
    const here = await openIdle(new FakeHost())
    const there = await open(new FakeHost().on('long', untilAborted(failure('stopped'))))
    const { id } = await here.start('long')
    await there.claimed(id)
    expect(await here.engine.cancel(id)).toMatchObject({ kind: 'requested' })
    expect(await here.end(id)).toMatchObject({ status: 'cancelled', attempt: 1 })
    expect(there.host.claims[0]!.signal.reason).toMatchObject({ name: 'Cancelled' })
  }),

  'an attempt that fails as another host has just cancelled it is cancelled': ofHosts(
    async ({ open, openIdle }) => {
      const here = await openIdle(new FakeHost())
      const script = async ({ task }: Claim) => {
        await here.engine.cancel(task.id)
        return failure('for good', { declared: true })
      }
      const there = await open(new FakeHost().on('fails', script))
      const ids = await Promise.all(Array.from({ length: 5 }, async () => (await here.start('fails')).id))
      for (const id of ids) expect(await there.end(id)).toMatchObject({ status: 'cancelled', attempt: 1 })
    },
  ),

  'a hundred starts with one key through two hosts make one task': ofHosts(async ({ open }) => {
    const host = () => new FakeHost().on('pay', () => value('paid'))
    const [here, there] = [await open(host()), await open(host())]
    const key = { idempotencyKey: 'k', inputDigest: 'd' }
    const starts = Array.from({ length: 100 }, (_, n) =>
      (n % 2 === 0 ? here : there).engine.submit(spec('pay', key)),
    )
    const all = await Promise.all(starts)
    expect(new Set(all.map(({ task }) => task.id)).size).toBe(1)
    expect(all.filter(({ kind }) => kind === 'created')).toHaveLength(1)
    await here.end(all[0]!.task.id)
    expect(here.host.claims.length + there.host.claims.length).toBe(1)
  }),

  'what a killed host ran runs on another': {
    needs: [NEEDS.hosts, NEEDS.durability],
    run: async ({ open, crash }) => {
      const here = await open(new FakeHost().on('long', never))
      const { id } = await here.start('long')
      await here.claimed(id)
      const there = await open(new FakeHost().on('long', () => value('ok')))
      await crash(here)
      const task = await there.end(id)
      expect(task).toMatchObject({ status: 'succeeded', attempt: 2 })
      expect(task.attempts[0]!.error).toMatchObject({ code: 'WORKER_LOST' })
    },
  },

  'what a draining host gives back runs on another': ofHosts(async ({ open }) => {
    const here = await open(new FakeHost().on('long', untilAborted(failure('stopped'))))
    const { id } = await here.start('long')
    await here.claimed(id)
    const there = await open(new FakeHost().on('long', () => value('ok')))
    await here.engine.drain(0)
    expect(await there.end(id)).toMatchObject({ status: 'succeeded', attempt: 2, result: 'ok' })
  }),

  'a task keeps its host for as long as that host lives': {
    needs: [NEEDS.hosts, NEEDS.leases],
    run: async ({ open, place }) => {
      const lease = place.lease as number
      const script = () => sleep(2.5 * lease, value('ok'))
      const [here, there] = [
        await open(new FakeHost().on('long', script)),
        await open(new FakeHost().on('long', script)),
      ]
      const { id } = await here.start('long')
      expect(await here.end(id)).toMatchObject({ status: 'succeeded', attempt: 1 })
      expect(here.host.claims.length + there.host.claims.length).toBe(1)
    },
  },

  'an attempt whose lease was lost is told, and changes nothing any more': {
    needs: [NEEDS.hosts, NEEDS.losableLeases],
    run: async ({ open, place }) => {
      const gate = createGate()
      const here = await open(new FakeHost(1).on('long', () => gate.wait.then(() => value('stale'))))
      const { id } = await here.start('long')
      await here.claimed(id)
      const second = createGate()
      const there = await open(new FakeHost(1).on('long', () => second.wait.then(() => value('ok'))))
      await place.loseLease?.(id)
      await there.claimed(id)
      const stale = here.host.claims[0]!
      await here.until(id, () => stale.signal.aborted)
      expect(stale.signal.reason).toMatchObject({ name: 'LeaseLost' })
      stale.progress('stale')
      gate.open()
      second.open()
      const task = await here.end(id)
      expect(task).toMatchObject({ status: 'succeeded', attempt: 2, result: 'ok' })
      expect(task.progress).toBeUndefined()
      expect(await there.engine.get(id)).toEqual(task)
    },
  },
} satisfies EngineCases
