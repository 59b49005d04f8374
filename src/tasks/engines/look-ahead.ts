/**
 * How many attempts to hand to a worker beyond the one it runs. A claim is written before its handler runs,
 * so without look-ahead a worker would wait one commit for each task, however short. With it, a long task
 * would hold up those behind it. So it follows what was seen: none until tasks prove short, none the moment
 * one turns out long.
 */

/**
 * How long an attempt may be out, its wait in the worker included, for more to be handed out beside it. In
 * ms.
 */
const SHORT = 10

/** What is known of an attempt that is out. */
interface Out {
  readonly since: number
  /** How many were out when it was handed out. */
  readonly behind: number
}

/** Watches how long attempts are out. */
export class LookAhead {
  readonly #reach: number
  /** The longest out first. */
  readonly #out = new Map<object, Out>()
  /** How long one attempt keeps all slots together from the next. Rises at once, falls slowly. In ms. */
  #pace = Infinity

  /** @param reach the most per slot */
  constructor(reach: number) {
    this.#reach = reach
  }

  begin(attempt: object, now: number): void {
    this.#out.set(attempt, { since: now, behind: this.#out.size })
  }

  /** One that never began is left alone. */
  end(attempt: object, now: number): void {
    const out = this.#out.get(attempt)
    if (!out) return
    this.#out.delete(attempt)
    // Those it waited behind took their share of the time that it was out.
    const pace = (now - out.since) / (out.behind + 1)
    this.#pace = pace > this.#pace || this.#pace === Infinity ? pace : this.#pace * 0.9 + pace * 0.1
  }

  /** How many more than there are slots may be out. */
  beyond(slots: number, now: number): number {
    if (this.#reach === 0 || this.#pace > SHORT) return 0
    const [longestOut] = this.#out.values()
    if (longestOut !== undefined && now - longestOut.since > SHORT) return 0
    return Math.min(this.#reach * slots, Math.floor(SHORT / this.#pace))
  }
}
