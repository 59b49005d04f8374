/** One attempt on its way through a pool. */
import type { Call, CallEvents, Outcome, Running } from '../executor.ts'

/** Who has a call at the moment: the pool's queue or a worker. */
export interface CallHolder {
  abort(call: PooledCall, reason: string): void
  kill(call: PooledCall, reason: string): void
}

/** What the engine holds of an attempt, and what pool and worker know of it. */
export class PooledCall implements Running {
  readonly call: Call
  readonly events: CallEvents
  readonly outcome: Promise<Outcome>
  /** Undefined once it has ended. */
  holder: CallHolder | undefined
  /** Its id in the worker that has it. */
  id = 0
  /** Until when it is lent, if it was sent ahead. */
  until: number | undefined
  /** Whether it was to stop before it began. */
  isWithdrawn = false
  /** Why its worker is to be ended should it begin all the same. */
  doom: string | undefined
  #hasBegun = false
  #wasStarted = false
  readonly #started: () => void
  #settle!: (outcome: Outcome) => void

  constructor(call: Call, events: CallEvents, started: () => void) {
    this.call = call
    this.events = events
    this.#started = started
    this.outcome = new Promise((resolve) => (this.#settle = resolve))
  }

  /** Whether its handler was called. */
  get hasBegun(): boolean {
    return this.#hasBegun
  }

  /** Whether it waits in a worker behind another call. */
  get isLent(): boolean {
    return this.until !== undefined && !this.#hasBegun
  }

  begin(): void {
    this.#hasBegun = true
    if (!this.#wasStarted) this.#started()
    this.#wasStarted = true
  }

  /** No worker has it now, and its handler was not called, whatever was said. */
  leave(): void {
    this.#hasBegun = false
    this.until = undefined
  }

  end(outcome: Outcome): void {
    this.holder = undefined
    this.#settle(outcome)
  }

  abort(reason: string): void {
    this.holder?.abort(this, reason)
  }

  kill(reason: string): void {
    this.holder?.kill(this, reason)
  }
}
