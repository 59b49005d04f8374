/** Queues ended tasks again by hand. */
import { setTimeout as sleep } from 'node:timers/promises'
import { isFinished } from '../../../protocol/task.ts'
import type { StoredTask } from '../../stored-task.ts'
import type { FreshAttempts } from '../fleet/shared-queue.ts'
import type { JobBook, Reading } from './job-book.ts'
import type { Job, JobData, JobPast } from './job.ts'
import type { Place } from './place.ts'
import { standingOf } from './standing.ts'
import { storedTaskOf } from './stored-task-of.ts'

export interface RetryingParts {
  readonly place: Place
  readonly book: JobBook
}

type Retried = StoredTask | 'not-ended' | 'succeeded' | undefined

/** Milliseconds in which whoever took an over task to write that down has done so. */
const LONGEST_ENDING = 2000

/**
 * What the task is to be is written first, and is of no account while it is ended; to put it back is the one step that
 * counts, which BullMQ does once for any number of callers.
 */
export const retry = async (parts: RetryingParts, id: string, fresh: FreshAttempts): Promise<Retried> => {
  const { place, book } = parts
  const found = await book.find(id)
  if (!found) return undefined
  const { job, task } = found
  if (!isFinished(task.status)) return 'not-ended'
  if (task.status === 'succeeded') return 'succeeded'
  const data = revived(found, fresh)
  if (!(await book.write(job, data))) return undefined
  const ended = job.ending ? job : await whenEnded(parts, found)
  if (!ended) return storedTaskOf({ ...job, data, ending: undefined }, Date.now())
  const done = await place.putBack(job, ended.ending && 'task' in ended.ending ? 'completed' : 'failed')
  if (done === 'unknown') return undefined
  if (done === 'not-ended') return 'not-ended'
  return storedTaskOf({ ...job, data, ending: undefined, claimedAt: undefined }, Date.now())
}

/** It was over without that being written: it still waits in its queue, unless somebody took it to write that. */
const whenEnded = async ({ place, book }: RetryingParts, { job }: Reading): Promise<Job | undefined> => {
  for (const giveUpAt = Date.now() + LONGEST_ENDING; Date.now() < giveUpAt; await sleep(20)) {
    const now = await book.look(job.id)
    if (now?.job.ending) return now.job
    if (now?.job.claims === job.claims) {
      await place.promote(job)
      return undefined
    }
  }
  return undefined
}

const revived = ({ job, task }: Reading, { attempts, deadline }: FreshAttempts): JobData => {
  const { cancel: _cancel, runAt: _runAt, deadlineAt: _deadlineAt, ...data } = job.data
  return {
    ...data,
    maxAttempts: task.attempt + attempts,
    ...(deadline === undefined ? {} : { deadlineAt: Date.now() + deadline }),
    past: pastOf(job, task),
  }
}

const pastOf = (job: Job, { attempts, startedAt }: StoredTask): JobPast => {
  const { left, back } = countsOf(job)
  const { claims, data } = job
  return {
    left,
    back,
    claims,
    attempts,
    ...(startedAt === undefined ? {} : { startedAt }),
    retries: (data.past?.retries ?? 0) + 1,
  }
}

const countsOf = (job: Job): Pick<JobPast, 'left' | 'back'> => {
  if (job.ending && 'task' in job.ending) return job.ending
  const { left, back, isActive } = standingOf(job)
  return { left: left + (job.ending && isActive ? 1 : 0), back }
}
