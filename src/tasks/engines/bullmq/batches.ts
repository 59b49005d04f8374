/** Gathers what is asked for at the same time, so that it costs one statement and one commit. */

/** Does all of it in one go; answers in the same order. */
export type Flush<T, R> = (items: readonly T[]) => Promise<readonly R[]>

interface Waiting<T, R> {
  readonly item: T
  readonly resolve: (result: R) => void
  readonly reject: (error: unknown) => void
}

/** Items of one statement. */
const MOST = 200

/** Statements at once: while one is committed, another is read. */
const LANES = 2

export class Batches<T, R> {
  readonly #flush: Flush<T, R>
  #waiting: Waiting<T, R>[] = []
  #isDue = false
  #busy = 0

  constructor(flush: Flush<T, R>) {
    this.#flush = flush
  }

  add(item: T): Promise<R> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject })
      this.#wind()
    })
  }

  /** At the end of this turn of the event loop: whoever asks in it comes along. */
  #wind(): void {
    if (this.#isDue || this.#busy >= LANES || this.#waiting.length === 0) return
    this.#isDue = true
    setImmediate(() => {
      this.#isDue = false
      void this.#send(this.#waiting.splice(0, MOST))
    })
  }

  /** Never rejects: each hears of its own. */
  async #send(batch: readonly Waiting<T, R>[]): Promise<void> {
    this.#busy += 1
    this.#wind()
    try {
      const results = await this.#flush(batch.map(({ item }) => item))
      for (const [index, { resolve }] of batch.entries()) resolve(results[index] as R)
    } catch (error) {
      for (const { reject } of batch) reject(error)
    }
    this.#busy -= 1
    this.#wind()
  }
}
