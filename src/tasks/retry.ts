/** When a failed attempt is run again. Not in it: whether attempts are left (lifecycle), waiting (engine). */
import { toMilliseconds } from '../protocol/duration.ts'
import type { RetryOptions } from '../procedures/task-options.ts'
import type { TaskPolicy } from './engine.ts'
import type { OutcomeError } from './executor.ts'

/** Milliseconds to wait after `attempt` (from 1) failed. */
export type Backoff = (attempt: number) => number

/** The shapes of growth: the wait after an attempt as a multiple of the first wait. */
export const GROWTH = {
  none: () => 0,
  fixed: () => 1,
  linear: (attempt) => attempt,
  exponential: (attempt) => 2 ** (attempt - 1),
} as const satisfies Record<NonNullable<RetryOptions['backoff']>, (attempt: number) => number>

/**
 * The longest wait after an attempt whose worker died: a crash is no reason to be slow, the promise is 15 s.
 */
export const LONGEST_WAIT_AFTER_CRASH = 10_000

/** Makes the backoff of a procedure. Jitter only shortens a wait, so `max` holds. */
export const toBackoff = (options: RetryOptions = {}, random: () => number = Math.random): Backoff => {
  const { backoff = 'exponential', initial = '1s', max, jitter = 0.2 } = options
  const first = toMilliseconds(initial)
  const longest = max === undefined ? Math.max(60_000, first) : toMilliseconds(max)
  return (attempt) => {
    const wait = Math.min(longest, first * GROWTH[backoff](attempt))
    return Math.round(wait * (1 - jitter * random()))
  }
}

type RetryRules = Pick<TaskPolicy, 'retryOn' | 'neverRetryOn' | 'onCrash'>

/**
 * Whether an error is worth another attempt. What the caller did wrong stays wrong, unless `retryOn` says
 * otherwise.
 */
export const isRetryable = (error: OutcomeError, rules: RetryRules): boolean => {
  if (isListed(error, rules.neverRetryOn)) return false
  if (isListed(error, rules.retryOn)) return true
  if (error.code === 'WORKER_LOST') return rules.onCrash === 'retry'
  return !error.declared && !isCallersFault(error.status)
}

const isListed = (error: OutcomeError, list: ReadonlySet<string>): boolean =>
  list.has(error.code) || (error.name !== undefined && list.has(error.name))

const isCallersFault = (status: number): boolean => status >= 400 && status < 500

/** Milliseconds to wait before the next attempt. What the error asks for wins over the backoff. */
export const retryDelay = (error: OutcomeError, attempt: number, backoff: Backoff): number => {
  if (error.retryAfter !== undefined && error.retryAfter >= 0) return error.retryAfter * 1000
  const wait = backoff(attempt)
  return error.code === 'WORKER_LOST' ? Math.min(wait, LONGEST_WAIT_AFTER_CRASH) : wait
}
