/**
 * Which changes of a record are worth telling whoever hears of all tasks, and what each is called. The same on every
 * engine: an engine says what a record was and is, and this names it.
 *
 * Not in it: what may change (lifecycle), who watches one task (event hub), who listens (app).
 */
import type { StoredTask } from './stored-task.ts'

/** A change of a record that somebody is told of. */
export type ChangeName = 'queued' | 'retrying' | 'succeeded' | 'failed' | 'cancelled'

/** What happens to a task, as the host sees it where it happens. `task` is the record as it is then. */
export type Happening =
  | { readonly name: ChangeName | 'started'; readonly task: StoredTask }
  | { readonly name: 'progress'; readonly task: StoredTask; readonly progress: unknown }

/**
 * The name of a change; undefined for one that nobody is told of: a claim, whose handler may not be called, an attempt
 * that never began, a request to stop.
 *
 * @param before undefined for a new task
 */
export const changeName = (before: StoredTask | undefined, after: StoredTask): ChangeName | undefined => {
  const { status } = after
  if (before?.status === status || status === 'running') return undefined
  if (status !== 'queued') return status
  if (before?.status !== 'running') return 'queued'
  return after.attempt < before.attempt ? undefined : 'retrying'
}
