/** How many streams of events may be open, all together and of one caller: each holds a connection for as long as it likes. */
import { ProcedureError } from '../procedures/errors.ts'
import type { Limits } from '../config/limits.ts'

const tooMany = (): ProcedureError =>
  new ProcedureError('SERVICE_UNAVAILABLE', 'There are too many streams of events; try again soon', {
    retryAfter: 5,
  })

const tooManyOfOne = (limit: number): ProcedureError =>
  new ProcedureError('TOO_MANY_REQUESTS', `You have ${limit} streams of events open, which is all you may`, {
    retryAfter: 5,
  })

/** Lets go of a place, once. */
export type Release = () => void

/** The open streams of an app. */
export class StreamLimit {
  readonly #limits: Pick<Limits, 'streams' | 'streamsPerCaller'>
  readonly #byCaller = new Map<string, number>()
  #open = 0

  constructor(limits: Pick<Limits, 'streams' | 'streamsPerCaller'>) {
    this.#limits = limits
  }

  get open(): number {
    return this.#open
  }

  /**
   * Takes a place.
   * @throws ProcedureError TOO_MANY_REQUESTS or SERVICE_UNAVAILABLE when there is none
   */
  take(caller: string): Release {
    const { streams, streamsPerCaller } = this.#limits
    const own = this.#byCaller.get(caller) ?? 0
    if (own >= streamsPerCaller) throw tooManyOfOne(streamsPerCaller)
    if (this.#open >= streams) throw tooMany()
    this.#open += 1
    this.#byCaller.set(caller, own + 1)
    let held = true
    return () => {
      if (held) this.#release(caller)
      held = false
    }
  }

  #release(caller: string): void {
    this.#open -= 1
    const left = (this.#byCaller.get(caller) as number) - 1
    if (left > 0) this.#byCaller.set(caller, left)
    else this.#byCaller.delete(caller)
  }
}

/** Items that hold a place until they end, fail or are given up, also by one who never began to read. */
export const holding = <T>(items: AsyncIterable<T>, release: Release): AsyncIterable<T> => ({
  [Symbol.asyncIterator]: () => {
    const iterator = items[Symbol.asyncIterator]()
    const releaseAtEnd = (result: IteratorResult<T>): IteratorResult<T> => {
      if (result.done) release()
      return result
    }
    const failed = (error: unknown): never => {
      release()
      throw error
    }
    return {
      next: () => iterator.next().then(releaseAtEnd, failed),
      return: async () => {
        release()
        await iterator.return?.()
        return { done: true, value: undefined }
      },
    }
  },
})
