/** How a task is run: defaults, and what `createApp` checks. */
import type { Duration } from '../protocol/duration.ts'

/** Where a handler runs: a worker thread, a child process, or the event loop (for work that only waits). */
export type RunOn = 'threads' | 'processes' | 'inline'

/** How often and when a failed attempt is run again. Every run counts, thrown or lost. */
export interface RetryOptions {
  /** Runs in all. Default 3. */
  readonly attempts?: number
  /** How the wait grows. Default `'exponential'`. */
  readonly backoff?: 'none' | 'fixed' | 'linear' | 'exponential'
  /** First wait. Default `'1s'`. */
  readonly initial?: Duration
  /** Longest wait. Default `'1m'`. */
  readonly max?: Duration
  /** Share of the wait that is random, 0 to 1. Default 0.2. */
  readonly jitter?: number
  /** Error codes or names that are retried, whatever they are. */
  readonly retryOn?: readonly string[]
  /** Error codes or names that are never retried. */
  readonly neverRetryOn?: readonly string[]
}

/** Options of a task procedure. */
export interface TaskOptions {
  readonly retry?: RetryOptions
  /** Longest run of one attempt; it then ends as `TASK_TIMEOUT`. Default none. */
  readonly timeout?: Duration
  /** Longest time from start to end, all attempts and waits included; then `DEADLINE_EXCEEDED`. Default none. */
  readonly deadline?: Duration
  /** How many run at once. Default: as many as there are workers. */
  readonly concurrency?: number
  /** −100 to 100; higher runs first. Default 0. */
  readonly priority?: number
  /** Default `'threads'`. */
  readonly runOn?: RunOn
  /** `'caller'`: a plain call waits for the output; `'always'`: it is answered with the record. Default `'caller'`. */
  readonly mode?: 'caller' | 'always'
  /** How long the record of an ended task is kept. Default `'7d'`. */
  readonly keep?: Duration
  /** What a lost worker means. Default `'retry'`. */
  readonly onCrash?: 'retry' | 'fail'
  /** How long a handler may take to heed its `signal` before its worker is ended. Default `'5s'`. */
  readonly cancelGrace?: Duration
  /** Makes the idempotency key from the parsed input. */
  readonly idempotencyKey?: (call: { readonly input: never }) => string
  /** The slice of the context that a worker gets as `carried`: JSON. */
  readonly carry?: (call: { readonly ctx: never }) => unknown
}

/** Names of the task options, to find them in a definition and to refuse unknown ones. */
export const TASK_OPTION_NAMES = [
  'retry',
  'timeout',
  'deadline',
  'concurrency',
  'priority',
  'runOn',
  'mode',
  'keep',
  'onCrash',
  'cancelGrace',
  'idempotencyKey',
  'carry',
] as const satisfies readonly (keyof TaskOptions)[]
