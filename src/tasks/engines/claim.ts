/** One running attempt, as the host gets it. */
import type { TaskLog } from '../../protocol/task.ts'
import type { Claim, TaskPolicy } from '../engine.ts'
import type { StoredTask } from '../stored-task.ts'
import type { Report } from '../store.ts'

/** A running attempt, and the means to stop it. */
export interface ActiveClaim extends Claim {
  readonly attempt: number
  readonly stop: AbortController
  /** The process stops: an attempt that fails of it is not to blame. */
  givenBack: boolean
}

/** Why an attempt is to stop. */
export type StopName = 'Cancelled' | 'DEADLINE_EXCEEDED' | 'Draining' | 'LeaseLost'

const STOP_MESSAGES: Record<StopName, string> = {
  Cancelled: 'The task was cancelled',
  DEADLINE_EXCEEDED: `The task's deadline passed`,
  Draining: 'The process is shutting down',
  LeaseLost: 'The task may run on another host now',
}

/** The reason of an aborted signal: its name tells why. */
export const stopReason = (name: StopName): Error => Object.assign(new Error(STOP_MESSAGES[name]), { name })

/** Where an attempt's reports go. */
export interface ClaimEvents {
  progress(progress: unknown): void
  log(log: TaskLog): void
  readonly report: Report
}

/** A claim on a task that was written as running. Its methods need no `this`: hosts hand them on. */
export const createClaim = (task: StoredTask, policy: TaskPolicy, events: ClaimEvents): ActiveClaim => {
  const stop = new AbortController()
  return {
    task,
    policy,
    attempt: task.attempt,
    stop,
    signal: stop.signal,
    givenBack: false,
    progress: (progress) => {
      const problem = jsonProblem(progress)
      if (problem === undefined) events.progress(progress)
      else
        events.report(
          `Progress of task ${task.id} (${task.procedure}) is left out, for JSON can't hold it`,
          problem,
        )
    },
    log: (log) => events.log(log),
  }
}

/** Progress becomes part of the record: one bad report must not keep the task from being written. */
const jsonProblem = (value: unknown): unknown => {
  try {
    JSON.stringify(value)
    return undefined
  } catch (error) {
    return error
  }
}
