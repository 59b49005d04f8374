/** The few calls by which a handle reaches its task: every door, worker and client has its own. */
import type { Judge } from './patience.ts'
import type { TaskEvent, TaskRecord } from './task.ts'

/** What a handle needs to know how to do. */
export interface TaskAccess extends Judge {
  /** The record; `wait` (seconds, ≤ 30) holds the answer until the task ends or, with `after`, changes. */
  get(query: { id: string; wait?: number; after?: string }, signal?: AbortSignal): Promise<TaskRecord>
  /** The record once the task has ended, however long that takes; a handle without it asks `get` again and again. */
  ended?(id: string, signal?: AbortSignal): Promise<TaskRecord>
  cancel(id: string): Promise<TaskRecord>
  /** Pushes events with their ids; a handle without it long-polls. May throw or end, and is then opened again. */
  watch?(
    query: { id: string; lastEventId?: string },
    signal: AbortSignal,
  ): AsyncIterable<{ id: string; event: TaskEvent }>
  /** Whether a failure of `watch` means that this client can't, so that the handle long-polls. */
  cannotWatch?(error: unknown): boolean
}
