/** What an app does against too much: the parts that hold its options. */
import { toRateLimit } from './app-protection-options.ts'
import type { AnyAppOptions } from './app-options.ts'
import type { Logger } from './observability/logger.ts'
import { toLimits, type Limits } from './config/limits.ts'
import { RateCounters, type RedisLike, type SharedCounts } from './middleware/rate-counters.ts'
import { isRate, parseRate } from './procedures/rate.ts'
import { addressKey } from './router/caller-address.ts'
import type { Entry } from './router/entries.ts'
import { ratedOf } from './router/guarded-call.ts'
import type { HttpRequest } from './router/http.ts'
import { EventLoopGauge, NO_PRESSURE, type PressureGauge } from './router/pressure.ts'
import { StreamLimit } from './router/stream-limit.ts'
import { Throttle } from './router/throttle.ts'

/** Counts in a Redis that is opened by its URL. */
const countsAt = (url: string, logger: Logger): SharedCounts => {
  let close = (): Promise<void> => Promise.resolve()
  return {
    connect: async () => {
      const { openRedis } = await import('./tasks/stores/redis/create.ts')
      const report = (message: string, error?: unknown, level: 'error' | 'warn' = 'error'): void =>
        logger[level](error === undefined ? {} : { err: error }, message)
      const opened = await openRedis(url, "rateLimit: { store: 'redis://…' }", report)
      close = opened.close
      return opened.client
    },
    close: () => close(),
    away: awayReporter(logger),
  }
}

const awayReporter = (logger: Logger) => (error: unknown) =>
  logger.warn(
    { err: error },
    'Calls are counted in each process for a while: the store of the rate limit does not answer',
  )

/** Counts with a client that is somebody else's to open and close. */
const countsOf = (client: RedisLike, logger: Logger): SharedCounts => ({
  connect: () => Promise.resolve(client),
  close: () => Promise.resolve(),
  away: awayReporter(logger),
})

const sharedCounts = (store: string | RedisLike | undefined, logger: Logger): SharedCounts | undefined => {
  if (store === undefined) return undefined
  return typeof store === 'string' ? countsAt(store, logger) : countsOf(store, logger)
}

/** The parts that hold the options. */
export class AppProtection {
  readonly limits: Limits
  readonly hops: number
  readonly streams: StreamLimit
  readonly pressure: PressureGauge
  /** There when anything has a rate. */
  readonly throttle: Throttle | undefined
  readonly #counters: RateCounters | undefined
  readonly #logger: Logger
  #warned = false

  constructor(options: AnyAppOptions, entries: readonly Entry[], logger: Logger) {
    this.#logger = logger
    this.limits = toLimits(options.limits ?? {})
    this.hops = options.trustProxy ?? 0
    this.streams = new StreamLimit(this.limits)
    const { eventLoopDelay } = this.limits
    this.pressure = eventLoopDelay === Infinity ? NO_PRESSURE : new EventLoopGauge(eventLoopDelay)
    const { limit, store } = toRateLimit(options)
    const all = isRate(limit) ? parseRate(limit) : undefined
    if (!all && !entries.some((entry) => ratedOf(entry).rate)) return
    const counters = new RateCounters(sharedCounts(store, logger))
    this.#counters = counters
    this.throttle = new Throttle((name, rate) => counters.counter(name, rate), all)
  }

  /** What a stranger is counted by: his address, as far as it can be believed. */
  readonly strangerKey = (request: HttpRequest): string => {
    const proxied = this.hops === 0 && !this.#warned && request.header('x-forwarded-for') !== undefined
    if (proxied) this.#warnOfProxy()
    return `address:${addressKey(request.remoteAddress)}`
  }

  /** Rejects when calls could not be counted. */
  async open(): Promise<void> {
    await this.#counters?.open()
  }

  async close(): Promise<void> {
    this.pressure.stop()
    await this.#counters?.close()
  }

  #warnOfProxy(): void {
    this.#warned = true
    const text =
      'Requests come with X-Forwarded-For, and trustProxy is 0: all callers behind a proxy count as one. ' +
      'Set trustProxy to the number of proxies before this process'
    this.#logger.warn({}, text)
  }
}
