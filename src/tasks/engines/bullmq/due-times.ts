/** When delayed tasks are due: one time per procedure, the nearest that was heard of. */
import { systemClock } from '../../clock.ts'
import { Alarms, type Alarm } from '../alarms.ts'

export class DueTimes {
  readonly #alarms: Alarms<string>
  readonly #next = new Map<string, { readonly at: number; readonly alarm: Alarm<string> }>()

  constructor(due: (procedure: string) => void) {
    // BullMQ goes by the time of day, on every host.
    this.#alarms = new Alarms<string>(systemClock, (procedure) => {
      this.#next.delete(procedure)
      due(procedure)
    })
  }

  set(procedure: string, at: number): void {
    const known = this.#next.get(procedure)
    if (known && known.at <= at) return
    if (known) this.#alarms.cancel(known.alarm)
    this.#next.set(procedure, { at, alarm: this.#alarms.set(procedure, at) })
  }

  stop(): void {
    this.#alarms.stop()
  }
}
