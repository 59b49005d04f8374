/**
 * How often a caller may call: all together, and each procedure with a rate of its own. What is left is told in the
 * headers of draft-ietf-httpapi-ratelimit-headers, on every door.
 */
import { errorData, type ErrorData } from '../protocol/errors.ts'
import { errorWithoutStack } from '../procedures/errors.ts'
import type { ParsedRate, RateCounter, RateState } from '../procedures/rate.ts'
import type { HttpRequest } from './http.ts'

/** Makes the counter of a rate; `name` tells it from those of others. */
export type MakeCounter = (name: string, rate: ParsedRate) => RateCounter

/** A procedure as far as its rate goes. */
export interface Rated {
  readonly path: string
  readonly rate?: ParsedRate | undefined
}

interface Policy {
  readonly name: string
  readonly rate: ParsedRate
  readonly counter: RateCounter
}

/** The name of the rate over all calls, in headers and in stores: no procedure can have it. */
const ALL = 'all-calls'

const seconds = (ms: number): number => Math.max(1, Math.ceil(ms / 1000))

const refusal = ({ name, rate }: Policy, { resetsIn }: RateState): ErrorData =>
  errorData(
    'TOO_MANY_REQUESTS',
    `Too many calls${name === ALL ? '' : ` of ${name}`}: ${rate.text} are allowed`,
    { retryAfter: seconds(resetsIn) },
  )

/** What a request has been told so far: a batch has many calls, and one head. */
class Told {
  readonly #policies = new Map<string, string>()
  readonly #states = new Map<string, string>()

  tell(request: HttpRequest, { name, rate }: Policy, { left, resetsIn }: RateState): void {
    this.#policies.set(name, `"${name}";q=${rate.times};w=${rate.seconds}`)
    this.#states.set(name, `"${name}";r=${left};t=${seconds(resetsIn)}`)
    request.responseHeaders.set('ratelimit-policy', [...this.#policies.values()].join(', '))
    request.responseHeaders.set('ratelimit', [...this.#states.values()].join(', '))
  }
}

/** Counts calls, and refuses those that are too many. */
export class Throttle {
  readonly #make: MakeCounter
  readonly #all: Policy | undefined
  readonly #byPath = new Map<string, Policy>()
  readonly #told = new WeakMap<HttpRequest, Told>()

  /** @param all the rate over all calls, if there is one */
  constructor(make: MakeCounter, all: ParsedRate | undefined) {
    this.#make = make
    this.#all = all && { name: ALL, rate: all, counter: make(ALL, all) }
  }

  /**
   * Counts a call.
   * @throws ProcedureError TOO_MANY_REQUESTS
   */
  async count(request: HttpRequest, caller: string, rated?: Rated): Promise<void> {
    if (this.#all) await this.#hit(this.#all, request, caller)
    if (rated?.rate) await this.#hit(this.#policyOf(rated.path, rated.rate), request, caller)
  }

  #policyOf(path: string, rate: ParsedRate): Policy {
    const known = this.#byPath.get(path) ?? { name: path, rate, counter: this.#make(path, rate) }
    this.#byPath.set(path, known)
    return known
  }

  async #hit(policy: Policy, request: HttpRequest, caller: string): Promise<void> {
    const state = await policy.counter.hit(caller)
    this.#toldOf(request).tell(request, policy, state)
    if (!state.exceeded) return
    request.responseHeaders.set('retry-after', String(seconds(state.resetsIn)))
    throw errorWithoutStack(refusal(policy, state))
  }

  #toldOf(request: HttpRequest): Told {
    const told = this.#told.get(request) ?? new Told()
    this.#told.set(request, told)
    return told
  }
}
