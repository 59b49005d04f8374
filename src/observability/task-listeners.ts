/**
 * `on`: what happens to tasks, told to whoever wrote the app, on the host where it happens and once it is durable.
 * Nothing waits for a listener, and what one throws is logged and changes nothing.
 *
 * Not in it: which change is which event (`tasks/changes.ts`), what watchers of one task are told (`TaskEvent`).
 */
import type { MaybePromise } from '../procedures/handler.ts'
import type { TaskRecord } from '../protocol/task.ts'
import type { Happening } from '../tasks/changes.ts'
import type { StoredError, StoredTask } from '../tasks/stored-task.ts'
import { ranFor, waitedFor, waitOf } from './task-times.ts'

/** What every event of a task tells. */
export interface TaskHappened {
  readonly taskId: string
  /** The procedure's dotted path. */
  readonly procedure: string
  /** Counts from 1; 0 for a task that never ran. */
  readonly attempt: number
  readonly maxAttempts: number
  /** Whose task it is; null for anybody's. */
  readonly owner: string | null
  readonly tags: readonly string[]
  /** The record as code on the server sees it, input and inner words included; made when read. */
  readonly record: TaskRecord
}

/** An error as it is kept: with the words that are not for callers. */
export type KeptError = StoredError

/** How long the attempt ran, in ms; undefined for a task that ended while it waited. */
interface Ran {
  readonly ms: number | undefined
}

/** What each event tells. */
export interface TaskHappenings {
  /** It was started, or queued again by hand. */
  'task:queued': TaskHappened
  /** Its handler is called next. `waited`: ms since it was queued or its last attempt ended, delays included. */
  'task:started': TaskHappened & { readonly waited: number }
  'task:progress': TaskHappened & { readonly progress: unknown }
  /** The attempt failed or was lost, and another one follows `wait` ms later. */
  'task:retrying': TaskHappened & Ran & { readonly error: KeptError | undefined; readonly wait: number }
  'task:succeeded': TaskHappened & Ran & { readonly result: unknown }
  'task:failed': TaskHappened & Ran & { readonly error: KeptError | undefined }
  'task:cancelled': TaskHappened & Ran
}

/** Listeners by event. */
export type TaskListeners = {
  readonly [K in keyof TaskHappenings]?: (event: TaskHappenings[K]) => MaybePromise<unknown>
}

/** The names of all events. */
export const TASK_HAPPENINGS: readonly string[] = [
  'task:queued',
  'task:started',
  'task:progress',
  'task:retrying',
  'task:succeeded',
  'task:failed',
  'task:cancelled',
] satisfies (keyof TaskHappenings)[]

/** What listeners are served with. */
export interface TaskListenersParts {
  readonly on: TaskListeners
  readonly record: (task: StoredTask) => TaskRecord
  /** Told of what a listener throws. */
  readonly threw: (event: string, task: StoredTask, thrown: unknown) => void
}

/** What each event tells besides what all of them do. */
const MORE = {
  queued: () => ({}),
  started: ({ task }) => ({ waited: waitedFor(task) }),
  progress: (happening) => ({ progress: 'progress' in happening ? happening.progress : undefined }),
  retrying: ({ task }) => ({ ms: ranFor(task), error: task.attempts.at(-1)?.error, wait: waitOf(task) }),
  succeeded: ({ task }) => ({ ms: ranFor(task), result: task.result }),
  failed: ({ task }) => ({ ms: ranFor(task), error: task.error }),
  cancelled: ({ task }) => ({ ms: ranFor(task) }),
} satisfies Record<Happening['name'], (happening: Happening) => object>

type Listener = (event: object) => unknown

const eventOf = (happening: Happening, { record }: TaskListenersParts): object => {
  const { task } = happening
  let made: TaskRecord | undefined
  return {
    taskId: task.id,
    procedure: task.procedure,
    attempt: task.attempt,
    maxAttempts: task.maxAttempts,
    owner: task.owner,
    tags: task.tags ?? [],
    get record() {
      return (made ??= record(task))
    },
    ...MORE[happening.name](happening),
  }
}

/** Hands happenings to listeners. Never throws. */
export const createTaskListeners = (parts: TaskListenersParts): ((happening: Happening) => void) => {
  const listeners = parts.on as Readonly<Record<string, Listener | undefined>>
  return (happening) => {
    const name = `task:${happening.name}`
    const listener = listeners[name]
    if (!listener) return
    const failed = (thrown: unknown): void => parts.threw(name, happening.task, thrown)
    try {
      Promise.resolve(listener(eventOf(happening, parts))).catch(failed)
    } catch (thrown) {
      failed(thrown)
    }
  }
}
