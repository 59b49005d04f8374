/** Task options, checked and with defaults: how an engine is to run the tasks of one procedure. */
import { toMilliseconds, type Duration } from '../protocol/duration.ts'
import type { RetryOptions, RunOn, TaskOptions } from '../procedures/task-options.ts'
import type { TaskPolicy } from './engine.ts'
import { GROWTH, toBackoff } from './retry.ts'

/** How long the record of an ended task is kept where its procedure says nothing or is unknown here. */
export const DEFAULT_KEEP: Duration = '7d'

/** What an app or a test sets for all its procedures. */
export interface PolicyDefaults {
  /** Where everything runs, whatever the options say. */
  readonly runOn?: RunOn
  /** For the jitter of retries. */
  readonly random?: () => number
}

/**
 * The policy of a procedure.
 * @throws TypeError that names the option, its value and what was expected; the caller names the procedure
 */
export const toPolicy = (options: TaskOptions, defaults: PolicyDefaults = {}): TaskPolicy => {
  checkOptions(options)
  const retry = options.retry ?? {}
  return {
    maxAttempts: retry.attempts ?? 3,
    backoff: toBackoff(retry, defaults.random),
    retryOn: new Set(retry.retryOn),
    neverRetryOn: new Set(retry.neverRetryOn),
    timeout: toOptionalMs(options.timeout),
    deadline: toOptionalMs(options.deadline),
    // The executor's slots bound it anyway.
    concurrency: options.concurrency ?? Infinity,
    runOn: defaults.runOn ?? options.runOn ?? 'threads',
    keep: toMilliseconds(options.keep ?? DEFAULT_KEEP),
    onCrash: options.onCrash ?? 'retry',
    cancelGrace: toMilliseconds(options.cancelGrace ?? '5s'),
  }
}

const toOptionalMs = (duration: Duration | undefined): number | undefined =>
  duration === undefined ? undefined : toMilliseconds(duration)

/** What an option must be: a test, and the words for it. */
interface Rule {
  readonly holds: (value: unknown) => boolean
  readonly expected: string
}

const oneOf = (...words: readonly string[]): Rule => ({
  holds: (value) => words.includes(value as string),
  expected: `one of ${words.map((word) => `'${word}'`).join(', ')}`,
})

const wholeNumber = (from: number, to: number, example: number): Rule => ({
  holds: (value) => Number.isInteger(value) && (value as number) >= from && (value as number) <= to,
  expected: `a whole number from ${from} to ${to}, such as ${example}`,
})

const milliseconds = (value: unknown): number => {
  try {
    return toMilliseconds(value as Duration)
  } catch {
    return NaN
  }
}

/** Node's timers hold 31 bits: a longer one fires at once. */
const LONGEST_TIMER = 2 ** 31 - 1

const duration = (from: number, to: number, expected: string): Rule => ({
  holds: (value) => milliseconds(value) >= from && milliseconds(value) <= to,
  expected: `${expected}: milliseconds or a text like '250ms', '10s', '5m', '2h', '7d'`,
})

const ANY_DURATION = duration(0, Infinity, 'a duration')
const NAMES: Rule = {
  holds: (value) => Array.isArray(value) && value.every((name) => typeof name === 'string' && name !== ''),
  expected: `a list of error codes or names, such as ['TIMEOUT', 'FetchError']`,
}
const FUNCTION: Rule = { holds: (value) => typeof value === 'function', expected: 'a function' }
const OBJECT: Rule = {
  holds: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  expected: 'an object, such as { attempts: 5 }',
}

const OPTION_RULES: Record<keyof TaskOptions, Rule> = {
  retry: OBJECT,
  timeout: duration(1, LONGEST_TIMER, 'a duration from 1 ms to 24.8 days (leave it out for no limit)'),
  deadline: duration(1, Infinity, 'a duration of at least 1 ms (leave it out for no limit)'),
  concurrency: wholeNumber(1, 1_000_000, 4),
  priority: wholeNumber(-100, 100, 10),
  runOn: oneOf('threads', 'processes', 'inline'),
  mode: oneOf('caller', 'always'),
  keep: ANY_DURATION,
  onCrash: oneOf('retry', 'fail'),
  cancelGrace: duration(0, LONGEST_TIMER, 'a duration up to 24.8 days'),
  idempotencyKey: FUNCTION,
  carry: FUNCTION,
}

const RETRY_RULES: Record<keyof RetryOptions, Rule> = {
  attempts: wholeNumber(1, 1000, 3),
  backoff: oneOf(...Object.keys(GROWTH)),
  initial: ANY_DURATION,
  max: ANY_DURATION,
  jitter: {
    holds: (value) => typeof value === 'number' && value >= 0 && value <= 1,
    expected: 'a number from 0 to 1, such as 0.2',
  },
  retryOn: NAMES,
  neverRetryOn: NAMES,
}

const checkOptions = (options: TaskOptions): void => {
  check(options, OPTION_RULES, '')
  if (options.retry === undefined) return
  check(options.retry, RETRY_RULES, 'retry.')
  checkWaits(options.retry)
}

const check = (options: object, rules: Record<string, Rule>, prefix: string): void => {
  for (const [name, value] of Object.entries(options)) {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined
    if (!rule) throw new TypeError(unknownOption(prefix + name, Object.keys(rules)))
    if (value !== undefined && !rule.holds(value))
      throw new TypeError(wrongOption(prefix + name, value, rule.expected))
  }
}

const checkWaits = ({ initial, max }: RetryOptions): void => {
  if (initial === undefined || max === undefined || toMilliseconds(initial) <= toMilliseconds(max)) return
  throw new TypeError(wrongOption('retry.max', max, `at least retry.initial, which is ${show(initial)}`))
}

const wrongOption = (name: string, value: unknown, expected: string): string =>
  `option ${name} is ${show(value)}, expected ${expected}`

const unknownOption = (name: string, known: readonly string[]): string =>
  `option ${name} is unknown, expected one of ${known.join(', ')}`

const show = (value: unknown): string =>
  typeof value === 'function' || typeof value === 'bigint'
    ? String(value)
    : (JSON.stringify(value) ?? String(value))
