/** A host is told of each change of a record, once, by whichever engine wrote it. */
import { expect } from '../../runner.ts'
import { spec, type EngineBench, type EngineCases, type Opened } from '../bench.ts'
import { failure, FakeHost, never, returned, untilAborted, value } from '../fake-host.ts'
import { NEEDS } from '../place.ts'

/** What was told of a task once there is so much of it, by all of these hosts; in no order between hosts. */
const told = async (id: string, count: number, ...hosts: readonly Opened[]): Promise<readonly string[]> => {
  const all = (): readonly string[] =>
    hosts.flatMap(({ host }) => host.changes.filter(({ task }) => task.id === id).map(({ name }) => name))
  await hosts[0]!.until(id, () => all().length >= count)
  // What would come twice comes soon.
  await new Promise((resolve) => setTimeout(resolve, 30))
  return all()
}

const flaky = (): FakeHost =>
  new FakeHost().on('flaky', ({ task }) => (task.attempt < 3 ? failure() : value('ok')))

export const telling = {
  'of its start and its success': async ({ open }) => {
    const on = await open(new FakeHost().on('add', () => value(3)))
    const { id } = await on.start('add')
    expect(await told(id, 2, on)).toEqual(['queued', 'succeeded'])
    expect(on.host.changes.map(({ task }) => task)).toMatchObject([
      { status: 'queued', attempt: 0 },
      { status: 'succeeded', attempt: 1, result: 3 },
    ])
  },

  'of each attempt that is followed by another': async ({ open }) => {
    const on = await open(flaky())
    const { id } = await on.start('flaky')
    expect(await told(id, 4, on)).toEqual(['queued', 'retrying', 'retrying', 'succeeded'])
    expect(on.host.changes.map(({ task }) => task.attempt)).toEqual([0, 1, 2, 3])
  },

  'of its failure, and of being queued again by hand': async ({ open }) => {
    const refused = failure('no', { code: 'CONFLICT', status: 409 })
    const on = await open(new FakeHost().on('bad', () => refused))
    const { id } = await on.start('bad')
    expect(await told(id, 2, on)).toEqual(['queued', 'failed'])
    await on.engine.retry(id)
    expect(await told(id, 4, on)).toEqual(['queued', 'failed', 'queued', 'failed'])
  },

  'of a cancel while it waits, once, however many ask': async ({ open }) => {
    const on = await open(new FakeHost().on('later', () => value(1)))
    const { id } = await on.start('later', { runAt: Date.now() + 600_000 })
    await Promise.all([on.engine.cancel(id), on.engine.cancel(id), on.engine.cancel(id)])
    expect(await told(id, 2, on)).toEqual(['queued', 'cancelled'])
  },

  'of a cancel while it runs, once it has stopped': async ({ open }) => {
    const on = await open(new FakeHost().on('long', untilAborted(failure('stopped'))))
    const { id } = await on.start('long')
    await on.claimed(id)
    await on.engine.cancel(id)
    expect(await told(id, 2, on)).toEqual(['queued', 'cancelled'])
  },

  'of a deadline that passed while it waited': async ({ open }) => {
    const on = await open(new FakeHost().on('later', () => value(1)))
    const now = Date.now()
    const { id } = await on.start('later', { runAt: now + 600_000, deadlineAt: now + 100 })
    expect(await told(id, 2, on)).toEqual(['queued', 'failed'])
  },

  'of nothing when a key stands for a task, or an attempt never began': async ({ open }) => {
    let runs = 0
    const on = await open(new FakeHost().on('pay', () => (++runs === 1 ? returned : value('paid'))))
    const key = { idempotencyKey: 'k', inputDigest: 'd' }
    const { id } = await on.start('pay', key)
    await on.engine.submit(spec('pay', key))
    expect(await told(id, 2, on)).toEqual(['queued', 'succeeded'])
  },

  'of an attempt that was lost with its process': {
    needs: [NEEDS.durability],
    run: async ({ open, restart }: EngineBench) => {
      const before = await open(new FakeHost().on('long', never).on('last', never))
      const { id } = await before.start('long')
      const last = await before.start('last', { maxAttempts: 1 })
      await Promise.all([before.claimed(id), before.claimed(last.id)])
      const next = new FakeHost().on('long', () => value('ok')).on('last', () => value('ok'))
      const on = await restart(before, next)
      expect(await told(id, 2, on)).toEqual(['retrying', 'succeeded'])
      expect(await told(last.id, 1, on)).toEqual(['failed'])
    },
  },

  'each on one host only': {
    needs: [NEEDS.hosts],
    run: async ({ open, openIdle }: EngineBench) => {
      const here = await openIdle(new FakeHost())
      const [there, beyond] = [await open(flaky()), await open(flaky())]
      const { id } = await here.start('flaky')
      const all = await told(id, 4, here, there, beyond)
      expect(all.toSorted()).toEqual(['queued', 'retrying', 'retrying', 'succeeded'])
      expect(here.host.changes.map(({ name }) => name)).toEqual(['queued'])
    },
  },
} satisfies EngineCases
