/** Stops tasks: those that wait for good, those that run by asking. */
import { EngineUnavailable, type CancelResult } from '../../engine.ts'
import { isFinished } from '../../../protocol/task.ts'
import type { JobBook, Reading } from './job-book.ts'
import type { Place } from './place.ts'
import { attemptClaims, storedTaskOf } from './stored-task-of.ts'

export interface CancellingParts {
  readonly place: Place
  readonly book: JobBook
}

/** Each time that a request is not written somebody took the task, ended it or queued it again since it was read. */
const TRIES = 100

/**
 * The request is written in one step, into the task as it was read: so what is answered holds. A task that waited then is
 * cancelled, whoever takes it later; one that ran can't be ended without knowing of it (tokens).
 */
export const cancel = async (
  parts: CancellingParts,
  id: string,
  keep: number,
): Promise<CancelResult | undefined> => {
  for (let tries = 1; tries <= TRIES; tries++) {
    const found = await parts.book.find(id)
    if (!found || isFinished(found.task.status)) return found && { kind: 'settled', task: found.task }
    const asked = found.job.data.cancel ? found : await ask(parts.book, found, keep)
    if (asked) return tell(parts.place, asked)
  }
  throw new EngineUnavailable(`Task ${id} changes faster than it can be cancelled. Try again`)
}

/** Undefined when the task is no longer as it was found. */
const ask = async (book: JobBook, found: Reading, keep: number): Promise<Reading | undefined> => {
  const at = Date.now()
  const data = { ...found.job.data, cancel: { at, keep, claims: attemptClaims(found.job) } }
  if (!(await book.replace(found, data))) return undefined
  const job = { ...found.job, data }
  return { ...found, job, task: storedTaskOf(job, at) }
}

const tell = async (place: Place, { job, task }: Reading): Promise<CancelResult> => {
  const isOver = isFinished(task.status)
  if (isOver) await place.promote(job) // To leave the queue soon.
  await place.tell(job, 'cancel', { attempt: String(task.attempt) })
  return { kind: isOver ? 'settled' : 'requested', task }
}
