/**
 * Renews leases, with one call for each procedure.
 *
 * A request to stop is pushed. Only while that line is down, or was, the tasks themselves are read.
 */
import type { Renewal } from '../fleet/shared-queue.ts'
import type { JobBook } from './job-book.ts'
import type { Lease } from './lease.ts'
import type { JobRef, Place } from './place.ts'

export interface RenewingParts {
  readonly place: Place
  readonly book: JobBook
}

/** A task that runs here. */
interface Held {
  readonly task: JobRef
  readonly lease: Lease
}

export class Renewing {
  readonly #parts: RenewingParts
  #isInDoubt = false

  constructor(parts: RenewingParts) {
    this.#parts = parts
  }

  /** Something may have been missed. */
  doubt(): void {
    this.#isInDoubt = true
  }

  async renew(all: readonly Held[]): Promise<readonly Renewal[]> {
    const byProcedure = Map.groupBy(all, ({ task }) => task.procedure)
    const [lost, stopped] = await Promise.all([this.#lost(byProcedure), this.#stopped(all)])
    return all.map(({ task: { id } }) => (lost.has(id) ? 'lost' : stopped.has(id) ? 'stop' : 'held'))
  }

  async #lost(byProcedure: ReadonlyMap<string, readonly Held[]>): Promise<ReadonlySet<string>> {
    const renewals = [...byProcedure].map(([procedure, held]) =>
      this.#parts.place.renew(
        procedure,
        held.map(({ task, lease }) => ({ id: task.id, token: lease.token })),
      ),
    )
    return new Set((await Promise.all(renewals)).flatMap((lost) => [...lost]))
  }

  async #stopped(all: readonly Held[]): Promise<ReadonlySet<string>> {
    if (!this.#isInDoubt && this.#parts.place.hears) return new Set()
    this.#isInDoubt = false
    const readings = await this.#parts.book.readAll(all.map(({ task }) => task))
    return new Set(readings.flatMap(({ job }) => (job.data.cancel ? [job.id] : [])))
  }
}
