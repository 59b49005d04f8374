/** Where a task is read and acted on: the routes by id, or those of its procedure where an app turned the former off. */
import { toUrlPath } from '../protocol/paths.ts'
import type { TaskLinks } from '../protocol/task.ts'
import type { StoredTask } from '../tasks/stored-task.ts'
import type { Entry } from './entries.ts'

/** The links of a task. */
export type LinksOf = (task: StoredTask) => TaskLinks

/** Where task routes are: all by id below `root`, else each procedure's below `prefix`. */
export interface TaskPlaces {
  readonly root: string | undefined
  readonly prefix: string
  readonly entries: ReadonlyMap<string, Entry>
}

/** `/orders/{order}` with the fields of an input in it. */
const filled = (path: string, input: unknown): string =>
  path.replaceAll(/\{(\w+)\}/g, (_, field: string) =>
    encodeURIComponent(String((input as Record<string, unknown> | null)?.[field])),
  )

/** Where the tasks of a procedure are; one that this app lacks has no route. */
const ownRoot = ({ prefix, entries }: TaskPlaces, { procedure, input }: StoredTask): string => {
  const path = entries.get(procedure)?.definition.meta.rest?.path ?? toUrlPath(procedure)
  return `${prefix}${filled(path, input)}/tasks`
}

/** Compiles the links. Only the routes by id have one for the bare result. */
export const compileTaskLinks =
  (places: TaskPlaces): LinksOf =>
  (task) => {
    const self = `${places.root ?? ownRoot(places, task)}/${task.id}`
    return {
      self,
      ...(places.root === undefined ? {} : { result: `${self}/result` }),
      events: `${self}/events`,
      cancel: `${self}/cancel`,
    }
  }
