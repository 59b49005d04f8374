/** Deletes records whose time is over, some at a time. Readers take them for gone already. */
import type { Place } from './place.ts'

/** Milliseconds; hosts take turns by chance. */
const SWEEP_EVERY = 60_000

const MOST = 500

/** One timer, which keeps no process alive. */
export class Sweeper {
  readonly #place: Pick<Place, 'database' | 'sql' | 'report'>
  #timer: NodeJS.Timeout | undefined
  #isClosed = false
  #sweeping: Promise<void> | undefined

  constructor(place: Pick<Place, 'database' | 'sql' | 'report'>) {
    this.#place = place
  }

  start(every = SWEEP_EVERY): void {
    const wait = every * (0.5 + Math.random())
    const sweep = (): void => void (this.#sweeping = this.#round(every))
    this.#timer = setTimeout(sweep, wait).unref()
  }

  /** Never rejects. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await this.#sweeping
  }

  async #round(every: number): Promise<void> {
    try {
      await this.#sweep()
    } catch (error) {
      if (!this.#isClosed)
        this.#place.report('Records past their time could not be deleted; the next sweep tries again', error)
    }
    if (!this.#isClosed) this.start(every)
  }

  async #sweep(): Promise<void> {
    const { database, sql } = this.#place
    for (let deleted = MOST; deleted === MOST && !this.#isClosed;) {
      const [row] = await database.query(sql.sweep, [MOST])
      deleted = Number(row?.['deleted'])
    }
  }
}
