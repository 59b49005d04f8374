/** Queues ended tasks again by hand. */
import { setTimeout as sleep } from 'node:timers/promises'
import { EngineUnavailable } from '../../engine.ts'
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
const LONGEST_ENDING = 1000

/** What the task is to be is written first, and is of no account while it is ended: to put it back is what counts. */
export const retry = async (parts: RetryingParts, id: string, fresh: FreshAttempts): Promise<Retried> => {
  /** As it was when it was queued again without having been ended. */
  let revived: Reading | undefined
  for (const giveUpAt = Date.now() + LONGEST_ENDING; ; await sleep(20)) {
    const found = await parts.book.find(id)
    if (!found) return undefined
    const { job, task } = found
    if (revived && isUnderWay(revived, found, giveUpAt)) return task
    if (!isFinished(task.status)) {
      if (revived) continue
      return 'not-ended'
    }
    if (task.status === 'succeeded') return 'succeeded'
    if (job.ending) return putBack(parts, found, fresh)
    // It is over, and nobody wrote that yet. Unless somebody is about to, it still waits in its queue.
    if (!standingOf(job).isActive && (await revive(parts, found, fresh))) revived = found
    if (Date.now() > giveUpAt)
      throw new EngineUnavailable(`Task ${id} is being ended, which takes long. Try again`)
  }
}

/**
 * Whether a task that was queued again goes on: it waits, or has run since. Who took it at that moment may have done so
 * before, to write that it is over: then it is ended as it was.
 */
const isUnderWay = (before: Reading, { job, task }: Reading, giveUpAt: number): boolean => {
  if (isFinished(task.status)) return task.revision !== before.task.revision
  return job.claims === before.job.claims || Date.now() > giveUpAt
}

/** Milliseconds after which whoever began to queue a task again is taken for dead. */
const LONGEST_RETRY = 10_000

/** Of many who saw the task ended, one queues it again; it may have ended once more when the next one comes. */
const putBack = async (parts: RetryingParts, found: Reading, fresh: FreshAttempts): Promise<Retried> => {
  const { place, book } = parts
  const key = `retry ${found.job.id}`
  const mine = `${crypto.randomUUID()} ${Date.now()}`
  let held = await place.claimKey(key, mine)
  if (held !== mine && Date.now() - Number(held.split(' ')[1]) > LONGEST_RETRY)
    held = await place.claimKey(key, mine, held)
  if (held !== mine) return 'not-ended'
  try {
    const now = await book.find(found.job.id)
    if (!now?.job.ending || now.job.claims !== found.job.claims) return now ? 'not-ended' : undefined
    return await putBackAlone(parts, now, fresh)
  } finally {
    await place.freeKey(key, mine)
  }
}

const putBackAlone = async (
  { place, book }: RetryingParts,
  found: Reading,
  fresh: FreshAttempts,
): Promise<Retried> => {
  const { job } = found
  const data = revivedData(found, fresh)
  if (!(await book.write(job, data))) return undefined
  const done = await place.putBack(job, job.ending && 'task' in job.ending ? 'completed' : 'failed')
  if (done === 'unknown') return undefined
  if (done === 'not-ended') return 'not-ended'
  return storedTaskOf({ ...job, data, ending: undefined, claimedAt: undefined }, Date.now())
}

/** The next reading tells whether that came before somebody took it. */
const revive = async (
  { place, book }: RetryingParts,
  found: Reading,
  fresh: FreshAttempts,
): Promise<boolean> => {
  const isWritten = await book.write(found.job, revivedData(found, fresh))
  await place.promote(found.job)
  return isWritten
}

const revivedData = ({ job, task }: Reading, { attempts, deadline }: FreshAttempts): JobData => {
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
  const { left, back } = standingOf(job)
  // BullMQ ended it of its own accord, which gave a claim up.
  return { left: job.ending ? left + 1 : left, back }
}
