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

/** How long writes wait for others at most, in ms: of a slow disk too, a commit that stalled says little of the next. */
const LONGEST_GATHERING = 2

/** Collects writes and commits them together, in order. */
export class GroupCommit {
  readonly #commit: Commit
  #waiting: Waiting[] = []
  #working: Promise<void> | undefined
  #last = { size: 0, took: 0 }

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
      await this.#gather()
      const batch = this.#take()
      const from = performance.now()
      await this.#commitSome(batch)
      this.#last = { size: batch.length, took: Math.min(performance.now() - from, LONGEST_GATHERING) }
    }
    this.#working = undefined
  }

  /**
   * Until there are as many as last time, but for no longer than the last commit took: who writes in turns with many
   * others is on their way, and a commit costs about the same for all of them as for half.
   */
  async #gather(): Promise<void> {
    const until = performance.now() + this.#last.took
    do await new Promise(setImmediate)
    while (this.#waiting.length < this.#last.size && performance.now() < until)
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
