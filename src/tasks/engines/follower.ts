/**
 * One watcher's way through what happens to a task: first where it stands, then all that its channel tells. Iterated by
 * hand: there is one for each task that anybody waits for, and nested generators cost several times as much.
 */
import type { EngineEvent } from '../engine.ts'
import type { Channel, Waiting } from './channel.ts'

/** Where in a channel to go on: after the event of this number. */
export interface Place {
  readonly channel: Channel
  readonly seen: number
}

type Step = IteratorResult<EngineEvent, void>

/** Ends with its channel, or when the signal aborts. Whoever falls out of the channel's ring is told so. */
export class Follower implements AsyncIterableIterator<EngineEvent, void>, Waiting {
  readonly #first: EngineEvent[]
  readonly #signal: AbortSignal
  readonly #onAbort = (): void => this.wake()
  #channel: Channel | undefined
  #seen: number
  #resolve: (() => void) | undefined

  constructor(first: EngineEvent[], signal: AbortSignal, place?: Place) {
    this.#first = first
    this.#signal = signal
    this.#channel = place?.channel
    this.#seen = place?.seen ?? 0
  }

  [Symbol.asyncIterator](): this {
    return this
  }

  async next(): Promise<Step> {
    while (!this.#signal.aborted) {
      const value = this.#first.shift() ?? this.#take()
      if (value) return { done: false, value }
      if (!this.#channel || this.#channel.isEnded) break
      await this.#change(this.#channel)
    }
    return this.return()
  }

  async return(): Promise<Step> {
    this.#signal.removeEventListener('abort', this.#onAbort)
    this.#channel?.leave(this)
    this.#channel = undefined
    this.#first.length = 0
    return { done: true, value: undefined }
  }

  wake(): void {
    this.#resolve?.()
  }

  #take(): EngineEvent | undefined {
    const channel = this.#channel
    if (!channel || this.#seen === channel.last) return undefined
    if (this.#seen + 1 >= channel.first) return channel.at(++this.#seen)
    this.#seen = channel.first - 1
    this.#first.push(...channel.gapUntil())
    return this.#first.shift()
  }

  #change(channel: Channel): Promise<void> {
    // The first time only: whoever finds all it wants in the channel need not be told.
    if (!this.#resolve) this.#signal.addEventListener('abort', this.#onAbort)
    channel.join(this)
    return new Promise((resolve) => (this.#resolve = resolve))
  }
}
