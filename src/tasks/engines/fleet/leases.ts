/** Keeps the leases of running attempts, and hears with each renewal whether one is lost or is to stop. */
import type { Report } from '../../store.ts'
import type { Run } from './run.ts'
import type { Renewal, SharedQueue } from './shared-queue.ts'

/** What it works with. */
export interface LeasesParts {
  readonly queue: Pick<SharedQueue, 'renew' | 'lease'>
  readonly report: Report
  /** The lease is lost, or may be: the queue was out of reach for as long as it holds. */
  lost(run: Run): void
  /** The task was asked to stop. */
  stop(run: Run): void
}

/** One timer for all, while there are any. */
export class Leases {
  readonly #parts: LeasesParts
  readonly #runs = new Set<Run>()
  #timer: NodeJS.Timeout | undefined

  constructor(parts: LeasesParts) {
    this.#parts = parts
  }

  add(run: Run): void {
    this.#runs.add(run)
    this.#wind()
  }

  remove(run: Run): void {
    this.#runs.delete(run)
    if (this.#runs.size > 0) return
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /** Three times in the length of a lease: one may fail. */
  #wind(): void {
    this.#timer ??= setTimeout(() => void this.#round(), this.#parts.queue.lease / 3)
  }

  async #round(): Promise<void> {
    const runs = [...this.#runs]
    const heldUntil = performance.now() + this.#parts.queue.lease
    try {
      const renewals = await this.#parts.queue.renew(runs.map(({ taken }) => taken))
      for (const [index, run] of runs.entries()) this.#take(run, renewals[index] ?? 'lost', heldUntil)
    } catch (error) {
      this.#parts.report('Leases of running tasks could not be renewed, and are tried again', error)
      for (const run of runs) if (run.heldUntil <= performance.now()) this.#parts.lost(run)
    }
    this.#timer = undefined
    if (this.#runs.size > 0) this.#wind()
  }

  #take(run: Run, renewal: Renewal, heldUntil: number): void {
    // It ended while the renewal was on its way.
    if (!this.#runs.has(run)) return
    if (renewal === 'lost') return this.#parts.lost(run)
    run.heldUntil = heldUntil
    if (renewal === 'stop') this.#parts.stop(run)
  }
}
