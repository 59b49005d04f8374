/**
 * How long a host holds back when it hears of a task, since all others hear of it too: the less often it finds one, the
 * longer. Without it, each task would be asked for by every idle host, and a fleet ten times as large would cost its server
 * ten times as much for the same tasks.
 */

/** Milliseconds: an idle host asks about twenty times a second, however many tasks there are for others. */
const LONGEST = 100

/** By procedure, as they may have work on different hosts. */
export class HoldingBack {
  readonly #misses = new Map<string, number>()
  readonly #random: () => number

  constructor(random: () => number = Math.random) {
    this.#random = random
  }

  /** Milliseconds to wait before the next request: none after one that found something. */
  delay(procedure: string): number {
    const misses = this.#misses.get(procedure)
    return misses === undefined ? 0 : this.#random() * Math.min(2 ** misses, LONGEST)
  }

  /** What a request found. */
  asked(procedure: string, found: number): void {
    if (found > 0) this.#misses.delete(procedure)
    else this.#misses.set(procedure, (this.#misses.get(procedure) ?? 0) + 1)
  }
}
