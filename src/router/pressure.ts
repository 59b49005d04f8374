/**
 * Tells when the event loop is so late that new calls had better be refused: what is then taken waits longer and longer,
 * until nobody is served in time. One slow turn is none; several in a row are, and it takes some good ones to end it.
 */

/** How often it looks, in ms. */
const PERIOD = 100
/** Late looks in a row that begin it. */
const BEGINS = 3
/** Good looks in a row that end it. */
const ENDS = 5

/** The state, without a clock. */
export class Pressure {
  readonly #threshold: number
  #late = 0
  #good = 0
  #high = false

  /** @param threshold in ms */
  constructor(threshold: number) {
    this.#threshold = threshold
  }

  get high(): boolean {
    return this.#high
  }

  /** Takes note of by how many ms a look came late. Good is less than half of what is too late. */
  note(late: number): void {
    this.#late = late > this.#threshold ? this.#late + 1 : 0
    this.#good = late < this.#threshold / 2 ? this.#good + 1 : 0
    if (this.#late >= BEGINS) this.#high = true
    if (this.#good >= ENDS) this.#high = false
  }
}

/** Whether new calls are refused now. */
export interface PressureGauge {
  readonly high: boolean
  stop(): void
}

/** Watches the event loop from the first time that it is asked. */
export class EventLoopGauge implements PressureGauge {
  readonly #pressure: Pressure
  #timer: NodeJS.Timeout | undefined
  #stopped = false

  constructor(threshold: number) {
    this.#pressure = new Pressure(threshold)
  }

  get high(): boolean {
    if (!this.#timer && !this.#stopped) this.#start()
    return this.#pressure.high
  }

  stop(): void {
    this.#stopped = true
    clearInterval(this.#timer)
  }

  #start(): void {
    let last = performance.now()
    this.#timer = setInterval(() => {
      const now = performance.now()
      this.#pressure.note(now - last - PERIOD)
      last = now
    }, PERIOD).unref()
  }
}

/** Nothing is ever too much. */
export const NO_PRESSURE: PressureGauge = { high: false, stop: () => undefined }
