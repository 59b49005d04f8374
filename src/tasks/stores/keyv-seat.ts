/**
 * A seat in a store that can only get, set and delete: whoever wrote last has it, and a count that stands still tells
 * that its holder is gone. Two who write at the same moment find out with their next look.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { SEAT_TIMES, type Seat, type Seated, type SeatTimes } from './seat.ts'

/** Reads and writes one key. */
export interface Cell {
  get(): Promise<unknown>
  set(value: unknown): Promise<void>
  delete(): Promise<void>
}

interface Held {
  readonly mark: string
  readonly count: number
}

/** Time enough for a write of somebody else that was on its way. */
const SETTLE = 250

const isHeld = (value: unknown): value is Held =>
  typeof (value as Held | undefined)?.mark === 'string' && typeof (value as Held).count === 'number'

/** The seat over one key. */
export class KeyvSeat implements Seat {
  readonly #cell: Cell
  readonly #times: SeatTimes
  readonly #settle: number
  #count = 0
  /** What was there at the last look, and since when, by the clock of this process. */
  #seen: (Held & { readonly since: number }) | undefined

  constructor(cell: Cell, times = SEAT_TIMES, settle = SETTLE) {
    this.#cell = cell
    this.#times = times
    this.#settle = settle
  }

  async take(mark: string): Promise<Seated> {
    const held = await this.#look()
    const left = held ? this.#leftOf(held) : 0
    if (held && left > 0) return { mark: held.mark, left }
    await this.#write(mark)
    await sleep(this.#settle)
    const last = await this.#look()
    if (!last) throw new Error('It did not keep what was written')
    return { mark: last.mark, left: this.#leftOf(last) }
  }

  async keep(mark: string): Promise<string | undefined> {
    const held = await this.#look()
    if (held?.mark === mark) await this.#write(mark)
    return held?.mark
  }

  async leave(mark: string): Promise<void> {
    if ((await this.#look())?.mark === mark) await this.#cell.delete()
  }

  async #look(): Promise<Held | undefined> {
    const value = await this.#cell.get()
    return isHeld(value) ? value : undefined
  }

  async #write(mark: string): Promise<void> {
    this.#count += 1
    await this.#cell.set({ mark, count: this.#count } satisfies Held)
  }

  #leftOf({ mark, count }: Held): number {
    if (this.#seen?.mark !== mark || this.#seen.count !== count)
      this.#seen = { mark, count, since: performance.now() }
    return this.#seen.since + this.#times.hold - performance.now()
  }
}
