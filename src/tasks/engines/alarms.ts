/** Many points in time, one timer: set for the nearest. */
import { LONGEST_TIMER } from '../../config/option-rules.ts'
import type { Clock, Timer } from '../clock.ts'
import { Heap, type HeapNode } from './heap.ts'

/** A point in time that was set. */
export type Alarm<T> = HeapNode<T>

/** How alarms behave. */
export interface AlarmOptions {
  /** Whether the process stays alive for them. Default true: there is work to come. */
  readonly keepsAlive?: boolean
}

/** Calls `ring` for each value at its time, in order. */
export class Alarms<T> {
  readonly #clock: Clock
  readonly #ring: (value: T) => void
  readonly #keepsAlive: boolean
  readonly #heap = new Heap<T>()
  #timer: Timer | undefined
  #timerAt = Infinity
  #count = 0

  constructor(clock: Clock, ring: (value: T) => void, { keepsAlive = true }: AlarmOptions = {}) {
    this.#clock = clock
    this.#ring = ring
    this.#keepsAlive = keepsAlive
  }

  set(value: T, at: number): Alarm<T> {
    const alarm = this.#heap.push(value, at, this.#count++)
    if (at < this.#timerAt) this.#wind()
    return alarm
  }

  /** The timer stays as it is: to ring once for nothing is cheaper than to wind it anew each time. */
  cancel(alarm: Alarm<T>): void {
    this.#heap.remove(alarm)
    if (this.#heap.size === 0) this.stop()
  }

  /** Rings no more until another is set. */
  stop(): void {
    this.#clock.clearTimer(this.#timer)
    this.#timerAt = Infinity
  }

  #wind(): void {
    this.#clock.clearTimer(this.#timer)
    this.#timerAt = this.#heap.peek()?.major ?? Infinity
    if (this.#timerAt === Infinity) return
    const wait = Math.min(LONGEST_TIMER, Math.max(0, this.#timerAt - this.#clock.now()))
    this.#timer = this.#clock.setTimer(() => this.#ringDue(), wait)
    if (!this.#keepsAlive) this.#timer.unref()
  }

  #ringDue(): void {
    this.#timerAt = Infinity
    const now = this.#clock.now()
    for (let next = this.#heap.peek(); next && next.major <= now; next = this.#heap.peek()) {
      this.#heap.remove(next)
      this.#ring(next.value)
    }
    this.#wind()
  }
}
