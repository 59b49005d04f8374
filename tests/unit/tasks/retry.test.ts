import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { errorData } from '../../../src/protocol/errors.ts'
import type { OutcomeError } from '../../../src/tasks/executor.ts'
import { toPolicy } from '../../../src/tasks/policy.ts'
import { isRetryable, retryDelay, toBackoff } from '../../../src/tasks/retry.ts'

const waits = (options: Parameters<typeof toBackoff>[0]) =>
  [1, 2, 3, 4].map(toBackoff({ jitter: 0, ...options }))

describe('backoff', () => {
  it('grows as its name says', () => {
    const initial = 100
    expect(waits({ backoff: 'none', initial })).toEqual([0, 0, 0, 0])
    expect(waits({ backoff: 'fixed', initial })).toEqual([100, 100, 100, 100])
    expect(waits({ backoff: 'linear', initial })).toEqual([100, 200, 300, 400])
    expect(waits({ backoff: 'exponential', initial })).toEqual([100, 200, 400, 800])
  })

  it('is exponential from a second to a minute by default', () => {
    expect(waits({})).toEqual([1000, 2000, 4000, 8000])
    expect(toBackoff({ jitter: 0 })(50)).toBe(60_000)
  })

  it('reaches a first wait that is longer than the default maximum', () => {
    expect(waits({ initial: '2m', backoff: 'fixed' })[0]).toBe(120_000)
  })

  it('is shortened by its jitter, never lengthened', () => {
    const options = fc.record({
      jitter: fc.double({ min: 0, max: 1, noNaN: true }),
      attempt: fc.integer({ min: 1, max: 2000 }),
    })
    fc.assert(
      fc.property(
        options,
        fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        ({ jitter, attempt }, random) => {
          const full = toBackoff({ jitter: 0 })(attempt)
          const wait = toBackoff({ jitter }, () => random)(attempt)
          expect(wait).toBeLessThanOrEqual(full)
          expect(wait).toBeGreaterThanOrEqual(Math.floor(full * (1 - jitter)))
        },
      ),
    )
  })
})

describe('isRetryable', () => {
  const error = (code: string, extra: Partial<OutcomeError> = {}): OutcomeError => ({
    ...errorData(code as 'NOT_FOUND', 'no'),
    ...extra,
  })
  const isRetried = (what: OutcomeError, retry = {}, onCrash: 'retry' | 'fail' = 'retry') =>
    isRetryable(what, toPolicy({ retry, onCrash }))

  it('takes what may pass, and not what the caller did wrong', () => {
    expect(isRetried(error('INTERNAL_SERVER_ERROR'))).toBe(true)
    expect(isRetried(error('TASK_TIMEOUT'))).toBe(true)
    expect(isRetried(error('BAD_REQUEST'))).toBe(false)
    expect(isRetried(error('TOO_MANY_REQUESTS'))).toBe(false)
    expect(isRetried(error('OUT_OF_STOCK', { status: 503, declared: true }))).toBe(false)
  })

  it('goes by code and by name', () => {
    expect(isRetried(error('NOT_FOUND'), { retryOn: ['NOT_FOUND'] })).toBe(true)
    expect(isRetried(error('OUT_OF_STOCK', { declared: true }), { retryOn: ['OUT_OF_STOCK'] })).toBe(true)
    const fetchError = error('INTERNAL_SERVER_ERROR', { name: 'FetchError' })
    expect(isRetried(fetchError, { neverRetryOn: ['FetchError'] })).toBe(false)
    expect(isRetried(fetchError, { neverRetryOn: ['FetchError'], retryOn: ['INTERNAL_SERVER_ERROR'] })).toBe(
      false,
    )
  })

  it('follows onCrash for a lost worker, unless it is named', () => {
    expect(isRetried(error('WORKER_LOST'))).toBe(true)
    expect(isRetried(error('WORKER_LOST'), {}, 'fail')).toBe(false)
    expect(isRetried(error('WORKER_LOST'), { neverRetryOn: ['WORKER_LOST'] })).toBe(false)
    expect(isRetried(error('WORKER_LOST'), { retryOn: ['WORKER_LOST'] }, 'fail')).toBe(true)
  })
})

describe('retryDelay', () => {
  it('is what the error asks for, else the backoff', () => {
    const backoff = () => 500
    expect(retryDelay(errorData('SERVICE_UNAVAILABLE', 'later', { retryAfter: 3 }), 1, backoff)).toBe(3000)
    expect(retryDelay(errorData('SERVICE_UNAVAILABLE', 'later', { retryAfter: NaN }), 1, backoff)).toBe(500)
    expect(retryDelay(errorData('INTERNAL_SERVER_ERROR', 'boom'), 1, backoff)).toBe(500)
  })

  it('is never long after a crash', () => {
    expect(retryDelay(errorData('WORKER_LOST', 'killed'), 1, () => 60_000)).toBe(10_000)
  })
})
