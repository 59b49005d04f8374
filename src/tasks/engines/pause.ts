/** A moment in which nothing is claimed, for the store failed. */
import type { Clock, Timer } from '../clock.ts'
import type { Report } from '../store.ts'

/** How long it lasts. In ms. */
export const STORE_PAUSE = 1000

/** Begins with a failure and ends by itself; the next failure may follow. */
export class Pause {
  readonly #clock: Clock
  readonly #report: Report
  readonly #over: () => void
  #timer: Timer | undefined
  /** The store failed when it was last written to, which was reported. */
  #isFailing = false
  #isStopped = false

  /** @param over is called when work may go on */
  constructor(clock: Clock, report: Report, over: () => void) {
    this.#clock = clock
    this.#report = report
    this.#over = over
  }

  get isOn(): boolean {
    return this.#timer !== undefined
  }

  /** The store failed. Reported once, however long it lasts. */
  begin(message: string, error: unknown): void {
    if (this.isOn || this.#isStopped) return
    if (!this.#isFailing) this.#report(message, error)
    this.#isFailing = true
    this.#timer = this.#clock.setTimer(() => {
      this.#timer = undefined
      this.#over()
    }, STORE_PAUSE)
  }

  /** The store works. */
  recovered(): void {
    this.#isFailing = false
  }

  /** Ends it without a word; there will be no other. */
  stop(): void {
    this.#isStopped = true
    this.#clock.clearTimer(this.#timer)
  }
}
