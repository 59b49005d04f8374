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
  | { readonly kind: 'begun'; readonly taken: Taken & { readonly lease: Lease } }
  /** `revision` is set when everybody could see that it is over. */
  | { readonly kind: 'over'; readonly task: StoredTask; readonly lease: Lease; readonly revision?: number }

export const claimed = (job: Job, token: string, rules: EndingRules): Claimed => {
  const now = job.claimedAt ?? Date.now()
  const lease: Lease = { token, job, standing: standingOf(job), said: 0 }
  const waiting = storedTaskOf(before(job), now)
  if (isFinished(waiting.status)) return { kind: 'over', task: waiting, lease, revision: waiting.revision }
  const next = isLate(waiting, now)
    ? expired(waiting, waiting.deadlineAt as number, rules.keep)
    : afterLoss(job, waiting, now, rules)
  if (isFinished(next.status)) return { kind: 'over', task: next, lease }
  return { kind: 'begun', taken: { task: started(next, now), lease } }
}

const isLate = ({ deadlineAt = Infinity }: StoredTask, now: number): boolean => deadlineAt <= now

/** Its host was lost: whether that is worth another attempt is only known here. */
const afterLoss = (job: Job, waiting: StoredTask, now: number, rules: EndingRules): StoredTask => {
  if (!standingOf(before(job)).isLost) return waiting
  const running: StoredTask = { ...waiting, status: 'running' }
  return recovered(running, { now, rules, reason: LOST_REASON })
}
