/** What whoever started a task holds, on the server and in a client alike. */
import type { Duration } from './duration.ts'
import type { TaskEvent, TaskRecord } from './task.ts'

/** How long to wait, and when to stop waiting. Neither stops the task. */
export interface WaitOptions {
  /** Default: no limit. */
  readonly timeout?: Duration
  readonly signal?: AbortSignal
}

/** A started task. */
export interface TaskHandle<TOutput = unknown, TProgress = unknown> {
  readonly id: string
  /**
   * The output, once it succeeded.
   * @throws TaskError when it failed or was cancelled; a `TimeoutError` or the signal's reason when waiting ended first
   */
  result(options?: WaitOptions): Promise<TOutput>
  /** What the handler reports, from the latest on, until the task ends. Each loop begins anew. */
  progress(options?: { readonly signal?: AbortSignal }): AsyncIterable<TProgress>
  /** Everything that happens to it, from its present state on, until it ends. Each loop begins anew. */
  events(options?: { readonly signal?: AbortSignal }): AsyncIterable<TaskEvent<TOutput, TProgress>>
  /** Asks it to stop. Resolves with the record when the request is noted, not when it has stopped. */
  cancel(): Promise<TaskRecord<TOutput, TProgress>>
  record(): Promise<TaskRecord<TOutput, TProgress>>
}
