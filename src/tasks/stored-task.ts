/** A task as an engine keeps it, and the part of it that callers see. */
import type { TaskErrorData, TaskStatus } from '../protocol/task.ts'

/** Everything there is to know about a task: one value, JSON, so that one write is one change. Times are epoch ms. */
export interface StoredTask {
  readonly id: string
  /** The procedure's dotted path. */
  readonly procedure: string
  /** The raw wire input; parsed again in the worker. */
  readonly input: unknown
  readonly status: TaskStatus
  readonly attempt: number
  readonly maxAttempts: number
  readonly attempts: readonly StoredAttempt[]
  /** Whose task it is; null for anybody's. */
  readonly owner: string | null
  /** What the worker gets of the caller's context: JSON. */
  readonly carried?: unknown
  /** Where in which trace it was started, as a traceparent. */
  readonly trace?: string
  readonly idempotencyKey?: string
  /** Digest of the input, to tell the same start from another one with the same key. */
  readonly inputDigest?: string
  readonly priority: number
  readonly tags?: readonly string[]
  /** An engine may add a fraction that keeps the order of starts within one millisecond. */
  readonly createdAt: number
  readonly startedAt?: number
  readonly finishedAt?: number
  /** Not before this time. */
  readonly runAt?: number
  /** Must have ended by this time. */
  readonly deadlineAt?: number
  /** From then on an ended task is forgotten: `finishedAt` plus the procedure's `keep` when it ended. */
  readonly expiresAt?: number
  readonly progress?: unknown
  readonly result?: unknown
  readonly error?: StoredError
  readonly cancelRequested?: boolean
  /** Counts changes. */
  readonly revision: number
}

/** An error with what only the log and admins may see. */
export interface StoredError extends TaskErrorData {
  /** The original message, name and stack of an error that was not meant for callers. */
  readonly internal?: { readonly name: string; readonly message: string; readonly stack?: string }
}

/** One execution. */
export interface StoredAttempt {
  readonly n: number
  readonly startedAt: number
  readonly finishedAt?: number
  readonly error?: StoredError
}
