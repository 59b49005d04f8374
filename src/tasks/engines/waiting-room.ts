/** Tasks that wait: in line because they may run, or for a point in time. */
import type { Clock } from '../clock.ts'
import { Alarms } from './alarms.ts'
import type { Entry, Live } from './entry.ts'
import { ReadyQueue } from './ready-queue.ts'

/** Tells of each task when its time has come: its `runAt`, its deadline, or a time asked for. */
export class WaitingRoom {
  readonly #clock: Clock
  readonly #line = new ReadyQueue()
  readonly #alarms: Alarms<Entry>

  constructor(clock: Clock, onDue: (entry: Entry) => void) {
    this.#clock = clock
    this.#alarms = new Alarms(clock, (entry) => {
      if (!entry.live) return
      entry.live.alarm = undefined
      onDue(entry)
    })
  }

  /** Whether no task of a procedure is in line. */
  isEmpty(procedure: string): boolean {
    return this.#line.isEmpty(procedure)
  }

  /** Puts a queued task in line, or lets it wait for its `runAt`. */
  add(entry: Entry): void {
    const { live } = entry
    if (!live) return
    this.remove(live)
    const { runAt = 0, deadlineAt = Infinity } = live.task
    const isReady = runAt <= this.#clock.now()
    if (isReady) this.#line.push(entry)
    this.#ringAt(entry, live, isReady ? deadlineAt : Math.min(runAt, deadlineAt))
  }

  /** Takes the next task out of the line; its deadline still rings. */
  take(mayRun: (procedure: string) => boolean): Entry | undefined {
    return this.#line.take(mayRun)
  }

  remove(live: Live): void {
    this.#line.remove(live)
    this.#silence(live)
  }

  /** Rings at a time instead of any set before. */
  ringAt(entry: Entry, at: number): void {
    if (entry.live) this.#ringAt(entry, entry.live, at)
  }

  /** Rings no more. */
  stop(): void {
    this.#alarms.stop()
  }

  #ringAt(entry: Entry, live: Live, at: number): void {
    this.#silence(live)
    if (at !== Infinity) live.alarm = this.#alarms.set(entry, at)
  }

  #silence(live: Live): void {
    if (live.alarm) this.#alarms.cancel(live.alarm)
    live.alarm = undefined
  }
}
