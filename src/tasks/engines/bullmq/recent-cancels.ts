/** Cancels that were heard of lately: one may come while the task it is for is still being taken. */

/** Ids that are remembered; a take is over long before there are so many more. */
const REMEMBERED = 1000

export class RecentCancels {
  readonly #ids = new Set<string>()

  add(id: string): void {
    this.#ids.delete(id)
    this.#ids.add(id)
    if (this.#ids.size > REMEMBERED) this.#ids.delete(this.#ids.values().next().value as string)
  }

  has(id: string): boolean {
    return this.#ids.has(id)
  }
}
