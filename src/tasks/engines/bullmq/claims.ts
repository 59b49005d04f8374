/** What becomes of a job that this host took: an attempt begins, or the task is over and that is written. */
import { isFinished } from '../../../protocol/task.ts'
import { expired, recovered, started, type EndingRules } from '../../lifecycle.ts'
import type { StoredTask } from '../../stored-task.ts'
import type { Taken } from '../fleet/shared-queue.ts'
import type { Job } from './job.ts'
import type { Lease } from './lease.ts'
import { LOST_REASON, standingOf } from './standing.ts'
import { before, storedTaskOf } from './stored-task-of.ts'

/** A claim as the lifecycle sees it. */
export type Claimed =
  | {
      readonly kind: 'begun'
      readonly taken: Taken & { readonly lease: Lease }
      /** What it was and what it became before that, when its last host was lost. */
      readonly recovery?: { readonly before: StoredTask; readonly after: StoredTask }
    }
  /** `revision` is set when everybody could see that it is over, and is what they saw. */
  | {
      readonly kind: 'over'
      /** As it was when it did not look like that yet. */
      readonly before: StoredTask
      readonly task: StoredTask
      readonly lease: Lease
      readonly revision?: number
    }

export const claimed = (job: Job, token: string, rules: EndingRules): Claimed => {
  const claimedAt = job.claimedAt ?? Date.now()
  // A claim that was long on its way may be of a task that everybody saw expire meanwhile.
  const now = Math.max(claimedAt, Date.now())
  const lease: Lease = { token, job, standing: standingOf(job), said: 0, isAsked: false }
  const waiting = storedTaskOf(before(job), now)
  if (isFinished(waiting.status)) {
    const over = { kind: 'over', before: { ...waiting, status: 'queued' }, task: waiting, lease } as const
    // Not by one that was asked to stop when it had been taken to be ended for another reason: it seemed to run.
    return isFinished(storedTaskOf(job, now).status) ? { ...over, revision: waiting.revision } : over
  }
  const lost = lostRun(job, waiting)
  const next = isLate(waiting, now)
    ? expired(waiting, waiting.deadlineAt as number, rules.keep)
    : lost
      ? recovered(lost, { now, rules, reason: LOST_REASON })
      : waiting
  if (isFinished(next.status)) return { kind: 'over', before: lost ?? waiting, task: next, lease }
  const taken = { task: started(next, claimedAt), lease }
  return lost ? { kind: 'begun', taken, recovery: { before: lost, after: next } } : { kind: 'begun', taken }
}

const isLate = ({ deadlineAt = Infinity }: StoredTask, now: number): boolean => deadlineAt <= now

/** The task as it ran on a host that was lost: whether that is worth another attempt is only known here. */
const lostRun = (job: Job, waiting: StoredTask): StoredTask | undefined =>
  standingOf(before(job)).isLost ? { ...waiting, status: 'running' } : undefined
