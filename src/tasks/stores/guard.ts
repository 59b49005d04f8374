/**
 * Sees to it that one process alone has a store: takes its seat, keeps it while the process lives, and tells when it was
 * lost. Best effort: a process that stood still for longer than it held the seat learns too late that it lost it.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { EngineUnavailable } from '../engine.ts'
import { createMark, describeMark, hasEnded, readMark } from './occupant.ts'
import { SEAT_TIMES, type Seat, type SeatTimes } from './seat.ts'

/** What it works with. */
export interface GuardParts {
  readonly seat: Seat
  /** The store, as error texts call it. */
  readonly store: string
  readonly times?: SeatTimes
  /** Asks the seat with the limits and errors of the store. */
  readonly ask: <T>(work: Promise<T>, doing: string) => Promise<T>
}

type Lost = (reason: EngineUnavailable) => void

const isOfTheDead = (mark: string): boolean => {
  const occupant = readMark(mark)
  return occupant !== undefined && hasEnded(occupant)
}

/** The guard of one open store. */
export class Guard {
  readonly #parts: GuardParts
  readonly #times: SeatTimes
  readonly #mark = createMark()
  #lost: Lost = () => {}
  #loss: EngineUnavailable | undefined
  #timer: NodeJS.Timeout | undefined
  #keeping: Promise<void> | undefined
  /** When the seat was last known to be ours. By the clock that goes on while the machine sleeps. */
  #keptAt = -Infinity
  #left = false

  constructor(parts: GuardParts) {
    this.#parts = parts
    this.#times = parts.times ?? SEAT_TIMES
  }

  /**
   * Takes the seat. One that somebody holds is watched until it is kept, which says that they live, or falls free.
   * @throws EngineUnavailable when another process has it
   */
  async enter(lost: Lost): Promise<void> {
    this.#lost = lost
    const giveUpAt = performance.now() + 3 * this.#times.hold
    for (let [least, freed] = [Infinity, '']; ;) {
      const askedAt = Date.now()
      const { mark, left } = await this.#ask(this.#parts.seat.take(this.#mark))
      if (mark === this.#mark) return this.#entered(askedAt)
      if (left > least || performance.now() > giveUpAt) throw this.#inUse(mark)
      least = left
      if (mark !== freed && isOfTheDead(mark)) {
        freed = mark
        least = Infinity
        await this.#ask(this.#parts.seat.leave(mark))
      } else await sleep(this.#times.look)
    }
  }

  /** Whether the seat is ours beyond doubt: writes need not ask. */
  get isSure(): boolean {
    const age = Date.now() - this.#keptAt
    return !this.#loss && age >= 0 && age < this.#times.hold - this.#times.beat
  }

  /**
   * Makes sure that the seat is ours.
   * @throws EngineUnavailable when it isn't, or can't be asked for
   */
  async makeSure(): Promise<void> {
    if (!this.#loss) await this.#keep()
    if (this.#loss) throw this.#loss
  }

  /** Frees the seat, so that the next process need not wait. */
  async leave(): Promise<void> {
    this.stop()
    await this.#keeping?.catch(() => {}) // Whoever waits for it is told.
    if (this.#keptAt > -Infinity && !this.#loss) await this.#ask(this.#parts.seat.leave(this.#mark))
  }

  /** Keeps the seat no more: it falls free in time. */
  stop(): void {
    this.#left = true
    clearTimeout(this.#timer)
  }

  #entered(at: number): void {
    this.#keptAt = at
    this.#beat()
  }

  /** A beat that fails is no news: writes find out by themselves, and the next one may succeed. */
  #beat(): void {
    if (this.#left || this.#loss) return
    this.#timer = setTimeout(() => {
      const again = (): void => this.#beat()
      this.#keep().then(again, again)
    }, this.#times.beat).unref()
  }

  #keep(): Promise<void> {
    this.#keeping ??= this.#keepOnce().finally(() => {
      this.#keeping = undefined
    })
    return this.#keeping
  }

  async #keepOnce(): Promise<void> {
    const { seat } = this.#parts
    const askedAt = Date.now()
    const mark = (await this.#ask(seat.keep(this.#mark))) ?? (await this.#ask(seat.take(this.#mark))).mark
    if (mark === this.#mark) this.#keptAt = askedAt
    else this.#lose(mark)
  }

  #lose(mark: string): void {
    if (this.#loss) return
    const { store } = this.#parts
    this.#loss = new EngineUnavailable(
      `The task store (${store}) was taken over by ${describeMark(mark)}, since this process gave it no sign of life ` +
        `for ${this.#times.hold} ms. It starts, runs and writes no tasks any more. Expected: one process per store. ` +
        'Look what kept it from answering, or whether a second one was started on purpose',
    )
    this.#lost(this.#loss)
  }

  #ask<T>(work: Promise<T>): Promise<T> {
    return this.#parts.ask(work, 'looking who has it')
  }

  #inUse(mark: string): EngineUnavailable {
    return new EngineUnavailable(
      `The task store (${this.#parts.store}) is in use by another process: ${describeMark(mark)}. Expected: one ` +
        'process per store. Stop the other one, or give this one a store of its own (another server, database or ' +
        'namespace), or choose an engine for many processes',
      { retryAfter: 5 },
    )
  }
}
