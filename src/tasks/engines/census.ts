/** Counts tasks that have not ended, by procedure, where all of them are in memory. */
import type { Census } from '../engine.ts'
import type { StoredTask } from '../stored-task.ts'
import type { Entry } from './entry.ts'

interface Counts {
  due: number
  delayed: number
  running: number
  waited?: number
}

/** Since when a task could have run. */
const readySince = ({ createdAt, runAt, attempts }: StoredTask): number =>
  Math.max(createdAt, runAt ?? 0, attempts.at(-1)?.finishedAt ?? 0)

const count = (counts: Counts, task: StoredTask, now: number): void => {
  if (task.status === 'running') counts.running += 1
  else if ((task.runAt ?? 0) > now) counts.delayed += 1
  else {
    counts.due += 1
    counts.waited = Math.max(counts.waited ?? 0, now - readySince(task))
  }
}

/** One for each of these procedures, in their order. */
export const takeCensus = (
  procedures: readonly string[],
  entries: Iterable<Pick<Entry, 'procedure' | 'live'>>,
  now: number,
): readonly Census[] => {
  const byProcedure = new Map<string, Counts>(
    procedures.map((procedure) => [procedure, { due: 0, delayed: 0, running: 0 }]),
  )
  for (const { procedure, live } of entries) {
    const counts = byProcedure.get(procedure)
    if (counts && live) count(counts, live.task, now)
  }
  return [...byProcedure].map(([procedure, counts]) => ({ procedure, ...counts }))
}
