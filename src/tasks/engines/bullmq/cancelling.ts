/** Stops tasks: those that wait for good, those that run by asking. */
import type { CancelResult } from '../../engine.ts'
import { isFinished } from '../../../protocol/task.ts'
import type { JobBook, Reading } from './job-book.ts'
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
  if (!isFinished(after.task.status)) {
    await place.tell(job, 'cancel', {})
    return { kind: 'requested', task: after.task }
  }
  if (!after.job.ending) await sealIt({ place, book }, after)
  return { kind: 'settled', task: after.task }
}

/** It was not running when somebody looked after the request: so it never will. */
const sealIt = async ({ place, book }: CancellingParts, { job, task }: Reading): Promise<void> => {
  const { cancel: request } = job.data
  const seal = { revision: task.revision, claims: job.claims }
  if (request) await book.write(job, { ...job.data, cancel: { ...request, seal } })
  await place.promote(job) // To leave the queue soon.
  await place.tell(job, 'cancel', {})
}
