/**
 * Who waits for which task. However many wait for one, the engine is asked once to tell of it; and one timer ends all
 * waits whose time is over.
 *
 * Not in it: who may see a task (tasks).
 */
import { isFinished } from '../protocol/task.ts'
import type { Clock } from './clock.ts'
import type { TaskEngine } from './engine.ts'
import { Alarms } from './engines/alarms.ts'
import type { StoredTask } from './stored-task.ts'

/** What is waited for: that a task ends, or that it changes at all. */
export type Awaited = 'end' | 'change'

/** How somebody waits. */
export interface Wait {
  readonly for: Awaited
  /** Milliseconds. */
  readonly timeout: number
  readonly signal?: AbortSignal | undefined
}

/** What a wait ends with: the task as it then is, its time or its signal, or an engine that has no more to tell. */
export type WaitEnd = StoredTask | 'given up' | 'let go'

/** One who waits. */
interface Waiter {
  /** The revision that is known already. */
  readonly seen: number
  resolve(end: WaitEnd): void
  reject(error: unknown): void
}

/** Those who wait for the same of one task. */
interface Crowd {
  readonly waiters: Set<Waiter>
  readonly stop: AbortController
  latest?: StoredTask
}

type Tell = (task: StoredTask) => void

/** How an engine is asked. Resolves when there is no more to tell, or when the signal aborts. */
const FOLLOW: Record<
  Awaited,
  (engine: TaskEngine, id: string, tell: Tell, signal: AbortSignal) => Promise<void>
> = {
  async end(engine, id, tell, signal) {
    const task = await engine.ended(id, signal)
    if (task) tell(task)
  },
  async change(engine, id, tell, signal) {
    for await (const event of engine.events(id, { signal })) {
      const task = 'task' in event ? event.task : event.type === 'log' ? undefined : await engine.get(id)
      if (task) tell(task)
    }
  },
}

/** Waits for tasks of one engine. */
export class Waits {
  readonly #engine: () => Promise<TaskEngine>
  readonly #clock: Clock
  readonly #crowds: Record<Awaited, Map<string, Crowd>> = { end: new Map(), change: new Map() }
  readonly #alarms: Alarms<Waiter>

  constructor(engine: () => Promise<TaskEngine>, clock: Clock) {
    this.#engine = engine
    this.#clock = clock
    this.#alarms = new Alarms(clock, (waiter) => waiter.resolve('given up'), { keepsAlive: false })
  }

  /** `seen` is the revision that is known already. */
  until(id: string, wait: Wait, seen = 0): Promise<WaitEnd> {
    const { promise, resolve, reject } = Promise.withResolvers<WaitEnd>()
    const waiter = { seen, resolve, reject }
    const isForGood = wait.for === 'end' && wait.timeout === Infinity && !wait.signal
    if (!isForGood) return this.#untilGivenUp(id, waiter, promise, wait)
    this.#join('end', id, waiter)
    return promise
  }

  async #untilGivenUp(id: string, waiter: Waiter, end: Promise<WaitEnd>, wait: Wait): Promise<WaitEnd> {
    const { for: awaited, timeout, signal } = wait
    if (signal?.aborted) return 'given up'
    const giveUp = (): void => waiter.resolve('given up')
    const alarm = timeout === Infinity ? undefined : this.#alarms.set(waiter, this.#clock.now() + timeout)
    signal?.addEventListener('abort', giveUp)
    const crowd = this.#join(awaited, id, waiter)
    try {
      return await end
    } finally {
      if (alarm) this.#alarms.cancel(alarm)
      signal?.removeEventListener('abort', giveUp)
      this.#leave(awaited, id, crowd, waiter)
    }
  }

  #join(awaited: Awaited, id: string, waiter: Waiter): Crowd {
    const crowd = this.#crowds[awaited].get(id) ?? this.#gather(awaited, id)
    crowd.waiters.add(waiter)
    const { latest } = crowd
    if (latest && latest.revision > waiter.seen) waiter.resolve(latest)
    return crowd
  }

  /** The last one out lets the engine know; unless that had no more to tell. */
  #leave(awaited: Awaited, id: string, crowd: Crowd, waiter: Waiter): void {
    crowd.waiters.delete(waiter)
    if (crowd.waiters.size === 0 && this.#dissolve(awaited, id, crowd)) crowd.stop.abort()
  }

  #gather(awaited: Awaited, id: string): Crowd {
    const crowd: Crowd = { waiters: new Set(), stop: new AbortController() }
    this.#crowds[awaited].set(id, crowd)
    void this.#follow(awaited, id, crowd)
    return crowd
  }

  /** Never rejects: each waiter hears of a failure. */
  async #follow(awaited: Awaited, id: string, crowd: Crowd): Promise<void> {
    const tell: Tell = (task) => {
      crowd.latest = task
      if (isFinished(task.status)) this.#dissolve(awaited, id, crowd)
      for (const waiter of crowd.waiters) if (task.revision > waiter.seen) waiter.resolve(task)
    }
    try {
      await FOLLOW[awaited](await this.#engine(), id, tell, crowd.stop.signal)
      for (const waiter of crowd.waiters) waiter.resolve('let go')
    } catch (error) {
      for (const waiter of crowd.waiters) waiter.reject(error)
    }
    this.#dissolve(awaited, id, crowd)
  }

  /** False when that was done before. */
  #dissolve(awaited: Awaited, id: string, crowd: Crowd): boolean {
    return this.#crowds[awaited].get(id) === crowd && this.#crowds[awaited].delete(id)
  }
}
