/** Gathers messages and posts them together: one post per message costs several times more. */
import { toBatch, type FromWorker, type ToWorker } from './messages.ts'

/** Sends a batch. A promise where that takes time: it resolves when the batch has left. */
export type Post = (batch: string) => void | Promise<void>

/** Messages on their way to the other side. */
export class Outbox<M extends ToWorker | FromWorker> {
  readonly #post: Post
  #messages: string[] = []
  #isDue = false

  constructor(post: Post) {
    this.#post = post
  }

  /** Throws a TypeError for a message that JSON can't hold; those before it are unhurt. */
  add(message: M): void {
    this.#messages.push(JSON.stringify(message))
  }

  /** Posts what has gathered, now. A promise when that takes time. */
  flush(): void | Promise<void> {
    this.#isDue = false
    if (this.#messages.length === 0) return
    const batch = toBatch(this.#messages)
    this.#messages = []
    return this.#post(batch)
  }

  /** Posts once the code that runs now is done (`microtask`) or the event loop has been round (`turn`). */
  flushSoon(when: 'microtask' | 'turn'): void {
    if (this.#isDue) return
    this.#isDue = true
    if (when === 'microtask') queueMicrotask(() => void this.flush())
    else setImmediate(() => void this.flush())
  }
}
