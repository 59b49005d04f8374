/**
 * Counts calls with rate-limiter-flexible: in this process, or in a Redis that several share. The only file that imports
 * it, and only when there is a rate to keep.
 */
import type { RateLimiterAbstract, RateLimiterRes } from 'rate-limiter-flexible'
import type { ParsedRate, RateCounter, RateState } from '../procedures/rate.ts'

/** A Redis or Valkey client: of node-redis, ioredis, or like them. */
export interface RedisLike {
  /** node-redis says so. */
  readonly isReady?: boolean
  /** ioredis says so. */
  readonly status?: string
}

/** Where calls are counted that several processes share. */
export interface SharedCounts {
  /** Rejects with what is wrong. */
  connect(): Promise<RedisLike>
  close(): Promise<void>
  /** Told when it can't be reached any more: for a while each process counts for itself. */
  away(error: unknown): void
}

/** A call waits no longer for a count, in ms. */
const PATIENCE = 1000
/** How long it is left alone after that, in ms. */
const PAUSE = 5000

type Library = typeof import('rate-limiter-flexible')

const load = async (): Promise<Library> => {
  try {
    return await import('rate-limiter-flexible')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new Error(
      'A rate limit needs the package rate-limiter-flexible, which is not installed:\n\n' +
        '  npm install rate-limiter-flexible@^11.4.0\n',
      { cause: error },
    )
  }
}

/** Where the calls of one rate are counted. */
interface Limiters {
  readonly own: RateLimiterAbstract
  readonly shared: RateLimiterAbstract | undefined
}

const toState = (exceeded: boolean, { remainingPoints, msBeforeNext }: RateLimiterRes): RateState => ({
  exceeded,
  left: remainingPoints,
  resetsIn: msBeforeNext,
})

// It rejects with an Error when counting failed, and with the state when there were too many.
const consume = (limiter: RateLimiterAbstract, caller: string): Promise<RateState> =>
  limiter.consume(caller).then(
    (state) => toState(false, state),
    (thrown: unknown) => {
      if (thrown instanceof Error) throw thrown
      return toState(true, thrown as RateLimiterRes)
    },
  )

const inTime = <T>(promise: Promise<T>): Promise<T> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${PATIENCE} ms`)), PATIENCE)
  })
  return Promise.race([promise, late]).finally(() => clearTimeout(timer))
}

/** The counters of one app. */
export class RateCounters {
  readonly #shared: SharedCounts | undefined
  #opening: Promise<{ readonly library: Library; readonly redis: RedisLike | undefined }> | undefined
  #awayUntil = -Infinity

  constructor(shared?: SharedCounts) {
    this.#shared = shared
  }

  /** Loads what is needed and connects. Rejects with what is missing. */
  async open(): Promise<void> {
    await this.#open()
  }

  /** The counter of a rate; `name` tells it from others, here and in other processes. */
  counter(name: string, rate: ParsedRate): RateCounter {
    let made: Limiters | undefined
    return { hit: async (caller) => this.#hit((made ??= await this.#limiters(name, rate)), caller) }
  }

  async close(): Promise<void> {
    if (await this.#opening?.catch(() => undefined)) await this.#shared?.close()
  }

  async #hit({ own, shared }: Limiters, caller: string): Promise<RateState> {
    if (!shared || performance.now() < this.#awayUntil) return consume(own, caller)
    try {
      return await inTime(consume(shared, caller))
    } catch (error) {
      this.#awayUntil = performance.now() + PAUSE
      this.#shared?.away(error)
      return consume(own, caller)
    }
  }

  #open() {
    return (this.#opening ??= Promise.all([load(), this.#shared?.connect()]).then(
      ([library, redis]) => ({ library, redis }),
      (error: unknown) => {
        // The next one tries again.
        this.#opening = undefined
        throw error
      },
    ))
  }

  async #limiters(name: string, { times, seconds }: ParsedRate): Promise<Limiters> {
    const { library, redis } = await this.#open()
    const options = { points: times, duration: seconds, keyPrefix: `errand:rate:${name}` }
    const own = new library.RateLimiterMemory(options)
    if (!redis) return { own, shared: undefined }
    const useRedisPackage = redis.isReady !== undefined
    const shared = new library.RateLimiterRedis({
      ...options,
      storeClient: redis,
      useRedisPackage,
      rejectIfRedisNotReady: true,
    })
    return { own, shared }
  }
}
