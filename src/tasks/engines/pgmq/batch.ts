/** What is asked for in one turn of the event loop, or while the last batch is under way, is done in one go. */

interface Waiting<Item, Result> {
  readonly item: Item
  readonly resolve: (result: Result) => void
  readonly reject: (error: unknown) => void
}

/** How a batch is done. */
export interface BatchParts<Item, Result> {
  /** The results in the order of the items. Rejects when none was done. */
  work(items: readonly Item[]): Promise<readonly Result[]>
  /** Whether a failure may be one item's alone: then each is tried by itself. */
  mayBeOnes?(error: unknown): boolean
  /** The most that are done in one go. Default 500. */
  readonly most?: number
}

const MOST = 500

/** Gathers items; one batch at a time. */
export class Batch<Item, Result> {
  readonly #parts: BatchParts<Item, Result>
  #waiting: Waiting<Item, Result>[] = []
  #working: Promise<void> | undefined

  constructor(parts: BatchParts<Item, Result>) {
    this.#parts = parts
  }

  add(item: Item): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject })
      this.#working ??= this.#work()
    })
  }

  /** Resolves when nothing waits any more. */
  async idle(): Promise<void> {
    while (this.#working) await this.#working
  }

  /** Never rejects: everybody hears of their own failure. */
  async #work(): Promise<void> {
    while (this.#waiting.length > 0) {
      await new Promise(setImmediate)
      const some = this.#waiting.splice(0, this.#parts.most ?? MOST)
      await this.#do(some)
    }
    this.#working = undefined
  }

  async #do(some: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await this.#parts.work(some.map(({ item }) => item))
      for (const [index, { resolve }] of some.entries()) resolve(results[index] as Result)
    } catch (error) {
      if (some.length > 1 && this.#parts.mayBeOnes?.(error)) for (const each of some) await this.#do([each])
      else for (const { reject } of some) reject(error)
    }
  }
}
