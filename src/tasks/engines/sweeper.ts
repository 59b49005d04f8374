/** Deletes the records of ended tasks when their time is over, and those that should never have been. */
import type { Clock, Timer } from '../clock.ts'
import type { Report } from '../store.ts'
import type { Entry } from './entry.ts'
import type { Ledger } from './ledger.ts'

/** Readers take a record for gone the moment its time is over, so a sweep may be late. */
const SWEEP_EVERY = 60_000

/** So many at once: others want to write too. */
const BATCH = 500

/** One timer, which keeps no process alive. */
export class Sweeper {
  readonly #clock: Clock
  readonly #ledger: Ledger
  readonly #report: Report
  #timer: Timer | undefined

  constructor(clock: Clock, ledger: Ledger, report: Report) {
    this.#clock = clock
    this.#ledger = ledger
    this.#report = report
  }

  start(every = SWEEP_EVERY): void {
    this.#timer = this.#clock.setTimer(() => void this.#round(every), every)
    this.#timer.unref()
  }

  stop(): void {
    this.#clock.clearTimer(this.#timer)
    this.#timer = undefined
  }

  /** Deletes what is over now. Resolves with how many. */
  async sweep(): Promise<number> {
    await this.#ledger.retract()
    const expired = [...this.#ledger.index.expired(this.#clock.now())]
    for (let from = 0; from < expired.length; from += BATCH)
      await Promise.all(expired.slice(from, from + BATCH).map((entry) => this.#forget(entry)))
    return expired.length
  }

  async #round(every: number): Promise<void> {
    try {
      await this.sweep()
    } catch (error) {
      if (this.#timer)
        this.#report('Records past their time could not be deleted; the next sweep tries again', error)
    }
    if (this.#timer) this.start(every)
  }

  /** It may have been queued again while it waited for its turn. */
  async #forget(entry: Entry): Promise<void> {
    if (!entry.live) await this.#ledger.forget(entry)
  }
}
