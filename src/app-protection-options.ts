/** The options of an app against too much, checked. */
import { limitProblems, type LimitOptions } from './config/limits.ts'
import { optionProblems, wholeNumber, wrongOption, type Rules } from './config/option-rules.ts'
import type { RedisLike } from './middleware/rate-counters.ts'
import { isRate, RATE, type Rate } from './procedures/rate.ts'
import { isServerUrl, serverUrlProblem } from './tasks/stores/servers.ts'

/** How often a caller may call, and where that is counted. */
export interface RateLimitOptions {
  /** All calls of a caller together. Default: no limit but those of `meta.rateLimit`. */
  readonly limit?: Rate
  /**
   * Where calls are counted. Default: in each process. A Redis or Valkey by its URL, or a connected client of node-redis
   * or ioredis, counts for all processes.
   */
  readonly store?: string | RedisLike
}

/** Options against too much. */
export interface ProtectionOptions {
  /** How much one request, one caller and all of them together may take. */
  readonly limits?: LimitOptions
  /** How often a caller may call, such as `'1000/1m'`; `meta.rateLimit` for one procedure. */
  readonly rateLimit?: Rate | RateLimitOptions
  /**
   * How many proxies stand before this process, each of which adds an address to `X-Forwarded-For`. Default 0: the header
   * is not believed.
   */
  readonly trustProxy?: number
}

const isClient = (store: unknown): boolean => typeof (store as { eval?: unknown })?.eval === 'function'

const RATE_RULES: Rules<RateLimitOptions> = {
  limit: { holds: isRate, expected: RATE },
  // Looked into by itself: what is shown of it must not have a password in it.
  store: { holds: () => true, expected: 'a store' },
}

const RULES: Rules<ProtectionOptions> = {
  limits: { holds: () => true, expected: 'limits' },
  rateLimit: {
    holds: (value) => (typeof value === 'object' && value !== null) || isRate(value),
    expected: `${RATE}, or { limit, store }`,
  },
  trustProxy: wholeNumber(0, 100, 1),
}

const STORE = 'the URL of a Redis, such as redis://localhost:6379, or a connected client'

const storeProblems = ({ store }: RateLimitOptions): string[] => {
  if (store === undefined || isClient(store)) return []
  if (typeof store !== 'string') return [wrongOption('rateLimit.store', typeof store, STORE)]
  const problem = isServerUrl(store) ? serverUrlProblem(store) : `expected ${STORE}`
  return problem ? [`option rateLimit.store: ${problem}`] : []
}

/** The rate over all calls, and where calls are counted. */
export const toRateLimit = ({ rateLimit = {} }: ProtectionOptions): RateLimitOptions =>
  typeof rateLimit === 'string' ? { limit: rateLimit } : rateLimit

/** What is wrong with the options, in sentences. */
export const protectionProblems = ({ limits, rateLimit, trustProxy }: ProtectionOptions): string[] => {
  const rates = rateLimit !== null && typeof rateLimit === 'object' ? rateLimit : undefined
  return [
    ...optionProblems({ limits, rateLimit, trustProxy }, RULES),
    ...(limits ? limitProblems(limits) : []),
    ...(rates ? [...optionProblems(rates, RATE_RULES, 'rateLimit.'), ...storeProblems(rates)] : []),
  ]
}
