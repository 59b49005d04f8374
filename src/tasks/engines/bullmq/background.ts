/** What is done every so often: lost tasks put back, records deleted whose time is over, quiet queues looked at. */
import type { Report } from '../../store.ts'
import type { JobBook } from './job-book.ts'
import type { KeyBook } from './key-book.ts'
import type { Place } from './place.ts'
import type { Timing } from './timing.ts'

export interface BackgroundParts {
  readonly place: Place
  readonly book: JobBook
  readonly keys: KeyBook
  readonly timing: Timing
  readonly report: Report
  /** Those that have queues, on whichever host. */
  procedures(): Promise<readonly string[]>
  look(procedure: string): void
}

/** Records of one round; one that deleted so many is followed by another. */
const BATCH = 100

export class Background {
  readonly #parts: BackgroundParts
  readonly #timers = new Set<NodeJS.Timeout>()
  readonly #failing = new Set<string>()
  #closed = false

  constructor(parts: BackgroundParts) {
    this.#parts = parts
  }

  /** On every host. */
  start(): void {
    const { timing, procedures } = this.#parts
    this.#every(timing.sweepEvery, 'Records past their time could not be deleted', async () =>
      this.#each(await procedures(), (procedure) => this.#sweep(procedure)),
    )
  }

  /** On hosts that work. */
  work(procedures: readonly string[]): void {
    const { timing, place, look } = this.#parts
    const recover = (): Promise<void> => place.recover(procedures)
    const failure = 'Tasks of lost hosts could not be looked for'
    void this.#try(failure, recover).then(() => this.#every(timing.recoverEvery, failure, recover))
    this.#every(timing.lookEvery, 'Queues could not be looked at', async () => procedures.forEach(look))
  }

  stop(): void {
    this.#closed = true
    for (const timer of this.#timers) clearTimeout(timer)
  }

  async #each(procedures: readonly string[], act: (procedure: string) => Promise<void>): Promise<void> {
    for (const procedure of procedures) if (!this.#closed) await act(procedure)
  }

  /** Hosts that were started together do not all act at once. */
  #every(ms: number, failure: string, act: () => Promise<void>): void {
    if (this.#closed) return
    const timer = setTimeout(
      () => {
        this.#timers.delete(timer)
        void this.#try(failure, act).then(() => this.#every(ms, failure, act))
      },
      ms * (0.9 + Math.random() / 10),
    )
    this.#timers.add(timer.unref())
  }

  /** Reports the first of failures in a row. */
  async #try(failure: string, act: () => Promise<void>): Promise<void> {
    try {
      await act()
      this.#failing.delete(failure)
    } catch (error) {
      if (this.#closed || this.#failing.has(failure)) return
      this.#failing.add(failure)
      this.#parts.report(`${failure}, which is tried again`, error)
    }
  }

  /** Ended tasks of a queue, oldest first: as long as the oldest is over, others may be. */
  async #sweep(procedure: string): Promise<void> {
    const { place, book } = this.#parts
    for (let batch = 1; !this.#closed; batch = BATCH) {
      const ids = (
        await Promise.all([
          place.ids(procedure, ['completed'], 0, batch - 1),
          place.ids(procedure, ['failed'], 0, batch - 1),
        ])
      ).flat()
      const over = (await book.readAll(ids.map((id) => ({ procedure, id })))).filter(({ isOver }) => isOver)
      await Promise.all(over.map(({ job, task }) => this.#forget(job, task)))
      if (over.length === 0 || ids.length < batch) return
    }
  }

  async #forget(job: Parameters<Place['remove']>[0], task: Parameters<KeyBook['free']>[0]): Promise<void> {
    await this.#parts.keys.free(task)
    await this.#parts.place.remove(job)
  }
}
