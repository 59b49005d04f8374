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
const SHORT = 4

/** Watches how long attempts are out. */
export class LookAhead {
  readonly #reach: number
  /** When each attempt that is out was handed out, the longest out first. */
  readonly #out = new Map<object, number>()
  /** Rises at once, falls slowly. */
  #typical = Infinity

  /** @param reach the most per slot */
  constructor(reach: number) {
    this.#reach = reach
  }

  begin(attempt: object, now: number): void {
    this.#out.set(attempt, now)
  }

  /** One that never began is left alone. */
  end(attempt: object, now: number): void {
    const begun = this.#out.get(attempt)
    if (begun === undefined) return
    this.#out.delete(attempt)
    const took = now - begun
    this.#typical =
      took > this.#typical || this.#typical === Infinity ? took : this.#typical * 0.9 + took * 0.1
  }

  /** How many more per slot. */
  perSlot(now: number): number {
    if (this.#reach === 0 || this.#typical > SHORT) return 0
    const [longestOut] = this.#out.values()
    if (longestOut !== undefined && now - longestOut > SHORT) return 0
    return Math.min(this.#reach, Math.floor(SHORT / this.#typical))
  }
}
