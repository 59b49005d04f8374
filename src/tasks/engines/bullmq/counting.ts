/** Counts the tasks of a procedure that have not ended. */
import type { Census } from '../../engine.ts'
import type { JobBook } from './job-book.ts'
import type { Place } from './place.ts'

export interface CountingParts {
  readonly place: Place
  readonly book: JobBook
}

/** How long tasks wait is told by the one that is next: it is the oldest of the highest priority. */
export const count = async ({ place, book }: CountingParts, procedure: string): Promise<Census> => {
  const counts = await place.counts(procedure)
  if (counts.due === 0) return { procedure, ...counts }
  const ids = await place.ids(procedure, ['prioritized', 'waiting'], 0, 0)
  const [next] = await book.readAll(ids.slice(0, 1).map((id) => ({ procedure, id })))
  if (!next) return { procedure, ...counts }
  const { createdAt, runAt = 0, attempts } = next.task
  const since = Math.max(createdAt, runAt, attempts.at(-1)?.finishedAt ?? 0)
  return { procedure, ...counts, waited: Math.max(0, Date.now() - since) }
}
