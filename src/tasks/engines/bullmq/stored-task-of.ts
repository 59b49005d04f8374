/** A job as a task record: derived anew at each reading, so that there is nothing that could disagree with BullMQ. */
import type { StoredTask } from '../../stored-task.ts'
import { cancelled, expired } from '../../lifecycle.ts'
import type { Job, JobEnding } from './job.ts'
import { LOST, standingOf, type Standing } from './standing.ts'

/** A revision has room for so many reports of progress between two changes. */
const REPORTS = 2 ** 20

/**
 * Milliseconds after its deadline that a queued task counts as ended before anybody wrote it: as much as the clocks of
 * two hosts may differ.
 */
const CLOCK_SLACK = 1000

/** The task that a job holds. */
export const storedTaskOf = (job: Job, now: number): StoredTask => {
  if (job.ending) return endedTask(job, job.ending)
  const standing = standingOf(job)
  if (isRunning(job, standing)) return runningTask(job, standing)
  const waiting = withoutEnders(job, standing)
  return waitingTask(waiting, standingOf(waiting), now)
}

/** How many of the claims of a job that has not ended were for an attempt, those that were given back included. */
export const attemptClaims = (job: Job): number => {
  const standing = standingOf(job)
  return isRunning(job, standing) ? job.claims : withoutEnders(job, standing).claims
}

const isRunning = (job: Job, standing: Standing): boolean => standing.isActive && !isTakenToEnd(job, standing)

/**
 * The job without those claims that were no attempts, for whoever made them saw that the task is over and only had to
 * write that down: the one that does so now, or those that were lost before they had.
 */
const withoutEnders = (job: Job, standing: Standing): Job => {
  const { claims } = job.data.cancel ?? {}
  if (claims !== undefined) return { ...job, claims, stalls: claims - standing.left }
  if (standing.isActive) return before(job)
  return isTooLate(job) && standing.isLost ? { ...before(job), stalls: job.stalls - 1 } : job
}

/** The job as it was before it was taken, though it was asked to stop since. */
export const before = (job: Job): Job => {
  const claims = job.claims - 1
  const { cancel } = job.data
  const asked = cancel && { cancel: { ...cancel, claims: Math.min(cancel.claims, claims) } }
  return { ...job, data: { ...job.data, ...asked }, claims, claimedAt: undefined }
}

/** The revision of the next ending: a cancel may still come before it. */
export const endingRevision = (job: Job, standing: Standing): number => revisionOf(job, standing, 2)

const isTakenToEnd = (job: Job, { isBeyond }: Standing): boolean =>
  job.claims > (job.data.cancel?.claims ?? Infinity) || isTooLate(job) || isBeyond

const isTooLate = ({ data, claimedAt = 0 }: Job): boolean => claimedAt >= (data.deadlineAt ?? Infinity)

/** A task that is known, as it ended. */
export const withEnding = (known: StoredTask, { task }: JobEnding): StoredTask => {
  const { runAt: _runAt, startedAt: _startedAt, progress: _progress, ...rest } = known
  const { cancelRequested: _cancelRequested, ...head } = rest
  return { ...head, ...task }
}

const endedTask = (job: Job, ending: NonNullable<Job['ending']>): StoredTask => {
  if ('task' in ending) return { ...headOf(job), ...ending.task }
  const { failedAt, reason } = ending
  const standing = standingOf(job)
  return {
    ...headOf(job),
    ...attemptsOf(job, standing),
    status: 'failed',
    error: { ...LOST, internal: { name: 'BullMQ', message: reason } },
    finishedAt: failedAt,
    expiresAt: failedAt + job.data.keep,
    revision: endingRevision(job, standing),
  }
}

const runningTask = (job: Job, standing: Standing): StoredTask => {
  const { progress, data, claims } = job
  const said = progress?.claim === claims ? progress : undefined
  return {
    ...headOf(job),
    ...attemptsOf(job, standing),
    status: 'running',
    ...(said ? { progress: said.value } : {}),
    ...(data.cancel ? { cancelRequested: true } : {}),
    revision: revisionOf(job, standing) + Math.min(said?.n ?? 0, REPORTS - 1),
  }
}

const waitingTask = (job: Job, standing: Standing, now: number): StoredTask => {
  const { cancel, deadlineAt = Infinity, keep } = job.data
  if (!cancel && deadlineAt + CLOCK_SLACK > now) return queuedTask(job, standing)
  // Without the time of its last claim, which one that is made to end it would change.
  const task = queuedTask(job, standingOf({ ...job, claimedAt: undefined }))
  return cancel
    ? { ...cancelled(task, endOf(task, cancel.at), cancel.keep), revision: task.revision }
    : expired(task, endOf(task, deadlineAt), keep)
}

/** No task ends before its last attempt. */
const endOf = ({ attempts }: StoredTask, at: number): number => Math.max(at, attempts.at(-1)?.finishedAt ?? 0)

const queuedTask = (job: Job, standing: Standing): StoredTask => {
  const runAt = job.claims === 0 ? job.data.runAt : standing.runAt
  return {
    ...headOf(job),
    ...attemptsOf(job, standing),
    status: 'queued',
    ...(runAt === undefined ? {} : { runAt }),
    revision: revisionOf(job, standing),
  }
}

const headOf = ({ id, procedure, data }: Job) => ({
  ...data.head,
  id,
  procedure,
  priority: data.priority,
  createdAt: data.createdAt,
  ...(data.deadlineAt === undefined ? {} : { deadlineAt: data.deadlineAt }),
})

const attemptsOf = ({ data }: Job, { attempt, attempts, startedAt }: Standing) => ({
  attempt,
  maxAttempts: data.maxAttempts,
  attempts,
  ...(startedAt === undefined ? {} : { startedAt }),
})

/** Every change raises one of these counts. */
const revisionOf = ({ claims, stalls, data }: Job, { left }: Standing, more = 0): number =>
  (1 + claims + left + stalls + (data.cancel ? 1 : 0) + 2 * (data.past?.retries ?? 0) + more) * REPORTS

/** Of a task that nobody has taken yet. */
export const FIRST_REVISION = REPORTS
