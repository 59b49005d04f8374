/**
 * How a worker finds the app: `createApp` registers its tasks under its module's URL, and the worker, having
 * imported that module, looks them up. By URL and not by export, so that the app may have any name or none.
 */
import type { TaskFunction } from '../../procedures/task-call.ts'

/** The task at a dotted path, or undefined when the app has none there. */
export type TaskLookup = (path: string) => TaskFunction | undefined

// In the global scope: the user's module may load another copy of this package than the worker's entry did.
const APPS = Symbol.for('errand.apps')
const WORKER = Symbol.for('errand.worker')

interface Shared {
  [APPS]?: Map<string, readonly TaskLookup[]>
  [WORKER]?: boolean
}

const shared = globalThis as Shared

const apps = (): Map<string, readonly TaskLookup[]> => (shared[APPS] ??= new Map())

/** Makes an app's tasks known to workers that import `module`. Of several apps there the last comes first. */
export const registerApp = (module: string, tasks: TaskLookup): void => {
  apps().set(module, [tasks, ...(apps().get(module) ?? [])])
}

/** The task at a dotted path of any app in this module. */
export const findTask = (module: string, path: string): TaskFunction | undefined => {
  for (const lookup of apps().get(module) ?? []) {
    const task = lookup(path)
    if (task) return task
  }
  return undefined
}

/** The modules that have an app, for error texts. */
export const registeredModules = (): readonly string[] => [...apps().keys()]

/** Notes that this thread or process is a worker, before the user's module is imported. */
export const enterWorker = (): void => {
  shared[WORKER] = true
}

/** Whether this code runs in a worker, where an app must not listen, open stores or start workers. */
export const isInWorker = (): boolean => shared[WORKER] === true
