/** Task options, checked and with defaults: how an engine is to run the tasks of one procedure. */
import {
  ANY_DURATION,
  duration,
  FUNCTION,
  LONGEST_TIMER,
  oneOf,
  optionProblems,
  refuseProblems,
  show,
  wholeNumber,
  wrongOption,
  type Rule,
  type Rules,
} from '../config/option-rules.ts'
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
 * @throws TypeError with what is wrong with the options
 */
export const toPolicy = (options: TaskOptions, defaults: PolicyDefaults = {}): TaskPolicy => {
  refuseProblems('task options', taskOptionProblems(options))
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

const toOptionalMs = (time: Duration | undefined): number | undefined =>
  time === undefined ? undefined : toMilliseconds(time)

const NAMES: Rule = {
  holds: (value) => Array.isArray(value) && value.every((name) => typeof name === 'string' && name !== ''),
  expected: `a list of error codes or names, such as ['TIMEOUT', 'FetchError']`,
}
const OBJECT: Rule = {
  holds: (value) => typeof value === 'object' && value !== null && !Array.isArray(value),
  expected: 'an object, such as { attempts: 5 }',
}

const OPTION_RULES: Rules<TaskOptions> = {
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

const RETRY_RULES: Rules<RetryOptions> = {
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

/** What is wrong with task options, in sentences; whoever asks names the procedure. */
export const taskOptionProblems = (options: TaskOptions): string[] => {
  const { retry } = options
  const problems = optionProblems(options, OPTION_RULES)
  if (retry === undefined || !OBJECT.holds(retry)) return problems
  const ofRetry = optionProblems(retry, RETRY_RULES, 'retry.')
  return [...problems, ...ofRetry, ...(ofRetry.length === 0 ? waitProblems(retry) : [])]
}

const waitProblems = ({ initial, max }: RetryOptions): string[] =>
  initial === undefined || max === undefined || toMilliseconds(initial) <= toMilliseconds(max)
    ? []
    : [wrongOption('retry.max', max, `at least retry.initial, which is ${show(initial)}`)]
