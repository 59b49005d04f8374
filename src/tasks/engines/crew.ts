/** Counts what is under way, to be waited for. */
export class Crew {
  #size = 0
  #empty: PromiseWithResolvers<void> | undefined

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
    const timer = setTimeout(late.resolve, ms)
    await Promise.race([this.#empty.promise, late.promise])
    clearTimeout(timer)
    this.#empty = undefined
    return this.#size === 0
  }
}
