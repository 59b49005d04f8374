/**
 * What tasks tell whoever traces, and get of it: where in a trace a start and an attempt are. A trace is carried as a text,
 * the W3C traceparent, in the record and in the call to a worker.
 *
 * Not in it: how spans are made (observability).
 */
import type { Outcome } from './executor.ts'
import type { StoredTask } from './stored-task.ts'

/** An attempt under way. */
export interface TracedAttempt {
  /** For the worker. */
  readonly trace: string | undefined
  ended(outcome: Outcome): void
}

/** Whoever traces. Nothing of it throws. */
export interface TaskTracing {
  /** Surrounds a start; `work` writes what it is given into the record. */
  start<T>(
    task: { readonly id: string; readonly procedure: string },
    parent: string | undefined,
    work: (trace: string | undefined) => Promise<T>,
  ): Promise<T>
  attempt(task: StoredTask): TracedAttempt
}

/** Makes no spans, and passes on where others are. */
export const UNTRACED: TaskTracing = {
  start: (_task, parent, work) => work(parent),
  attempt: ({ trace }) => ({ trace, ended: () => undefined }),
}
