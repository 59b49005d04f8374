/**
 * Whether anybody else listens. All hosts say a word every few seconds, so one that hears of nobody has nobody to tell, and a
 * host that is alone makes no notifications.
 */
import { PING_EVERY } from './hearing.ts'

/** Milliseconds after which a host that said nothing is gone; a word may be late. */
const GONE_AFTER = 3 * PING_EVERY

/** Milliseconds in which everybody who is there has said something. */
const UNSURE_FOR = 1.5 * PING_EVERY

/** Keeps in mind who was heard. */
export class Audience {
  #heardSince = Infinity
  #heardOthersAt = -Infinity

  /** This host hears from now on. */
  hears(): void {
    this.#heardSince = performance.now()
  }

  /** It hears no more: whoever is there, it would not know. */
  isDeaf(): void {
    this.#heardSince = Infinity
  }

  /** Somebody else said something. */
  heard(): void {
    this.#heardOthersAt = performance.now()
  }

  /** When in doubt there is somebody. */
  isThere(): boolean {
    const now = performance.now()
    const isSure = now - this.#heardSince > UNSURE_FOR
    return !isSure || now - this.#heardOthersAt < GONE_AFTER
  }
}
