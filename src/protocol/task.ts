/** What a caller may see of a task, on every door. */
import type { ErrorData } from './errors.ts'

/** `queued` also covers a task that waits for a delay or a retry (see `runAt`). */
export type TaskStatus = 'queued' | 'running' | 'succeeded' | 'failed' | 'cancelled'

/** Whether a task in this status has ended. */
export const isFinished = (status: TaskStatus): boolean => status !== 'queued' && status !== 'running'

/** A task's error as callers see it. */
export type TaskErrorData = ErrorData

/** One execution of a task; `n` counts from 1. Times are ISO 8601 UTC. */
export interface TaskAttempt {
  readonly n: number
  readonly startedAt: string
  readonly finishedAt?: string
  readonly error?: TaskErrorData
}

/** Where to read about and act on a task, as paths on the same server. */
export interface TaskLinks {
  readonly self: string
  /** Absent where the routes by id are turned off; the record has it too. */
  readonly result?: string
  readonly events: string
  readonly cancel: string
}

/** A task as callers see it. Times are ISO 8601 UTC. */
export interface TaskRecord<TOutput = unknown, TProgress = unknown> {
  /** UUIDv7 (RFC 9562 §5.7). */
  readonly id: string
  /** The procedure's dotted path. */
  readonly procedure: string
  readonly status: TaskStatus
  /** How many attempts have begun. */
  readonly attempt: number
  readonly maxAttempts: number
  readonly attempts: readonly TaskAttempt[]
  readonly createdAt: string
  readonly startedAt?: string
  readonly finishedAt?: string
  /** Not before this time; set while it waits for a delay or a retry. */
  readonly runAt?: string
  readonly progress?: TProgress
  /** The output, once `succeeded`. */
  readonly result?: TOutput
  /** Why it ended, once `failed` or `cancelled`. */
  readonly error?: TaskErrorData
  /** A cancel was asked for while it runs. */
  readonly cancelRequested?: boolean
  /** Opaque; differs after every change. */
  readonly rev: string
  readonly tags?: readonly string[]
  readonly links: TaskLinks
}

/** A line a handler logged. */
export interface TaskLog {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly at: string
  readonly fields?: Record<string, unknown>
}

/**
 * What happens to a task, in order. `gap` says that earlier events are no longer kept, and a `state` follows it; `done`
 * is the last.
 */
export type TaskEvent<TOutput = unknown, TProgress = unknown> =
  | { readonly type: 'state'; readonly record: TaskRecord<TOutput, TProgress> }
  | { readonly type: 'progress'; readonly progress: TProgress }
  | { readonly type: 'log'; readonly log: TaskLog }
  | { readonly type: 'gap' }
  | { readonly type: 'done'; readonly record: TaskRecord<TOutput, TProgress> }

/** Newest first; `nextCursor` is absent on the last page. */
export interface TaskPage<TItem = TaskRecord> {
  readonly items: readonly TItem[]
  readonly nextCursor?: string
}
