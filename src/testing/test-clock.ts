/** Task time that stands still until a test lets it pass. */
import { toMilliseconds, type Duration } from '../protocol/duration.ts'
import type { Clock, Timer } from '../tasks/clock.ts'
import { Heap, type HeapNode } from '../tasks/engines/heap.ts'
import type { Rest } from './pulse.ts'
import { inATurn } from './real-time.ts'

/** A point in time. */
export type Time = Date | number | string

/** Epoch ms of a point in time. */
export const toTime = (time: Time): number => {
  const ms = new Date(time).getTime()
  if (ms >= 0) return ms
  throw new RangeError(
    `${String(time)} is not a time from 1970 on: give a Date, epoch ms or an ISO 8601 text`,
  )
}

class TestTimer implements Timer {
  readonly node: HeapNode<() => void>

  constructor(node: HeapNode<() => void>) {
    this.node = node
  }

  /** No timer of this clock keeps a process alive. */
  unref(): void {}
}

/** The clock of a test app. Delays, backoff, timeouts, deadlines and how long records are kept go by it. */
export class TestClock implements Clock {
  /** What the clock shows is how long it has run, and what it showed at first. */
  #passed = 0
  #start: number
  readonly #timers = new Heap<() => void>()
  #count = 0
  readonly #rest: Rest
  #moving: Promise<void> = Promise.resolve()

  /** @param rest tells when all that a step set off is done */
  constructor(start: Time, rest: Rest) {
    this.#start = toTime(start)
    this.#rest = rest
  }

  /** Epoch ms. */
  now(): number {
    return this.#start + this.#passed
  }

  /**
   * Lets time pass. What is due meanwhile happens in its order, each thing with all that follows from it, so that a task
   * can fail, wait, run again and end within one call.
   *
   * @example await app.clock.advance('10m')
   */
  advance(duration: Duration): Promise<void> {
    const ms = toMilliseconds(duration)
    return this.#move(() => this.#pass(this.#passed + ms))
  }

  /**
   * Lets time pass until a date. An earlier date only sets the clock back.
   *
   * @example await app.clock.set('2030-01-01T00:00:00Z')
   */
  set(time: Time): Promise<void> {
    const wanted = toTime(time)
    return this.#move(async () => {
      if (wanted < this.now()) this.#start -= this.now() - wanted
      else await this.#pass(this.#passed + wanted - this.now())
    })
  }

  setTimer(ring: () => void, ms: number): Timer {
    const timer = new TestTimer(
      this.#timers.push(ring, this.#passed + Math.max(0, Math.ceil(ms)), this.#count++),
    )
    if (ms <= 0) inATurn(() => this.#ringDue())
    return timer
  }

  clearTimer(timer: Timer | undefined): void {
    if (timer) this.#timers.remove((timer as TestTimer).node)
  }

  /** Lets time run by itself until the work is done. @internal */
  async runUntil(work: Promise<unknown>): Promise<void> {
    const state = { isDone: false }
    const done = (): void => void (state.isDone = true)
    work.then(done, done)
    await this.#move(async () => {
      await this.#rest.settled()
      while (!state.isDone) await this.#pass(this.#timers.peek()?.major ?? this.#passed)
    })
  }

  /** One movement after the other. */
  #move(act: () => Promise<void>): Promise<void> {
    const moving = this.#moving.then(act)
    // Whoever moved it was told.
    this.#moving = moving.catch(() => undefined)
    return moving
  }

  async #pass(until: number): Promise<void> {
    await this.#rest.arrived()
    for (let next = this.#timers.peek(); next && next.major <= until; next = this.#timers.peek()) {
      this.#passed = Math.max(this.#passed, next.major)
      this.#ring(next)
      await this.#rest.settled()
    }
    this.#passed = Math.max(this.#passed, until)
  }

  #ringDue(): void {
    for (let next = this.#timers.peek(); next && next.major <= this.#passed; next = this.#timers.peek())
      this.#ring(next)
  }

  #ring(node: HeapNode<() => void>): void {
    this.#timers.remove(node)
    node.value()
  }
}
