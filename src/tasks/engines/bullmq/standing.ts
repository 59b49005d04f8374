/** Where a job stands, told from BullMQ's own counters: a pure reading, the same on every host. */
import type { StoredAttempt, StoredError } from '../../stored-task.ts'
import { TASK_ERROR_CODES } from '../../../protocol/errors.ts'
import type { Job, JobHistory } from './job.ts'
import { TIMING } from './timing.ts'

/** What the counters say. */
export interface Standing extends JobHistory {
  readonly isActive: boolean
  /** It was taken when all attempts were used: only to be ended. */
  readonly isBeyond: boolean
  /** How many attempts have begun. */
  readonly attempt: number
  /** All of them, the running one last. */
  readonly attempts: readonly StoredAttempt[]
  /** Whether the last ended one was lost with its host, and nobody has acted on that yet. */
  readonly isLost: boolean
}

const NOTHING: JobHistory = { left: 0, back: 0, claims: 0, attempts: [] }

/** The later of what workers wrote and what a retry by hand wrote. */
const latest = ({ history, data: { past } }: Job): JobHistory =>
  history && (!past || history.left > past.left) ? history : (past ?? NOTHING)

/** A job that has not ended. */
export const standingOf = (job: Job): Standing => {
  const known = latest(job)
  const isActive = job.claims > known.left + job.stalls
  const attempt = Math.min(job.claims - known.back, job.data.maxAttempts)
  const ended = [...known.attempts, ...lostAttempts(job, known, { attempt, isActive })]
  const attempts = isActive ? [...ended, { n: attempt, startedAt: job.claimedAt ?? Date.now() }] : ended
  const startedAt = known.startedAt ?? attempts[0]?.startedAt
  const isWaitingForRetry = known.runAt !== undefined && known.claims === job.claims
  return {
    left: known.left,
    back: known.back,
    claims: known.claims,
    ...(startedAt === undefined ? {} : { startedAt }),
    ...(isWaitingForRetry ? { runAt: known.runAt } : {}),
    isActive,
    isBeyond: job.claims - known.back > job.data.maxAttempts,
    attempt,
    attempts,
    isLost: ended.length > known.attempts.length,
  }
}

/**
 * Attempts that nobody wrote the end of. BullMQ keeps only the time of the latest claim: of an earlier one, which was
 * lost, it is known when it can have begun at the earliest. How long it went on nobody knows; it had its lease at least.
 */
const lostAttempts = (
  job: Job,
  { attempts }: JobHistory,
  { attempt, isActive }: Pick<Standing, 'attempt' | 'isActive'>,
): StoredAttempt[] => {
  const last = attempts.at(-1)
  const lost: StoredAttempt[] = []
  const ended = isActive ? attempt - 1 : attempt
  for (let n = (last?.n ?? 0) + 1; n <= ended; n++) {
    const earliest = lost.at(-1)?.startedAt ?? last?.finishedAt ?? job.data.runAt ?? job.data.createdAt
    const startedAt = n === attempt ? (job.claimedAt ?? earliest) : earliest
    const at = Math.trunc(startedAt)
    lost.push({ n, startedAt: at, finishedAt: at + TIMING.lease, error: LOST })
  }
  return lost
}

/** Why an attempt is lost whose host did not renew its lease. */
export const LOST_REASON = 'The host that ran it did not renew its lease: it was killed, cut off or stuck'

export const LOST: StoredError = {
  code: 'WORKER_LOST',
  status: TASK_ERROR_CODES.WORKER_LOST,
  message: 'The worker that ran the task died',
  internal: { name: 'WorkerLost', message: LOST_REASON },
}
