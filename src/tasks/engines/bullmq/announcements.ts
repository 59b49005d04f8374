/**
 * New tasks of this process, which it hears of by itself as soon as they are written. The event that tells all hosts of one
 * comes later, and would only make it ask again.
 */

/** Ids that are remembered: an event that never comes, as its server was killed, must not be waited for. */
const REMEMBERED = 10_000

/** Ids whose event is to come. */
export class Announcements {
  readonly #ids = new Set<string>()

  /** Before the task is written: its event may be here before the answer. */
  expect(id: string): void {
    this.#ids.add(id)
    if (this.#ids.size > REMEMBERED) this.#ids.delete(this.#ids.values().next().value as string)
  }

  /** Whether an event is of a task of this process; once. */
  take(id: string): boolean {
    return this.#ids.delete(id)
  }

  /** Events were missed: those that are expected still may be among them. */
  clear(): void {
    this.#ids.clear()
  }
}
