/** What other hosts say, passed on to the engine of this one. */
import type { StoredTask } from '../../stored-task.ts'
import type { QueueListener } from '../fleet/shared-queue.ts'
import type { Audience } from './audience.ts'
import { renewed, type News } from './news.ts'
import { fromPayload, isFrom, type Notice } from './notices.ts'

/** What it works with. */
export interface InboxParts {
  /** What this host signs with. */
  readonly host: string
  readonly listener: QueueListener
  readonly audience: Audience
  get(id: string): Promise<StoredTask | undefined>
}

/** Reads letters. */
export class Inbox {
  readonly #parts: InboxParts
  /** Progress that is being read: what is said of its task meanwhile came after it, and is passed on after it. */
  readonly #reading = new Map<string, Promise<void>>()

  constructor(parts: InboxParts) {
    this.#parts = parts
  }

  /** Takes a payload. Whether it was a word of this host's own, which comes back too. */
  take(payload: string): boolean {
    const { host, audience } = this.#parts
    if (isFrom(host, payload)) return true
    const letter = fromPayload(payload)
    if (!letter) return false
    audience.heard()
    for (const notice of letter.notices) this.#pass(notice)
    return false
  }

  #pass(notice: Notice): void {
    const reading = 'id' in notice ? this.#reading.get(notice.id) : undefined
    if (reading) void reading.then(() => this.#pass(notice))
    else this.#passNow(notice)
  }

  #passNow(notice: Notice): void {
    const { listener } = this.#parts
    switch (notice.type) {
      case 'available':
        return listener.available(notice.procedure)
      case 'changed':
        return this.#passChange(notice.id, notice.news)
      case 'stop':
        return listener.cancelRequested(notice.id, notice.attempt)
      case 'progress':
        return listener.progress(notice.id, notice.progress)
      case 'log':
        return listener.log(notice.id, notice.log)
      case 'look':
        return void this.#reading.set(notice.id, this.#passProgress(notice.id))
    }
  }

  #passChange(id: string, news: News | undefined): void {
    this.#parts.listener.changed(id, news && ((known) => renewed(known, news)))
  }

  /** Progress that was too long to be told. Never rejects. */
  async #passProgress(id: string): Promise<void> {
    const task = await this.#parts.get(id).catch(() => undefined)
    this.#reading.delete(id)
    if (task?.progress !== undefined) this.#parts.listener.progress(id, task.progress)
  }
}
