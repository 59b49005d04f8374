/** Begins to work on procedures: makes their queues known, sets how many may run at once, then tells of what waits. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Report } from '../../store.ts'
import type { PolicyOf, QueueListener } from '../fleet/shared-queue.ts'
import type { Background } from './background.ts'
import type { KnownProcedures } from './known-procedures.ts'
import type { Place } from './place.ts'

export interface WorkingParts {
  readonly place: Place
  readonly known: KnownProcedures
  readonly background: Background
  readonly listener: QueueListener
  readonly report: Report
  readonly policyOf: PolicyOf
}

/** Milliseconds between tries. */
const PAUSE = 1000

export class Working {
  readonly #parts: WorkingParts
  #stopped = false

  constructor(parts: WorkingParts) {
    this.#parts = parts
  }

  begin(procedures: readonly string[]): void {
    this.#parts.background.work(procedures)
    void this.#begin(procedures)
  }

  stop(): void {
    this.#stopped = true
  }

  /** Tries until it is done. Never rejects. */
  async #begin(procedures: readonly string[]): Promise<void> {
    const { report, listener } = this.#parts
    for (let tries = 0; !this.#stopped; tries++)
      try {
        await this.#prepare(procedures)
        return procedures.forEach((procedure) => listener.available(procedure))
      } catch (error) {
        if (tries === 0) report('Work could not begin, which is tried again', error)
        await sleep(PAUSE, undefined, { ref: false })
      }
  }

  async #prepare(procedures: readonly string[]): Promise<void> {
    const { known, place, policyOf } = this.#parts
    await known.add(procedures)
    await Promise.all(
      procedures.map((procedure) => {
        const { concurrency = Infinity } = policyOf(procedure) ?? {}
        return place.limit(procedure, concurrency === Infinity ? undefined : concurrency)
      }),
    )
  }
}
