/** Writes changed tasks, each fenced by what it was when it was read. */
import type { StoredTask } from '../../stored-task.ts'
import { toColumn, type Item } from './arrays.ts'
import type { Query } from './database.ts'
import type { Place } from './place.ts'
import { progressOf, stateOf } from './rows.ts'

/** A change: nothing is written unless the attempt and its lease are still those of before. */
export interface Change {
  readonly id: string
  readonly before: { readonly attempt: number; readonly lease: string | null }
  readonly next: StoredTask
  /** Who holds it from now on, and for how long (ms). */
  readonly hold?: { readonly lease: string; readonly ms: number }
  /** A new message of it. */
  readonly message?: string
}

/** Writes them in one statement. Resolves with the ids of those that were not written. */
export const writeChanges = async (
  query: Query,
  { sql, queues }: Pick<Place, 'sql' | 'queues'>,
  changes: readonly Change[],
): Promise<ReadonlySet<string>> => {
  const column = (pick: (change: Change) => Item): string => toColumn(changes, pick)
  const [row] = await query(sql.write, [
    column(({ id }) => id),
    column(({ next }) => queues.nameOf(next.procedure)),
    column(({ before }) => before.attempt),
    column(({ before }) => before.lease),
    column(({ next }) => next.cancelRequested === true),
    column(({ next }) => next.status),
    column(({ next }) => next.attempt),
    column(({ hold }) => hold?.lease),
    column(({ hold }) => hold?.ms),
    column(({ next }) => next.runAt),
    column(({ next }) => next.deadlineAt),
    column(({ next }) => next.expiresAt),
    column(({ next }) => next.revision),
    column(({ next }) => progressOf(next.progress)),
    column(({ next }) => stateOf(next)),
    column(({ message }) => message),
  ])
  const refused = row?.['refused'] as string
  return new Set(refused === '' ? [] : refused.split(','))
}
