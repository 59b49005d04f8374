/** A task procedure as a client reaches it, whichever door it knocks at. */
import type { TaskAccess } from '../protocol/task-access.ts'
import type { TaskRecord } from '../protocol/task.ts'

/** How a task is started. */
export interface StartTaskOptions {
  /** Unique per owner and procedure while the record is kept: a second start with it gets the first one's task. */
  readonly idempotencyKey?: string | undefined
  /** Not before this time, ISO 8601. */
  readonly runAt?: string | undefined
  /** Not before so long from now; milliseconds or a text like `'10m'`. */
  readonly delay?: number | string | undefined
  /** −100 to 100; higher runs first. Default: the procedure's, else 0. */
  readonly priority?: number | undefined
  /** To find it by. */
  readonly tags?: readonly string[] | undefined
}

/** A start that may be made again: by this key the server tells it from another. */
export interface RepeatableStart extends StartTaskOptions {
  readonly retryKey?: string
}

/** What `startTask` and `attachTask` need to know how to do. */
export interface RemoteTask<TInput = never, TOutput = unknown, TProgress = unknown> extends TaskAccess {
  /** Answers when the record is durable. */
  start(input: TInput, options?: RepeatableStart): Promise<TaskRecord<TOutput, TProgress>>
  retryAfter(error: unknown): number | undefined
}
