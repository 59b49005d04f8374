/** Refuses starts when the queue is full, as far as one of many hosts can know. */
import { full } from '../unavailable.ts'
import type { SharedQueue } from './shared-queue.ts'

/** Milliseconds that a count is trusted for; this host's own starts since are added. */
const TRUSTED = 1000

/** Counts at most once a second. */
export class QueueLimit {
  readonly #queue: Pick<SharedQueue, 'depth'>
  readonly #limit: number
  #depth = 0
  #countedAt = -Infinity
  #counting: Promise<void> | undefined

  constructor(queue: Pick<SharedQueue, 'depth'>, limit: number) {
    this.#queue = queue
    this.#limit = limit
  }

  /** @throws EngineUnavailable */
  async admit(): Promise<void> {
    if (performance.now() - this.#countedAt > TRUSTED) await (this.#counting ??= this.#count())
    if (this.#depth >= this.#limit) throw full(this.#limit)
    this.#depth += 1
  }

  async #count(): Promise<void> {
    try {
      this.#depth = await this.#queue.depth()
      this.#countedAt = performance.now()
    } finally {
      this.#counting = undefined
    }
  }
}
