/** An attempt fails, is lost, is given back or is too late. */
import { expect } from '../../runner.ts'
import type { EngineCases } from '../bench.ts'
import { failure, FakeHost, lost, returned, untilAborted, value } from '../fake-host.ts'

const wait = ({ attempts }: { attempts: readonly { startedAt: number; finishedAt?: number }[] }): number =>
  attempts[1]!.startedAt - attempts[0]!.finishedAt!

export const failing = {
  'runs again until the attempts are used': async ({ open }) => {
    const on = await open(new FakeHost().on('bad', () => failure()))
    const task = await on.end((await on.start('bad')).id)
    expect(task).toMatchObject({ status: 'failed', attempt: 3, error: { message: 'boom' } })
    expect(task.attempts.map(({ n, error }) => [n, error?.message])).toEqual(
      [1, 2, 3].map((n) => [n, 'boom']),
    )
  },

  'waits as the backoff says, queued with runAt': async ({ open }) => {
    const script = ({ task }: { task: { attempt: number } }) => (task.attempt < 2 ? failure() : value(1))
    const retry = { initial: 80, backoff: 'fixed' } as const
    const on = await open(new FakeHost().on('bad', script, { retry }))
    const { id } = await on.start('bad')
    const waiting = await on.until(id, ({ status, attempt }) => status === 'queued' && attempt === 1)
    expect(waiting.runAt).toBe(waiting.attempts[0]!.finishedAt! + 80)
    expect(wait(await on.end(id))).toBeGreaterThanOrEqual(80)
  },

  'waits as the error says': async ({ open }) => {
    const busy = failure('later', { retryAfter: 0.1 })
    const on = await open(new FakeHost().on('busy', ({ task }) => (task.attempt < 2 ? busy : value(1))))
    expect(wait(await on.end((await on.start('busy')).id))).toBeGreaterThanOrEqual(100)
  },

  'does not run again what can not succeed': async ({ open }) => {
    const host = new FakeHost()
      .on('input', () => failure('bad input', { code: 'BAD_REQUEST', status: 400 }))
      .on('declared', () => failure('sold out', { code: 'OUT_OF_STOCK', status: 500, declared: true }))
    const on = await open(host)
    for (const procedure of ['input', 'declared'])
      expect(await on.end((await on.start(procedure)).id)).toMatchObject({ status: 'failed', attempt: 1 })
  },

  'a lost worker counts as an attempt': async ({ open }) => {
    const on = await open(new FakeHost().on('fragile', ({ task }) => (task.attempt < 2 ? lost : value('ok'))))
    const task = await on.end((await on.start('fragile')).id)
    expect(task).toMatchObject({ status: 'succeeded', attempt: 2 })
    expect(task.attempts[0]!.error).toMatchObject({ code: 'WORKER_LOST', status: 500 })
  },

  'a lost worker ends the task where onCrash says so': async ({ open }) => {
    const on = await open(new FakeHost().on('once', () => lost, { onCrash: 'fail' }))
    expect(await on.end((await on.start('once')).id)).toMatchObject({
      status: 'failed',
      attempt: 1,
      error: { code: 'WORKER_LOST', internal: { message: 'killed' } },
    })
  },

  'an attempt that never began does not count': async ({ open }) => {
    let calls = 0
    const on = await open(new FakeHost().on('back', () => (++calls < 3 ? returned : value('ok'))))
    const task = await on.end((await on.start('back')).id)
    expect(task).toMatchObject({ status: 'succeeded', attempt: 1, attempts: [{ n: 1 }] })
    expect(calls).toBe(3)
  },

  'a host that breaks its promise loses the attempt, not the task': async ({ open }) => {
    const host = new FakeHost().on('odd', ({ task }) => {
      if (task.attempt < 2) throw new Error('not promised')
      return value('ok')
    })
    const on = await open(host)
    expect(await on.end((await on.start('odd')).id)).toMatchObject({ status: 'succeeded', attempt: 2 })
    expect(host.reports).toHaveLength(1)
  },

  'ends a queued task at its deadline': async ({ open }) => {
    const on = await open(new FakeHost().on('late', () => value(1)))
    const now = Date.now()
    const { id } = await on.start('late', { runAt: now + 600_000, deadlineAt: now + 60 })
    expect(await on.end(id)).toMatchObject({
      status: 'failed',
      attempt: 0,
      error: { code: 'DEADLINE_EXCEEDED', status: 504 },
    })
  },

  'stops a running task at its deadline': async ({ open }) => {
    const on = await open(new FakeHost().on('late', untilAborted(failure('stopped'))))
    const task = await on.end((await on.start('late', { deadlineAt: Date.now() + 1000 })).id)
    expect(task).toMatchObject({ status: 'failed', attempt: 1, error: { code: 'DEADLINE_EXCEEDED' } })
    expect(on.host.claims[0]!.signal.reason).toMatchObject({ name: 'DEADLINE_EXCEEDED' })
  },
} satisfies EngineCases
