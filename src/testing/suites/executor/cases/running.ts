/** A call runs and says how it ended. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from '../../runner.ts'
import { outcomeOf, start, startMany, tally, value, warm, hasEnded, type ExecutorCases } from '../bench.ts'

export const running = {
  'runs a task with all that was given to it': async ({ create }) => {
    const given = {
      input: { a: [1, 'é', null] },
      carried: { tenant: 'a' },
      attempt: 2,
      taskId: 'task-1',
      trace: 'of it',
    }
    expect(await outcomeOf(create(), 'nested.echo', given.input)).toEqual(value(given))
  },

  'carries a void result': async ({ create }) => {
    expect(await outcomeOf(create(), 'void')).toEqual({ kind: 'value', value: undefined })
  },

  'tells a declared error as data': async ({ create }) => {
    const error = {
      code: 'OUT_OF_STOCK',
      status: 409,
      message: 'No more',
      data: { sku: 'x' },
      declared: true,
    }
    expect(await outcomeOf(create(), 'declared')).toEqual({ kind: 'error', error })
  },

  'tells a throw past the task as an internal error': async ({ create }) => {
    expect(await outcomeOf(create(), 'throws')).toMatchObject({
      kind: 'error',
      error: {
        code: 'INTERNAL_SERVER_ERROR',
        name: 'TypeError',
        internal: { message: 'thrown past its own function' },
      },
    })
  },

  'refuses a result that JSON cannot hold': async ({ create }) => {
    const executor = create()
    for (const procedure of ['bigint', 'circular'])
      expect(await outcomeOf(executor, procedure)).toMatchObject({
        kind: 'error',
        error: { code: 'OUTPUT_INVALID' },
      })
    expect(await outcomeOf(executor, 'noop')).toEqual(value(null))
  },

  'tells of a task that the module lacks': async ({ create }) => {
    const internal = { message: expect.stringContaining('no task "nowhere"') as string }
    expect(await outcomeOf(create(), 'nowhere')).toMatchObject({ kind: 'error', error: { internal } })
  },

  'says that it starts, then the progress in order, before the outcome': async ({ create }) => {
    const call = start(create(), 'reports', 500)
    await call.outcome
    const progress = Array.from({ length: 500 }, (_, n) => ({ progress: { n } }))
    expect(call.trace).toEqual(['started', ...progress, value(500)])
  },

  'delivers progress before a busy loop that follows it': async ({ create }) => {
    const executor = create()
    await outcomeOf(executor, 'noop')
    const call = start(executor, 'reportsThenSpins', 1000)
    await expect.poll(() => call.trace, { timeout: 5000 }).toHaveLength(2)
    // The loop still runs: its end would be the third.
    expect(call.trace).toEqual(['started', { progress: 'about to spin' }])
    expect(await call.outcome).toEqual(value(null))
  },

  'bears a flood of reports, in order': async ({ create }) => {
    const call = start(create(), 'floods', 20_000)
    expect(await call.outcome).toEqual(value(null))
    expect(call.trace).toHaveLength(2 + 2 * 20_000)
    expect(call.trace.at(-3)).toEqual({ progress: { n: 19_999 } })
  },

  'delivers logs': async ({ create }) => {
    const call = start(create(), 'logs')
    await call.outcome
    const log = { level: 'info', message: 'hello', at: '2026-01-01T00:00:00.000Z', fields: { n: 1 } }
    expect(call.trace).toEqual(['started', { log }, value(null)])
  },

  'ignores what a handler says after its end': async ({ create }) => {
    const call = start(create(), 'late')
    await call.outcome
    await sleep(50)
    expect(call.trace).toEqual(['started', value(null)])
  },

  'answers a nested start': async ({ create }) => {
    const asked = { op: 'start', procedure: 'child', input: { n: 1 } }
    expect(await outcomeOf(create(), 'starts', { n: 1 })).toEqual(value({ id: 'child', asked }))
  },

  'refuses a nested start with the fields of the error': async ({ create }) => {
    const error = {
      name: 'ProcedureError',
      message: 'The queue is full',
      code: 'SERVICE_UNAVAILABLE',
      status: 503,
    }
    expect(await outcomeOf(create(), 'isRefused')).toMatchObject(value(error))
  },

  'does not hold calls up behind a long one': async ({ create }) => {
    const executor = create()
    await warm(executor)
    for (let round = 0; round < 3; round += 1) {
      await tally(startMany(executor, 50))
      const mixed = Array.from({ length: 40 }, (_, n) => start(executor, n === 7 ? 'spin' : 'noop', 1000))
      const [long] = mixed.splice(7, 1)
      await tally(mixed)
      expect(hasEnded(long!)).toBe(false)
      await long!.outcome
      for (const { trace } of [long!, ...mixed])
        expect(trace.filter((entry) => entry === 'started')).toHaveLength(1)
    }
  },

  'runs on several workers at once': async ({ create }) => {
    const executor = create()
    await tally([start(executor, 'sleep', 600), start(executor, 'sleep', 600)])
    const calls = [start(executor, 'sleep', 500), start(executor, 'sleep', 500)]
    await Promise.race(calls.map(({ outcome }) => outcome))
    for (const { trace } of calls) expect(trace).toContain('started')
    expect(await tally(calls)).toEqual({ value: 2 })
  },

  'ends 1,000 calls once each': async ({ create }) => {
    const executor = create()
    const calls = Array.from({ length: 1000 }, (_, n) => start(executor, 'nested.echo', n))
    const outcomes = await Promise.all(calls.map(({ outcome }) => outcome))
    expect(
      outcomes.map((outcome) => outcome.kind === 'value' && (outcome.value as { input: number }).input),
    ).toEqual(calls.map((_, n) => n))
    for (const { trace } of calls) expect(trace).toHaveLength(2)
  },
} satisfies ExecutorCases
