/** Nothing waits for a store for ever, and no store keeps the event loop from others. */
import { EngineUnavailable } from '../engine.ts'

/** Something that was asked of a store. */
interface Asked {
  readonly doing: string
  /** When it is late, by `performance.now()`. */
  readonly due: number
  reject(error: unknown): void
}

/**
 * Gives everything asked of a store the same time to be answered. One timer for all: there are thousands of writes in a
 * second, and hardly ever one that is late.
 */
export class TimeLimit {
  readonly #ms: number
  /** The first asked first, and so the first to be late. */
  readonly #asked = new Set<Asked>()
  #timer: NodeJS.Timeout | undefined

  constructor(ms: number) {
    this.#ms = ms
  }

  /** The outcome of `work`, or `EngineUnavailable` when it takes longer. The work itself goes on. */
  hold<T>(work: Promise<T>, doing: string): Promise<T> {
    return new Promise((resolve, reject) => {
      const asked = { doing, due: performance.now() + this.#ms, reject }
      this.#add(asked)
      work.then(
        (value) => {
          this.#remove(asked)
          resolve(value)
        },
        (error: unknown) => {
          this.#remove(asked)
          reject(error)
        },
      )
    })
  }

  #add(asked: Asked): void {
    this.#asked.add(asked)
    this.#timer ??= setTimeout(() => this.#look(), this.#ms)
  }

  #remove(asked: Asked): void {
    this.#asked.delete(asked)
    if (this.#asked.size > 0) return
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /**
   * Those who are late get one more turn: a store that writes in this very process answers in `setImmediate`, and a busy
   * event loop is no reason to call a write lost that is about to be made.
   */
  #look(): void {
    const now = performance.now()
    const late = [...this.#asked].filter(({ due }) => due <= now)
    setImmediate(() => {
      for (const asked of late) if (this.#asked.has(asked)) this.#giveUp(asked)
      this.#windAgain()
    })
  }

  #giveUp(asked: Asked): void {
    this.#remove(asked)
    const message = `The task store did not answer within ${this.#ms} ms while ${asked.doing}. Is it reachable?`
    asked.reject(new EngineUnavailable(message))
  }

  #windAgain(): void {
    const [next] = this.#asked
    if (next) this.#timer = setTimeout(() => this.#look(), Math.max(0, next.due - performance.now()))
  }
}

/** For one thing that is asked. */
export const withTimeLimit = <T>(work: Promise<T>, ms: number, doing: string): Promise<T> =>
  new TimeLimit(ms).hold(work, doing)

let turn: Promise<void> | undefined

/** Resolves in the next turn of the event loop: one promise for all who ask in this one. */
export const nextTurn = (): Promise<void> =>
  (turn ??= new Promise((resolve) => {
    setImmediate(() => {
      turn = undefined
      resolve()
    })
  }))
