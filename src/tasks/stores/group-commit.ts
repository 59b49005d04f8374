/** Writes of one event-loop turn share one commit, and so one fsync. */

/** One change of the database, as data: it may cross to a writer thread. */
export interface Write {
  readonly kind: 'put' | 'delete' | 'expire' | 'clear'
  /** Bound to the statement in this order. */
  readonly values: readonly (string | number | Uint8Array | null)[]
}

/** How many rows a write changed, or why it failed. */
export type WriteResult = number | Error

/**
 * Makes many writes in one transaction; rejects or throws when none was made. A writer thread is another
 * function of this shape.
 */
export type Commit = (writes: readonly Write[]) => readonly WriteResult[] | Promise<readonly WriteResult[]>

interface Waiting {
  readonly write: Write
  readonly resolve: (changes: number) => void
  readonly reject: (error: unknown) => void
}

/** So many writes take about ten milliseconds; more would keep the event loop from others. */
const MOST_PER_COMMIT = 1000

/** Collects writes and commits them together, in order. */
export class GroupCommit {
  readonly #commit: Commit
  #waiting: Waiting[] = []
  #working: Promise<void> | undefined

  constructor(commit: Commit) {
    this.#commit = commit
  }

  /** Resolves with the number of changed rows when the write is committed. */
  write(write: Write): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ write, resolve, reject })
      this.#working ??= this.#work()
    })
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    while (this.#working) await this.#working
  }

  /** Never rejects: each writer hears of its own failure. */
  async #work(): Promise<void> {
    while (this.#waiting.length > 0) {
      await new Promise(setImmediate)
      await this.#commitSome(this.#take())
    }
    this.#working = undefined
  }

  #take(): readonly Waiting[] {
    const all = this.#waiting
    this.#waiting = all.length > MOST_PER_COMMIT ? all.splice(MOST_PER_COMMIT) : []
    return all
  }

  async #commitSome(batch: readonly Waiting[]): Promise<void> {
    try {
      const results = await this.#commit(batch.map(({ write }) => write))
      batch.forEach(({ resolve, reject }, index) => {
        const result = results[index] ?? new Error('The writer gave no result')
        if (result instanceof Error) reject(result)
        else resolve(result)
      })
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
  }
}
