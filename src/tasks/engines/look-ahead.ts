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

/** An attempt that is out. */
export interface Out {
  readonly since: number
  /** How many were out when it was handed out. */
  readonly behind: number
  isBack: boolean
}

/** Watches how long attempts are out. */
export class LookAhead {
  readonly #reach: number
  /** The longest out first. Those that are back stay in it until they are the first. */
  readonly #out: Out[] = []
  #count = 0
  /** How long one attempt keeps all slots together from the next. Rises at once, falls slowly. In ms. */
  #pace = Infinity

  /** @param reach the most per slot */
  constructor(reach: number) {
    this.#reach = reach
  }

  begin(now: number): Out {
    const out = { since: now, behind: this.#count, isBack: false }
    this.#count += 1
    this.#out.push(out)
    return out
  }

  end(out: Out, now: number): void {
    out.isBack = true
    this.#count -= 1
    while (this.#out[0]?.isBack) this.#out.shift()
    // Those it waited behind took their share of the time that it was out.
    const pace = (now - out.since) / (out.behind + 1)
    this.#pace = pace > this.#pace || this.#pace === Infinity ? pace : this.#pace * 0.9 + pace * 0.1
  }

  /** How many more than there are slots may be out. */
  beyond(slots: number, now: number): number {
    if (this.#reach === 0 || this.#pace > SHORT) return 0
    const [longestOut] = this.#out
    if (longestOut && now - longestOut.since > SHORT) return 0
    return Math.min(this.#reach * slots, Math.floor(SHORT / this.#pace))
  }
}
