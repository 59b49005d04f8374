/** A process was killed: the next one takes up what it left. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from '../../runner.ts'
import { collect, spec, type EngineBench, type EngineCases } from '../bench.ts'
import { FakeHost, never, value } from '../fake-host.ts'
import { NEEDS } from '../place.ts'

const afterCrash = (run: (bench: EngineBench) => Promise<void>) => ({ needs: [NEEDS.durability], run })

export const crashing = {
  'what was queued runs': afterCrash(async ({ open, restart }) => {
    const before = await open(new FakeHost())
    const ids = await Promise.all(Array.from({ length: 20 }, async () => (await before.start('add')).id))
    const on = await restart(
      before,
      new FakeHost().on('add', () => value(3)),
    )
    for (const id of ids) expect(await on.end(id)).toMatchObject({ status: 'succeeded', attempt: 1 })
  }),

  'what ran runs again, and the lost attempt counts': afterCrash(async ({ open, restart }) => {
    const before = await open(new FakeHost().on('long', never))
    const { id } = await before.start('long')
    await before.claimed(id)
    const on = await restart(
      before,
      new FakeHost().on('long', () => value('ok')),
    )
    const task = await on.end(id)
    expect(task).toMatchObject({ status: 'succeeded', attempt: 2 })
    expect(task.attempts[0]!.error).toMatchObject({ code: 'WORKER_LOST' })
  }),

  'what ran is lost where onCrash says so, or no attempt is left': afterCrash(async ({ open, restart }) => {
    const before = await open(new FakeHost().on('once', never, { onCrash: 'fail' }).on('last', never))
    const ids = [(await before.start('once')).id, (await before.start('last', { maxAttempts: 1 })).id]
    await Promise.all(ids.map((id) => before.claimed(id)))
    const next = new FakeHost().on('once', () => value(1), { onCrash: 'fail' }).on('last', () => value(1))
    const on = await restart(before, next)
    for (const id of ids)
      expect(await on.end(id)).toMatchObject({
        status: 'failed',
        attempt: 1,
        error: { code: 'WORKER_LOST' },
      })
    expect(next.claims).toHaveLength(0)
  }),

  'what was asked to stop is cancelled': afterCrash(async ({ open, restart }) => {
    const before = await open(new FakeHost().on('deaf', never))
    const { id } = await before.start('deaf')
    await before.claimed(id)
    await before.engine.cancel(id)
    const on = await restart(
      before,
      new FakeHost().on('deaf', () => value(1)),
    )
    expect(await on.end(id)).toMatchObject({ status: 'cancelled', attempt: 1 })
  }),

  'results, lists and idempotency keys are still there': afterCrash(async ({ open, restart }) => {
    const before = await open(new FakeHost().on('pay', () => value('paid')))
    const key = { idempotencyKey: 'k', inputDigest: 'd' }
    const { id } = await before.start('pay', { ...key, tags: ['t'] })
    const task = await before.end(id)
    const on = await restart(
      before,
      new FakeHost().on('pay', () => value('again')),
    )
    expect(await on.engine.get(id)).toEqual(task)
    expect((await on.engine.list({ limit: 5, tag: 't' })).items).toEqual([task])
    expect(await on.engine.submit(spec('pay', key))).toMatchObject({ kind: 'replayed', task: { id } })
  }),

  'a watcher of before goes on to the end, and hears nothing more of an end it saw': afterCrash(
    async ({ open, restart }) => {
      const before = await open(new FakeHost().on('long', never).on('add', () => value(3)))
      const ended = await before.start('add')
      await before.end(ended.id)
      const [, done] = await collect(before.watch(ended.id))
      const { id } = await before.start('long')
      await before.claimed(id)
      const [seen] = await firstOf(before.watch(id))
      const on = await restart(
        before,
        new FakeHost().on('long', () => sleep(50, value('ok'))),
      )
      const all = await collect(on.watch(id, seen!.seq))
      // What it missed may be lost with the process; then it is told so, and told the present state.
      if (all[0]!.type === 'gap') expect(all[1]!.type).toBe('state')
      expect(all.at(-1)).toMatchObject({ type: 'done', task: { status: 'succeeded' } })
      expect(await collect(on.watch(ended.id, done!.seq))).toEqual([])
    },
  ),

  'delays and deadlines still hold': afterCrash(async ({ open, restart }) => {
    const now = Date.now()
    const before = await open(new FakeHost().on('later', () => value(1)))
    const later = await before.start('later', { runAt: now + 1000 })
    const late = await before.start('later', { runAt: now + 600_000, deadlineAt: now + 100 })
    const on = await restart(
      before,
      new FakeHost().on('later', () => value(Date.now())),
    )
    expect(await on.end(late.id)).toMatchObject({ status: 'failed', error: { code: 'DEADLINE_EXCEEDED' } })
    expect((await on.end(later.id)).result).toBeGreaterThanOrEqual(now + 1000)
  }),
} satisfies EngineCases

/** The first event, and no more of it. */
const firstOf = async <T>(events: AsyncIterable<T>): Promise<readonly T[]> => {
  for await (const event of events) return [event]
  return []
}
