/** How much one request, one caller and all of them together may take: options, what they are by default, and rules. */
import { toMilliseconds, type Duration } from '../protocol/duration.ts'
import {
  duration,
  LONGEST_TIMER,
  optionProblems,
  wholeNumber,
  wrongOption,
  type Rules,
} from './option-rules.ts'

/** Option `limits` of `createApp`. */
export interface LimitOptions {
  /** Longest URL, in characters; a longer one is 414. Default 8192. */
  readonly url?: number
  /** Most fields in a query string; more are 414. Default 1000. */
  readonly queryFields?: number
  /** Most headers of a request; more are 431. Default 100. */
  readonly headers?: number
  /** Largest head of a request, its URL and headers, in bytes; a larger one is 431. Default 16 KiB. */
  readonly headerSize?: number
  /** Longest time for the headers of a request to come; then 408. Default `'15s'`. */
  readonly headersTimeout?: Duration
  /** Longest time for a whole request to come; then 408. Default `'2m'`. */
  readonly requestTimeout?: Duration
  /** How long a caller may take nothing of his answer; then his connection ends. Default `'1m'`. */
  readonly answerTimeout?: Duration
  /** How long a connection is kept for its next request. Default `'5s'`; behind a proxy, longer than the proxy's own. */
  readonly keepAliveTimeout?: Duration
  /** Most connections to a server; more get a 503. Default 10,000. */
  readonly connections?: number
  /** Most connections from one address; more get a 429. Default: as many as there may be, for a proxy is one address. */
  readonly connectionsPerAddress?: number
  /** Most streams of events (subscriptions, watchers of tasks) at once; more get a 503. Default 8000. */
  readonly streams?: number
  /** Most streams of one owner, or of one address where there is none; more get a 429. Default 2000. */
  readonly streamsPerCaller?: number
  /**
   * While the event loop is late by more than this, new calls get a 503; `false` never refuses any. Default `'500ms'`,
   * and `false` in the profile `test`.
   */
  readonly eventLoopDelay?: Duration | false
}

/** Limits in force; times in milliseconds. */
export type Limits = { readonly [K in keyof Required<LimitOptions>]: number }

const MOST = 10_000_000

// A check that comes at least every millisecond would be all that a server does.
const time = (example: string) =>
  duration(10, LONGEST_TIMER, `a duration from 10 ms to 24 days, such as '${example}'`)

const LATE = time('500ms')

/** What each must be. */
export const LIMIT_RULES: Rules<LimitOptions> = {
  url: wholeNumber(16, 1_000_000, 8192),
  queryFields: wholeNumber(0, 1_000_000, 1000),
  headers: wholeNumber(4, 10_000, 100),
  headerSize: wholeNumber(256, 10_000_000, 16_384),
  headersTimeout: time('15s'),
  requestTimeout: time('2m'),
  answerTimeout: time('1m'),
  keepAliveTimeout: time('5s'),
  connections: wholeNumber(1, MOST, 10_000),
  connectionsPerAddress: wholeNumber(1, MOST, 100),
  streams: wholeNumber(0, MOST, 8000),
  streamsPerCaller: wholeNumber(0, MOST, 2000),
  eventLoopDelay: {
    holds: (value) => value === false || LATE.holds(value),
    expected: `false, or ${LATE.expected}`,
  },
}

const fill = (options: LimitOptions): Limits => {
  const { headersTimeout = '15s', requestTimeout = '2m', keepAliveTimeout = '5s' } = options
  const { answerTimeout = '1m', connections = 10_000, eventLoopDelay = '500ms' } = options
  return {
    url: options.url ?? 8192,
    queryFields: options.queryFields ?? 1000,
    headers: options.headers ?? 100,
    headerSize: options.headerSize ?? 16_384,
    headersTimeout: toMilliseconds(headersTimeout),
    requestTimeout: toMilliseconds(requestTimeout),
    answerTimeout: toMilliseconds(answerTimeout),
    keepAliveTimeout: toMilliseconds(keepAliveTimeout),
    connections,
    connectionsPerAddress: options.connectionsPerAddress ?? connections,
    streams: options.streams ?? 8000,
    streamsPerCaller: options.streamsPerCaller ?? 2000,
    eventLoopDelay: eventLoopDelay === false ? Infinity : toMilliseconds(eventLoopDelay),
  }
}

/** What must be true of two of them. */
const togetherProblems = (options: LimitOptions): string[] => {
  const { url, headerSize, headersTimeout, requestTimeout } = fill(options)
  return [
    ...(url < headerSize
      ? []
      : [wrongOption('limits.url', url, 'less than limits.headerSize, which it is part of')]),
    ...(headersTimeout <= requestTimeout
      ? []
      : [
          wrongOption(
            'limits.headersTimeout',
            options.headersTimeout ?? '15s',
            'no more than limits.requestTimeout',
          ),
        ]),
  ]
}

/** What is wrong with the option `limits`, in sentences. */
export const limitProblems = (options: LimitOptions): string[] => {
  const problems = optionProblems(options, LIMIT_RULES, 'limits.')
  return problems.length > 0 ? problems : togetherProblems(options)
}

/** The limits in force. */
export const toLimits = (options: LimitOptions): Limits =>
  // With options that are wrong nothing starts.
  fill(limitProblems(options).length > 0 ? {} : options)
