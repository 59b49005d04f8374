/** Stops tasks: those that wait for good, those that run by asking. */
import type { CancelResult } from '../../engine.ts'
import { isFinished } from '../../../protocol/task.ts'
import type { JobBook } from './job-book.ts'
import type { Job } from './job.ts'
import type { Place } from './place.ts'

export interface CancellingParts {
  readonly place: Place
  readonly book: JobBook
}

/** Writes that it is to stop, then looks: whoever takes the task from then on reads that with it. */
export const cancel = async (
  { place, book }: CancellingParts,
  id: string,
  keep: number,
): Promise<CancelResult | undefined> => {
  const found = await book.find(id)
  if (!found || isFinished(found.task.status)) return found && { kind: 'settled', task: found.task }
  const { job } = found
  if (!job.data.cancel) await book.write(job, { ...job.data, cancel: { at: Date.now(), keep } })
  const after = await book.find(id)
  if (!after) return undefined
  if (!after.job.ending) await seal(book, after.job)
  const isOver = isFinished(after.task.status)
  if (isOver) await place.promote(job) // To leave the queue soon.
  await place.tell(job, 'cancel', {})
  return { kind: isOver ? 'settled' : 'requested', task: after.task }
}

/** Those who take it from now on only end it. */
const seal = async (book: JobBook, job: Job): Promise<void> => {
  const { data, claims } = job
  if (data.cancel && data.cancel.claims === undefined)
    await book.write(job, { ...data, cancel: { ...data.cancel, claims } })
}
