/** What every engine takes, and what `createApp` gets as `tasks`. */
import {
  ANY_DURATION,
  optionProblems,
  refuseProblems,
  wholeNumber,
  type Rule,
  type Rules,
} from '../../config/option-rules.ts'
import { toMilliseconds, type Duration } from '../../protocol/duration.ts'
import type { Clock } from '../clock.ts'
import type { TaskEngine } from '../engine.ts'

/** Memory: MiB, or a number with a unit. */
export type Memory = number | `${number}${'mb' | 'gb'}`

/** Options of every engine. */
export interface EngineOptions {
  /** Worker threads, one task each. Default: as many as there are cores. */
  readonly threads?: number
  /** Child processes, one task each, made at first use. Default: as many as there are cores. */
  readonly processes?: number
  /** Tasks at once on the event loop. Default 50. */
  readonly inline?: number
  /**
   * The most that the heap of one worker may hold, in MiB or as `'512mb'`; a task that needs more loses its worker
   * (`WORKER_LOST`). Default: Node's own limit.
   */
  readonly memoryLimit?: Memory
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
  /** Of each worker, in MiB. */
  readonly memoryLimit?: number
  readonly queueLimit: number
  /** Milliseconds. */
  readonly drainGrace: number
  /** Where everything runs, whatever the procedures say. */
  readonly runOn?: 'inline'
  /** Whether a process may only start tasks and leave the work to others. */
  readonly multiHost: boolean
  /** The options that code gave. */
  readonly given?: object
  /** The same, with what was said outside the code for options that code left open. */
  configure?(outside: Readonly<Record<string, unknown>>): TasksOption
  /** Default: the system's. */
  readonly clock?: Clock
  /** For the jitter of retries. Default `Math.random`. */
  readonly random?: () => number
}

const MEBIBYTES: Readonly<Record<string, number>> = { mb: 1, gb: 1024 }

/** NaN for what is no amount of memory. */
const toMebibytes = (memory: unknown): number => {
  if (typeof memory === 'number') return memory
  const [, amount, unit = ''] = /^(\d+(?:\.\d+)?)(mb|gb)$/.exec(String(memory)) ?? []
  return Number(amount) * (MEBIBYTES[unit] ?? NaN)
}

// Below it no module with zod in it can be loaded; above it somebody meant bytes.
const MEMORY: Rule = {
  holds: (value) => toMebibytes(value) >= 32 && toMebibytes(value) <= 1024 ** 2,
  expected: `MiB from 32 up, or a text like '512mb' or '2gb'`,
}

const COUNT = wholeNumber(1, Infinity, 4)

/** What the options of every engine must be. */
export const ENGINE_RULES: Rules<EngineOptions> = {
  threads: COUNT,
  processes: COUNT,
  inline: COUNT,
  memoryLimit: MEMORY,
  queueLimit: COUNT,
  drainGrace: ANY_DURATION,
}

/** The options that an engine has, from outside where code doesn't say. What is for other engines is left. */
export const takeFrom = <T extends object>(
  outside: Readonly<Record<string, unknown>>,
  code: T,
  rules: Rules<T>,
): T => {
  const said = Object.entries(code).filter(([, value]) => value !== undefined)
  const names = Object.keys(rules).filter((name) => outside[name] !== undefined)
  return Object.fromEntries([...names.map((name) => [name, outside[name]]), ...said]) as T
}

/** What an engine says that was told of no server, in code or outside. */
export const needsConnection = (kind: string): TypeError =>
  new TypeError(
    `${kind}() has no connection: give it one, ${kind}({ connection }), or set tasks.connection in the configuration ` +
      '(ERRAND_TASKS_CONNECTION, or ERRAND_TASKS_CONNECTION_FILE for a file that has it)',
  )

/**
 * @param rules of all options that this engine takes
 * @throws TypeError that names each wrong option, its value and what was expected
 */
export const toSettings = (
  kind: string,
  options: EngineOptions,
  rules: Readonly<Record<string, Rule>>,
): Omit<TasksOption, 'create' | 'multiHost'> => {
  refuseProblems(`${kind}()`, optionProblems(options, rules))
  const { threads, processes, inline, memoryLimit, queueLimit = 100_000, drainGrace = '25s' } = options
  const sizes = Object.entries({ threads, processes, inline }).filter(([, value]) => value !== undefined)
  return {
    kind,
    executors: Object.fromEntries(sizes),
    ...(memoryLimit === undefined ? {} : { memoryLimit: Math.floor(toMebibytes(memoryLimit)) }),
    queueLimit,
    drainGrace: toMilliseconds(drainGrace),
  }
}
