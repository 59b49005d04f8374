/** Tasks in the order of their age, from which one may be taken without all others moving up. */
import type { Entry } from './entry.ts'

/** A place in the order of age. */
export type Place = Pick<Entry, 'createdAt' | 'id'>

const isOlder = (a: Place, b: Place): boolean =>
  a.createdAt < b.createdAt || (a.createdAt === b.createdAt && a.id < b.id)

/** For sorting: the oldest first. */
export const byAge = (a: Place, b: Place): number => Number(isOlder(b, a)) - Number(isOlder(a, b))

/** One line. Whoever left it stays in place until there are more of them than of the others. */
export class AgeLine {
  readonly #belongs: (entry: Entry) => boolean
  /** Oldest first. */
  #entries: Entry[] = []
  #size = 0

  /** @param belongs tells those in the line from those who left it */
  constructor(belongs: (entry: Entry) => boolean) {
    this.#belongs = belongs
  }

  /** How many are in the line. */
  get size(): number {
    return this.#size
  }

  /** Nearly always the newest comes last. */
  join(entry: Entry): void {
    this.#size += 1
    const newest = this.#entries[this.#entries.length - 1]
    if (!newest || isOlder(newest, entry)) this.#entries.push(entry)
    else this.#insert(entry)
  }

  /** One left: it no longer `belongs`. */
  leave(): void {
    this.#size -= 1
    if (this.#entries.length > 64 + 2 * this.#size) this.#entries = this.#entries.filter(this.#belongs)
  }

  /** From the newest on, or from the first that is older than a place. */
  *newestFirst(before?: Place): Generator<Entry, void> {
    for (let place = before ? this.#placeOf(before) : this.#entries.length; place > 0; place -= 1) {
      const entry = this.#entries[place - 1]!
      if (this.#belongs(entry)) yield entry
    }
  }

  /** It may have left and come back before its place was given up. */
  #insert(entry: Entry): void {
    const place = this.#placeOf(entry)
    if (this.#entries[place] !== entry) this.#entries.splice(place, 0, entry)
  }

  /** The first place whose task is not older. */
  #placeOf(place: Place): number {
    let [low, high] = [0, this.#entries.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (isOlder(this.#entries[middle]!, place)) low = middle + 1
      else high = middle
    }
    return low
  }
}
