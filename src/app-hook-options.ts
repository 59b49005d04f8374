/** The options of `createApp` that step into calls and task runs, or are told of them, checked. */
import type { Middleware } from './procedures/middleware.ts'
import type { TaskMiddleware } from './procedures/task-middleware.ts'
import { TASK_HAPPENINGS, type TaskListeners } from './observability/task-listeners.ts'

/** Middleware and listeners. */
export interface HookOptions<TContext = object> {
  /** Around every call of every procedure, a task's start included; the first is outermost, and all are outside a procedure's own. */
  readonly use?: readonly Middleware<TContext>[]
  /** Around every attempt of every task, where its handler runs: in a worker, too. The first is outermost. */
  readonly useTask?: readonly TaskMiddleware[]
  /** Told of what happens to tasks, on the host where it happens. Nothing waits for a listener. */
  readonly on?: TaskListeners
}

const isFunction = (value: unknown): boolean => typeof value === 'function'

const listProblems = (name: string, list: unknown): string[] =>
  list === undefined || (Array.isArray(list) && list.every(isFunction))
    ? []
    : [`${name} is not a list of functions, expected one such as [async ({ next }) => next()]`]

const listenerProblems = (on: unknown): string[] => {
  if (on === undefined) return []
  if (typeof on !== 'object' || on === null)
    return ["on is not an object, expected one such as { 'task:failed': (event) => … }"]
  return Object.entries(on).flatMap(([name, listener]) => {
    if (!TASK_HAPPENINGS.includes(name))
      return [`unknown event on[${JSON.stringify(name)}], expected one of ${TASK_HAPPENINGS.join(', ')}`]
    return listener === undefined || isFunction(listener)
      ? []
      : [`on[${JSON.stringify(name)}] is not a function`]
  })
}

/** What is wrong with them, in sentences. */
export const hookProblems = ({ use, useTask, on }: HookOptions<never>): string[] => [
  ...listProblems('use', use),
  ...listProblems('useTask', useTask),
  ...listenerProblems(on),
]
