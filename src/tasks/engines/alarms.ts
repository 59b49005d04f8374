/** Many points in time, one timer: set for the nearest. */
import { Heap, type HeapNode } from './heap.ts'

/** A point in time that was set. */
export type Alarm<T> = HeapNode<T>

/** Node's timers hold 31 bits; a longer wait is made in parts. */
const LONGEST_TIMER = 2 ** 31 - 1

/**
 * Calls `ring` for each value at its time, in order. The timer keeps the process alive: there is work to
 * come.
 */
export class Alarms<T> {
  readonly #ring: (value: T) => void
  readonly #heap = new Heap<T>()
  #timer: NodeJS.Timeout | undefined
  #timerAt = Infinity
  #count = 0

  constructor(ring: (value: T) => void) {
    this.#ring = ring
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
    clearTimeout(this.#timer)
    this.#timerAt = Infinity
  }

  #wind(): void {
    clearTimeout(this.#timer)
    this.#timerAt = this.#heap.peek()?.major ?? Infinity
    if (this.#timerAt === Infinity) return
    const wait = Math.min(LONGEST_TIMER, Math.max(0, this.#timerAt - Date.now()))
    this.#timer = setTimeout(() => this.#ringDue(), wait)
  }

  #ringDue(): void {
    this.#timerAt = Infinity
    const now = Date.now()
    for (let next = this.#heap.peek(); next && next.major <= now; next = this.#heap.peek()) {
      this.#heap.remove(next)
      this.#ring(next.value)
    }
    this.#wind()
  }
}
