/** Counts what is under way, to be waited for. */
import type { Clock } from '../clock.ts'

export class Crew {
  readonly #clock: Clock
  #size = 0
  #empty: PromiseWithResolvers<void> | undefined

  constructor(clock: Clock) {
    this.#clock = clock
  }

  join(): void {
    this.#size += 1
  }

  leave(): void {
    this.#size -= 1
    if (this.#size === 0) this.#empty?.resolve()
  }

  /** Whether all have left within so many ms. */
  async gone(ms: number): Promise<boolean> {
    if (this.#size === 0) return true
    this.#empty ??= Promise.withResolvers<void>()
    const late = Promise.withResolvers<void>()
    const timer = this.#clock.setTimer(late.resolve, ms)
    await Promise.race([this.#empty.promise, late.promise])
    this.#clock.clearTimer(timer)
    this.#empty = undefined
    return this.#size === 0
  }
}
