import { describe, expect, it } from 'vitest'
import type { TaskOptions } from '../../../src/procedures/task-options.ts'
import { taskOptionProblems, toPolicy } from '../../../src/tasks/policy.ts'

describe('toPolicy', () => {
  it('has the documented defaults', () => {
    const { backoff, ...policy } = toPolicy({})
    expect(policy).toEqual({
      maxAttempts: 3,
      retryOn: new Set(),
      neverRetryOn: new Set(),
      timeout: undefined,
      deadline: undefined,
      concurrency: Infinity,
      runOn: 'threads',
      keep: 7 * 24 * 60 * 60 * 1000,
      onCrash: 'retry',
      cancelGrace: 5000,
    })
    expect(toPolicy({}, { random: () => 0 }).backoff(1)).toBe(1000)
    expect(toPolicy({}, { random: () => 1 }).backoff(1)).toBe(800)
    expect(backoff(1)).toBeGreaterThanOrEqual(800)
  })

  it('reads durations as text and as milliseconds', () => {
    expect(toPolicy({ timeout: '10m', deadline: 5000, keep: '1d', cancelGrace: '250ms' })).toMatchObject({
      timeout: 600_000,
      deadline: 5000,
      keep: 86_400_000,
      cancelGrace: 250,
    })
  })

  it('takes an undefined option for an absent one', () => {
    const options = { timeout: undefined, concurrency: undefined, retry: { attempts: undefined } }
    expect(toPolicy(options as unknown as TaskOptions)).toMatchObject({
      maxAttempts: 3,
      concurrency: Infinity,
    })
  })

  it('runs everything where the app says', () => {
    expect(toPolicy({ runOn: 'processes' }, { runOn: 'inline' }).runOn).toBe('inline')
  })

  const wrong: readonly (readonly [unknown, string])[] = [
    [
      { retry: { attempts: 0 } },
      'option retry.attempts is 0, expected a whole number from 1 to 1000, such as 3',
    ],
    [{ retry: { attempt: 3 } }, 'option retry.attempt is unknown, expected one of attempts, backoff,'],
    [{ retry: 3 }, 'option retry is 3, expected an object, such as { attempts: 5 }'],
    [
      { retry: { backoff: 'double' } },
      `option retry.backoff is "double", expected one of 'none', 'fixed', 'linear',`,
    ],
    [{ retry: { jitter: 2 } }, 'option retry.jitter is 2, expected a number from 0 to 1'],
    [
      { retry: { retryOn: 'TIMEOUT' } },
      'option retry.retryOn is "TIMEOUT", expected a list of error codes or names',
    ],
    [
      { retry: { initial: '5m', max: '1m' } },
      'option retry.max is "1m", expected at least retry.initial, which is "5m"',
    ],
    [{ timeout: '10 minutes' }, 'option timeout is "10 minutes", expected a duration from 1 ms to 24.8 days'],
    [{ timeout: 0 }, 'leave it out for no limit'],
    [{ timeout: '30d' }, 'option timeout is "30d"'],
    [{ deadline: -1 }, 'option deadline is -1'],
    [{ concurrency: 1.5 }, 'option concurrency is 1.5, expected a whole number from 1'],
    [{ priority: 101 }, 'option priority is 101, expected a whole number from -100 to 100'],
    [{ runOn: 'thread' }, `option runOn is "thread", expected one of 'threads', 'processes', 'inline'`],
    [{ mode: 'async' }, `option mode is "async", expected one of 'caller', 'always'`],
    [{ onCrash: true }, `option onCrash is true, expected one of 'retry', 'fail'`],
    [{ keep: 'forever' }, 'option keep is "forever", expected a duration'],
    [{ idempotencyKey: 'id' }, 'option idempotencyKey is "id", expected a function'],
    [{ carry: 7 }, 'option carry is 7, expected a function'],
  ]
  it.each(wrong)('refuses %j', (options, message) => {
    expect(() => toPolicy(options as TaskOptions)).toThrow(TypeError)
    expect(() => toPolicy(options as TaskOptions)).toThrow(message)
  })

  it('tells everything that is wrong', () => {
    expect(
      taskOptionProblems({ timeout: 0, keep: 'x', retry: { attempts: 0, initial: 'y' } } as never),
    ).toEqual([
      expect.stringMatching(/^option timeout is 0/),
      expect.stringMatching(/^option keep is "x"/),
      expect.stringMatching(/^option retry.attempts is 0/),
      expect.stringMatching(/^option retry.initial is "y"/),
    ])
  })
})
