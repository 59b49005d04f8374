/**
 * What happens to one task, as its watchers see it: a bounded ring of events that each watcher reads at its
 * own pace.
 */
import type { EngineEvent } from '../engine.ts'

type WithoutSeq<T> = T extends unknown ? Omit<T, 'seq'> : never

/** An event before the channel numbers it. */
export type NewEvent = WithoutSeq<Exclude<EngineEvent, { type: 'done' }>>

/** How many events a watcher may be behind, or away, before it meets a gap. */
export const RING_SIZE = 256

/**
 * Events are numbered from 1 in each channel, and a channel's name is never used again, so a number from an
 * earlier process or an earlier channel is told from one of this.
 */
export class Channel {
  readonly #name: string
  /** The last events; the first of them has the number `#first`. */
  readonly #ring: EngineEvent[] = []
  #first = 1
  #wake: PromiseWithResolvers<void> | undefined
  #ended = false

  constructor(name: string) {
    this.#name = name
  }

  /** The number of the last event. */
  get last(): number {
    return this.#first + this.#ring.length - 1
  }

  /** Where a watcher that got an event of this number goes on. */
  seqOf(number: number): string {
    return `${this.#name}.${number}`
  }

  /** The number behind a `seq`, or undefined when it is not of this channel. */
  numberOf(seq: string): number | undefined {
    const dot = seq.lastIndexOf('.')
    const number = Number(seq.slice(dot + 1))
    return seq.slice(0, dot) === this.#name && number >= 0 && number <= this.last ? number : undefined
  }

  emit(event: NewEvent): void {
    this.#add({ ...event, seq: this.seqOf(this.last + 1) })
  }

  /** The last event. */
  end(done: EngineEvent): void {
    this.#add(done)
    this.close()
  }

  /** No more events: watchers get what is there, then stop. */
  close(): void {
    this.#ended = true
    this.wake()
  }

  /** Lets all watchers look again. */
  wake(): void {
    this.#wake?.resolve()
    this.#wake = undefined
  }

  /** Everything after `number`, as it happens. Whoever falls out of the ring gets a gap. */
  async *follow(number: number, signal: AbortSignal): AsyncGenerator<EngineEvent, void> {
    const wake = () => this.wake()
    signal.addEventListener('abort', wake)
    try {
      for (let seen = number; !signal.aborted;) {
        if (seen >= this.last) {
          if (this.#ended) return
          await this.#changed()
          continue
        }
        if (seen + 1 < this.#first) {
          seen = this.#first - 1
          yield { type: 'gap', seq: this.seqOf(seen) }
          continue
        }
        seen += 1
        yield this.#ring[seen - this.#first]!
      }
    } finally {
      signal.removeEventListener('abort', wake)
    }
  }

  #add(event: EngineEvent): void {
    this.#ring.push(event)
    if (this.#ring.length > RING_SIZE) {
      this.#ring.shift()
      this.#first += 1
    }
    this.wake()
  }

  #changed(): Promise<void> {
    this.#wake ??= Promise.withResolvers<void>()
    return this.#wake.promise
  }
}
