/** What a host holds of a task that it took, and what it writes when it gives it up. */
import type { StoredTask } from '../../stored-task.ts'
import { FORMAT, type Job, type JobEnding, type JobHistory } from './job.ts'
import type { Standing } from './standing.ts'
import { endingRevision } from './stored-task-of.ts'

/** Proves to BullMQ that the task is still this host's. */
export interface Lease {
  /** The one that it was taken with. */
  readonly token: string
  /** As it was taken. */
  readonly job: Job
  readonly standing: Standing
  /** How often it told of its progress. */
  said: number
  /** Whether it is known to be held by the token that a request to stop put there. */
  isAsked: boolean
}

/** The end of a task. `revision`: of one that was over before it was taken. */
export const endingOf = ({ job, standing }: Lease, next: StoredTask, revision?: number): JobEnding => {
  const { attempt, maxAttempts, attempts, status, startedAt, finishedAt, expiresAt } = next
  const { progress, result, error, cancelRequested } = next
  return {
    v: FORMAT,
    left: standing.left + 1,
    back: job.claims - attempt,
    task: {
      status,
      attempt,
      maxAttempts,
      attempts,
      ...(startedAt === undefined ? {} : { startedAt }),
      ...(finishedAt === undefined ? {} : { finishedAt }),
      ...(expiresAt === undefined ? {} : { expiresAt }),
      ...(progress === undefined ? {} : { progress }),
      ...(result === undefined ? {} : { result }),
      ...(error === undefined ? {} : { error }),
      ...(cancelRequested === undefined ? {} : { cancelRequested }),
      revision: revision ?? endingRevision(job, standing),
    },
  }
}

/** The history of a task that is queued for another attempt, or given back. */
export const historyOf = ({ job, standing }: Lease, next: StoredTask): JobHistory => ({
  left: standing.left + 1,
  back: job.claims - next.attempt,
  claims: job.claims,
  ...(next.startedAt === undefined ? {} : { startedAt: next.startedAt }),
  ...(next.runAt === undefined ? {} : { runAt: next.runAt }),
  attempts: next.attempts,
})
