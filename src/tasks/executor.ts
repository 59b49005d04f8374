/**
 * The executor port: runs one attempt of a task somewhere (thread, process, event loop), says how it ended.
 *
 * Not in it: which task runs next, retries, records, parsing of options. The engine owns those.
 */
import type { HostRequest } from '../procedures/task-call.ts'
import type { ErrorData } from '../protocol/errors.ts'
import type { TaskLog } from '../protocol/task.ts'

/** One attempt, as data that can cross a thread or a process. */
export interface Call {
  readonly taskId: string
  /** The procedure's dotted path. */
  readonly procedure: string
  /** Raw wire input. */
  readonly input: unknown
  readonly carried?: unknown
  readonly attempt: number
  /** Where in which trace it is, as a traceparent. */
  readonly trace?: string | undefined
}

/** An error as an executor reports it: what callers may see, and what only the log and admins may. */
export interface OutcomeError extends ErrorData {
  /** The thrown error's name, for `retryOn` and `neverRetryOn`. */
  readonly name?: string
  /** Declared by the procedure, so not retried unless asked. */
  readonly declared?: boolean
  readonly internal?: { readonly name: string; readonly message: string; readonly stack?: string }
}

/** How an attempt ended. Never thrown: it crosses as data. */
export type Outcome =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'error'; readonly error: OutcomeError }
  /** The handler's worker died, with what is known of why, stack included: not for callers. */
  | { readonly kind: 'lost'; readonly reason: string }
  /** It never began (it waited in a worker that died, or was withdrawn): the attempt does not count. */
  | { readonly kind: 'returned' }

/** What the running attempt tells its host. */
export interface CallEvents {
  progress(progress: unknown): void
  log(log: TaskLog): void
  /** `tasks.start` in the handler, and what its handle asks later: answers with the task's record. */
  start(request: HostRequest): Promise<unknown>
}

/** A running attempt. */
export interface Running {
  /** Resolves once, never rejects. */
  readonly outcome: Promise<Outcome>
  /**
   * Asks the handler to stop (its `signal` aborts); reason is an `Error` name such as `'Cancelled'`.
   * Idempotent. An attempt that has not begun is withdrawn: `outcome` then is `returned`.
   */
  abort(reason: string): void
  /** Ends it now, whatever it does. `outcome` then is `lost`, or `returned` if it never began. Idempotent. */
  kill(reason: string): void
}

/** Facts an engine plans with. */
export interface ExecutorCapabilities {
  /** Whether a busy loop leaves the host's event loop free and can be killed. */
  readonly isolated: boolean
  /** How many attempts run at once. */
  readonly slots: number
}

/** How an executor is doing, now. */
export interface ExecutorLoad {
  /** How many there may be to run attempts. Some are made when they are first needed. */
  readonly workers: number
  /** How many of them do. */
  readonly busy: number
  /** Workers that died after they had served, or were ended with an attempt; another one takes the place of each. */
  readonly restarts: number
}

/** Runs attempts. */
export interface Executor {
  readonly name: string
  readonly capabilities: ExecutorCapabilities
  /** Makes sure that attempts can be run: starts a first worker and keeps it. Rejects with why none can serve. */
  open(): Promise<void>
  /**
   * Takes an attempt now. The engine gives it at most `slots` plus a small look-ahead; `started` is called
   * right before the handler is, which tells waiting from running.
   */
  run(call: Call, events: CallEvents, started: () => void): Running
  /** Left out by one that has nothing to tell. */
  load?(): ExecutorLoad
  /** Ends all workers. Running attempts end as `lost`. */
  close(): Promise<void>
}
