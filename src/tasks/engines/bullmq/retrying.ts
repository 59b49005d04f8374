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

export const retry = async (parts: RetryingParts, id: string, fresh: FreshAttempts): Promise<Retried> => {
  for (const giveUpAt = Date.now() + LONGEST_ENDING; ; await sleep(20)) {
    const found = await parts.book.find(id)
    if (!found) return undefined
    const { job, task } = found
    if (!isFinished(task.status)) return 'not-ended'
    if (task.status === 'succeeded') return 'succeeded'
    if (job.ending) return putBack(parts, found, fresh)
    // It is over, and nobody wrote that yet. Unless somebody is about to, it still waits in its queue.
    const revived = standingOf(job).isActive ? undefined : await revive(parts, found, fresh)
    if (revived) return revived
    if (Date.now() > giveUpAt)
      throw new EngineUnavailable(`Task ${id} is being ended, which takes long. Try again`)
  }
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

/** What the task is to be is written first, and is of no account while it is ended: to put it back is what counts. */
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

/** Undefined when somebody took it since it was found: whoever takes it from now on sees that it is to run. */
const revive = async (
  { place, book }: RetryingParts,
  found: Reading,
  fresh: FreshAttempts,
): Promise<StoredTask | undefined> => {
  const data = revivedData(found, fresh)
  if (!(await book.replace(found, data))) return undefined
  await place.promote(found.job)
  return storedTaskOf({ ...found.job, data }, Date.now())
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

const pastOf = (job: Job, { attempt, attempts, startedAt }: StoredTask): JobPast => {
  const { claims, data } = job
  return {
    left: leftOf(job),
    // Those that were made only to end it, and were lost before that, are among them.
    back: claims - attempt,
    claims,
    attempts,
    ...(startedAt === undefined ? {} : { startedAt }),
    retries: (data.past?.retries ?? 0) + 1,
  }
}

/** BullMQ gives a claim up too when it ends a job of its own accord. */
const leftOf = (job: Job): number => {
  if (job.ending && 'task' in job.ending) return job.ending.left
  const { left } = standingOf(job)
  return job.ending ? left + 1 : left
}
