/** What every engine takes, and what `createApp` gets as `tasks`. */
import { toMilliseconds, type Duration } from '../../protocol/duration.ts'
import type { TaskEngine } from '../engine.ts'

/** Options of every engine. */
export interface EngineOptions {
  /** Worker threads, one task each. Default: as many as there are cores. */
  readonly threads?: number
  /** Child processes, one task each, made at first use. Default: as many as there are cores. */
  readonly processes?: number
  /** Tasks at once on the event loop. Default 50. */
  readonly inline?: number
  /** How many tasks may be queued; a start beyond it is refused with 503. Default 100,000. */
  readonly queueLimit?: number
  /** How long a shutdown waits for running tasks. Default `'25s'`. */
  readonly drainGrace?: Duration
}

/** Numbers of workers that were asked for; the app fills in the others. */
export interface ExecutorSizes {
  readonly threads?: number
  readonly processes?: number
  readonly inline?: number
}

/** Where tasks live, chosen and checked, but nothing opened. */
export interface TasksOption {
  readonly kind: string
  /** Makes an engine; opens nothing. Its code and its libraries are loaded here, not before. */
  create(): Promise<TaskEngine>
  readonly executors: ExecutorSizes
  readonly queueLimit: number
  /** Milliseconds. */
  readonly drainGrace: number
  /** Where everything runs, whatever the procedures say. */
  readonly runOn?: 'inline'
  /** Whether a process may only start tasks and leave the work to others. */
  readonly multiHost: boolean
}

/** @throws TypeError that names the option, its value and what was expected */
export const toSettings = (
  kind: string,
  options: EngineOptions,
): Pick<TasksOption, 'kind' | 'executors' | 'queueLimit' | 'drainGrace'> => {
  const { threads, processes, inline, queueLimit = 100_000, drainGrace = '25s' } = options
  const sizes = { threads, processes, inline }
  for (const [name, value] of Object.entries({ ...sizes, queueLimit })) checkCount(kind, name, value)
  return {
    kind,
    executors: Object.fromEntries(Object.entries(sizes).filter(([, value]) => value !== undefined)),
    queueLimit,
    drainGrace: toGrace(kind, drainGrace),
  }
}

const checkCount = (kind: string, name: string, value: unknown): void => {
  if (value === undefined || (Number.isInteger(value) && (value as number) >= 1)) return
  throw new TypeError(
    `${kind}(): option ${name} is ${JSON.stringify(value)}, expected a whole number from 1 up`,
  )
}

const toGrace = (kind: string, grace: Duration): number => {
  try {
    return toMilliseconds(grace)
  } catch (cause) {
    throw new TypeError(`${kind}(): option drainGrace: ${(cause as Error).message}`, { cause })
  }
}
