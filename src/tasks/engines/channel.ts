/**
 * What happens to one task, as its watchers see it: a bounded ring of events that each watcher reads at its
 * own pace.
 */
import type { EngineEvent } from '../engine.ts'
import type { StoredTask } from '../stored-task.ts'

type WithoutSeq<T> = T extends unknown ? Omit<T, 'seq'> : never

/** An event before the channel numbers it. */
export type NewEvent = WithoutSeq<Exclude<EngineEvent, { type: 'done' }>>

/** How many events a watcher may be behind, or away, before it meets a gap. */
export const RING_SIZE = 256

/** Somebody to be told that there is more to read. */
export interface Waiting {
  wake(): void
}

/** An event, and the task as it was when it happened. */
interface Moment {
  readonly event: EngineEvent
  readonly task: StoredTask
}

const after = (task: StoredTask, event: NewEvent): StoredTask => {
  if (event.type === 'state') return event.task
  return event.type === 'progress' ? { ...task, progress: event.progress } : task
}

/**
 * Events are numbered from 1 in each channel, and a channel's name is never used again, so a number from an
 * earlier process or an earlier channel is told from one of this.
 */
export class Channel {
  readonly #name: string
  /** The last events; the first of them has the number `#first`. */
  readonly #ring: Moment[] = []
  #first = 1
  /** The task as it was before the first of them, and as it is now. */
  #before: StoredTask
  #now: StoredTask
  readonly #watchers = new Set<Waiting>()
  #ended = false

  constructor(name: string, task: StoredTask) {
    this.#name = name
    this.#before = task
    this.#now = task
  }

  /** How many wait for its next event. */
  get watchers(): number {
    return this.#watchers.size
  }

  /** How many events it keeps. */
  get size(): number {
    return this.#ring.length
  }

  /** The number of the first event that it keeps. */
  get first(): number {
    return this.#first
  }

  /** The number of the last event. */
  get last(): number {
    return this.#first + this.#ring.length - 1
  }

  /** Whether nothing follows the last event. */
  get isEnded(): boolean {
    return this.#ended
  }

  /** The event of a number from `first` to `last`. */
  at(number: number): EngineEvent {
    return this.#ring[number - this.#first]!.event
  }

  /** Where a watcher that got an event of this number goes on. */
  seqOf(number: number): string {
    return `${this.#name}.${number}`
  }

  /** The number behind a `seq`, or undefined when it is not of this channel. */
  numberOf(seq: string): number | undefined {
    const dot = seq.lastIndexOf('.')
    const text = seq.slice(dot + 1)
    const number = Number(text)
    const isKnown = seq.slice(0, dot) === this.#name && String(number) === text
    return isKnown && number >= 0 && number <= this.last ? number : undefined
  }

  /** `task` is the task as it then is; by default, what the event makes of it. */
  emit(event: NewEvent, task: StoredTask = after(this.#now, event)): void {
    this.#add({ ...event, seq: this.seqOf(this.last + 1) }, task)
  }

  /** The last event. */
  end(done: EngineEvent, task: StoredTask): void {
    this.#add(done, task)
    this.close()
  }

  /** No more events: watchers get what is there, then stop. */
  close(): void {
    this.#ended = true
    this.#wakeAll()
  }

  /**
   * What is told where events are missing up to this number, by default those that are no longer kept: that they are,
   * and how the task was after them. Whoever breaks off between the two is told of the gap again.
   */
  gapUntil(number = this.#first - 1, task = this.#before): EngineEvent[] {
    const seq = this.seqOf(number)
    return [
      { type: 'gap', seq: `${seq}.gap` },
      { type: 'state', task, seq },
    ]
  }

  join(watcher: Waiting): void {
    this.#watchers.add(watcher)
  }

  leave(watcher: Waiting): void {
    this.#watchers.delete(watcher)
  }

  #add(event: EngineEvent, task: StoredTask): void {
    this.#now = task
    this.#ring.push({ event, task })
    if (this.#ring.length > RING_SIZE) {
      this.#before = this.#ring.shift()!.task
      this.#first += 1
    }
    this.#wakeAll()
  }

  #wakeAll(): void {
    for (const watcher of this.#watchers) watcher.wake()
  }
}
