/**
 * What can happen to a task, as a table, and the only functions that make a changed task. All are pure; the
 * engine writes what they return before anybody acts on it or hears of it.
 *
 * Not in it: when a change happens (engine), whether an error is worth a retry (retry).
 */
import { TASK_ERROR_CODES, errorData, type TaskErrorCode } from '../protocol/errors.ts'
import { isFinished, type TaskStatus } from '../protocol/task.ts'
import type { TaskPolicy, TaskSpec } from './engine.ts'
import type { Outcome, OutcomeError } from './executor.ts'
import { isRetryable, retryDelay } from './retry.ts'
import type { StoredAttempt, StoredError, StoredTask } from './stored-task.ts'

/** The statuses that may follow each status. A finished task is queued again only by an explicit retry. */
export const NEXT_STATUS = {
  queued: ['running', 'cancelled', 'failed'],
  running: ['succeeded', 'failed', 'cancelled', 'queued'],
  succeeded: [],
  failed: ['queued'],
  cancelled: ['queued'],
} as const satisfies Record<TaskStatus, readonly TaskStatus[]>

/** Whether `from` may become `to`. */
export const isAllowed = (from: TaskStatus, to: TaskStatus): boolean =>
  (NEXT_STATUS[from] as readonly TaskStatus[]).includes(to)

/** The rules of a procedure that decide how its tasks end. */
export type EndingRules = Pick<TaskPolicy, 'backoff' | 'retryOn' | 'neverRetryOn' | 'onCrash' | 'keep'>

/** A new task. */
export const created = (spec: TaskSpec, now: number): StoredTask => {
  if (!(spec.maxAttempts >= 1))
    throw new RangeError(
      `A task of ${spec.procedure} has maxAttempts ${spec.maxAttempts}, expected 1 or more`,
    )
  return { ...spec, status: 'queued', attempt: 0, attempts: [], createdAt: now, revision: 1 }
}

/** Its next attempt begins. What the attempt before reported is no longer true. */
export const started = (task: StoredTask, now: number): StoredTask => {
  if (task.attempt >= task.maxAttempts)
    throw illegal(task, 'running', `all ${task.maxAttempts} attempts are used`)
  const attempt = task.attempt + 1
  return change(without(task, 'runAt', 'progress'), 'running', {
    attempt,
    attempts: [...task.attempts, { n: attempt, startedAt: now }].slice(-KEPT_ATTEMPTS),
    startedAt: task.startedAt ?? now,
  })
}

/** How many attempts a record lists, the latest ones: it is written whole at every change. */
export const KEPT_ATTEMPTS = 100

/** The running attempt reports how far it is. A stale attempt changes nothing. */
export const progressed = (task: StoredTask, attempt: number, progress: unknown): StoredTask =>
  isRunningAttempt(task, attempt) ? { ...task, progress, revision: task.revision + 1 } : task

/** A written change of a running task, with the progress that came while it was being written. */
export const withLateProgress = (written: StoredTask, latest: StoredTask): StoredTask =>
  written.status === 'running' && latest.attempt === written.attempt
    ? { ...written, progress: latest.progress, revision: Math.max(written.revision, latest.revision) + 1 }
    : written

/** The running attempt is asked to stop. */
export const cancelRequested = (task: StoredTask): StoredTask => {
  if (task.status !== 'running') throw illegal(task, 'running', 'only a running task can be asked to stop')
  return task.cancelRequested ? task : { ...task, cancelRequested: true, revision: task.revision + 1 }
}

/** A queued task is cancelled: it never runs. */
export const cancelled = (task: StoredTask, now: number, keep: number): StoredTask => {
  if (task.status !== 'queued') throw illegal(task, 'cancelled', 'a running task ends with its attempt')
  return finished(task, 'cancelled', { now, keep, error: taskError('CANCELLED', 'The task was cancelled') })
}

/** A queued task's deadline has passed. */
export const expired = (task: StoredTask, now: number, keep: number): StoredTask => {
  if (task.status !== 'queued') throw illegal(task, 'failed', 'a running task ends with its attempt')
  return finished(task, 'failed', { now, keep, error: deadlineError() })
}

/** An attempt ended. The outcome of a stale attempt returns the very same task. */
export const ended = (
  task: StoredTask,
  attempt: number,
  outcome: Outcome,
  { now, rules }: { readonly now: number; readonly rules: EndingRules },
): StoredTask => {
  if (!isRunningAttempt(task, attempt)) return task
  const { keep } = rules
  if (outcome.kind === 'value') return finished(task, 'succeeded', { now, keep, result: outcome.value })
  if (outcome.kind === 'returned') return task.cancelRequested ? stopped(task, now, keep) : returned(task)
  const error = outcome.kind === 'lost' ? lostError(outcome.reason) : outcome.error
  if (task.cancelRequested) return stopped(task, now, keep, error)
  return triedAgain(task, error, now, rules) ?? failed(task, error, now, keep)
}

/**
 * A running task whose process ended or stops: the attempt counts. It runs again at once, for nothing was
 * wrong.
 */
export const recovered = (
  task: StoredTask,
  { now, rules, reason }: { readonly now: number; readonly rules: EndingRules; readonly reason: string },
): StoredTask => {
  if (task.status !== 'running') throw illegal(task, 'queued', 'only a running attempt can be lost')
  const { keep } = rules
  const error = lostError(reason)
  if (task.cancelRequested) return stopped(task, now, keep, error)
  if (!hasAttemptsLeft(task) || !isRetryable(error, rules))
    return finished(task, 'failed', { now, keep, error })
  return change(task, 'queued', { attempts: closeAttempt(task, now, error) })
}

/**
 * A failed or cancelled task is queued again by hand, with fresh attempts and a fresh deadline; its history
 * stays.
 */
export const requeued = (
  task: StoredTask,
  now: number,
  { attempts, deadline }: { readonly attempts: number; readonly deadline: number | undefined },
): StoredTask => {
  if (!isFinished(task.status)) throw illegal(task, 'queued', 'it has not ended')
  const rest = without(
    task,
    'result',
    'error',
    'progress',
    'finishedAt',
    'expiresAt',
    'runAt',
    'deadlineAt',
    'cancelRequested',
  )
  return change(rest, 'queued', {
    maxAttempts: task.attempt + attempts,
    ...(deadline === undefined ? {} : { deadlineAt: now + deadline }),
  })
}

/** Whether this is the attempt that runs now: the fence against what a stale one still sends. */
export const isRunningAttempt = (task: StoredTask, attempt: number): boolean =>
  task.status === 'running' && task.attempt === attempt

const hasAttemptsLeft = (task: StoredTask): boolean => task.attempt < task.maxAttempts

/** Queued for another attempt, or undefined when there is to be none. */
const triedAgain = (
  task: StoredTask,
  error: OutcomeError,
  now: number,
  rules: EndingRules,
): StoredTask | undefined => {
  if (!hasAttemptsLeft(task) || !isRetryable(error, rules)) return undefined
  const runAt = now + retryDelay(error, task.attempt, rules.backoff)
  // To wait for a deadline that is sure to pass would only hide the error.
  if (task.deadlineAt !== undefined && runAt >= task.deadlineAt) return undefined
  return change(task, 'queued', {
    attempts: closeAttempt(task, now, error),
    ...(runAt > now ? { runAt } : {}),
  })
}

/** Past the deadline that is why it failed; what the attempt said stays in its entry. */
const failed = (task: StoredTask, error: OutcomeError, now: number, keep: number): StoredTask => {
  const next = finished(task, 'failed', { now, keep, error })
  return task.deadlineAt !== undefined && task.deadlineAt <= now ? { ...next, error: deadlineError() } : next
}

/** The attempt never began: it is taken back as if it had not been claimed. */
const returned = (task: StoredTask): StoredTask => {
  const attempt = task.attempt - 1
  const rest = attempt === 0 ? without(task, 'startedAt') : task
  return change(rest, 'queued', { attempt, attempts: task.attempts.slice(0, -1) })
}

/** A task that was asked to stop has stopped, whatever its handler made of it. */
const stopped = (task: StoredTask, now: number, keep: number, cause?: OutcomeError): StoredTask => {
  const attempts = closeAttempt(task, now, cause)
  const error = taskError('CANCELLED', 'The task was cancelled')
  return change(task, 'cancelled', { attempts, error, finishedAt: now, expiresAt: now + keep })
}

type Ending =
  | { readonly now: number; readonly keep: number; readonly result: unknown }
  | { readonly now: number; readonly keep: number; readonly error: OutcomeError }

const finished = (
  task: StoredTask,
  status: 'succeeded' | 'failed' | 'cancelled',
  ending: Ending,
): StoredTask => {
  const { now, keep, ...end } = ending
  const error = 'error' in end ? end.error : undefined
  return change(without(task, 'runAt'), status, {
    ...(error ? { error: toStoredError(error) } : end),
    ...(task.status === 'running' ? { attempts: closeAttempt(task, now, error) } : {}),
    finishedAt: now,
    expiresAt: now + keep,
  })
}

const closeAttempt = (task: StoredTask, now: number, error?: OutcomeError): readonly StoredAttempt[] =>
  task.attempts.map((attempt) =>
    attempt.n === task.attempt
      ? { ...attempt, finishedAt: now, ...(error ? { error: toStoredError(error) } : {}) }
      : attempt,
  )

/** `name` and `declared` only decide about retries. */
const toStoredError = ({ name: _name, declared: _declared, ...error }: OutcomeError): StoredError => error

const taskError = (code: TaskErrorCode, message: string): StoredError => errorData(code, message)

const deadlineError = (): StoredError =>
  taskError('DEADLINE_EXCEEDED', 'The deadline passed before the task ended')

const lostError = (reason: string): OutcomeError => ({
  code: 'WORKER_LOST',
  status: TASK_ERROR_CODES.WORKER_LOST,
  message: 'The worker that ran the task died',
  internal: { name: 'WorkerLost', message: reason },
})

const change = (task: StoredTask, status: TaskStatus, changes: Partial<StoredTask>): StoredTask => {
  if (!isAllowed(task.status, status)) throw illegal(task, status, 'see NEXT_STATUS')
  return { ...task, ...changes, status, revision: task.revision + 1 }
}

/** A copy without some fields; the task itself when it has none of them. */
const without = (task: StoredTask, ...names: readonly (keyof StoredTask)[]): StoredTask => {
  if (!names.some((name) => task[name] !== undefined)) return task
  const kept = Object.entries(task).filter(([name]) => !names.includes(name as keyof StoredTask))
  // Only optional fields are ever named.
  return Object.fromEntries(kept) as unknown as StoredTask
}

const illegal = (task: StoredTask, to: TaskStatus, why: string): Error =>
  new Error(`Task ${task.id} (${task.procedure}) can't become ${to} from ${task.status}: ${why}`)
