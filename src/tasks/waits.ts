/**
 * Who waits for which task. However many wait for one, the engine is asked once to tell of it; and one timer ends all
 * waits whose time is over.
 *
 * Not in it: who may see a task (tasks).
 */
import { isFinished } from '../protocol/task.ts'
import type { EngineEvent, TaskEngine } from './engine.ts'
import type { Clock } from './clock.ts'
import { Alarms } from './engines/alarms.ts'
import type { StoredTask } from './stored-task.ts'

/** What somebody waits for. */
export interface Wait {
  /** Until the task changes; else until it has ended. */
  readonly forChange: boolean
  /** Milliseconds. */
  readonly timeout: number
  readonly signal?: AbortSignal | undefined
}

/** What a wait ends with: the task as it then is, its time or its signal, or an engine that has no more to tell. */
export type WaitEnd = StoredTask | 'given up' | 'let go'

/** One who waits. */
interface Waiter {
  readonly forChange: boolean
  /** The revision that is known already. */
  readonly seen: number
  resolve(end: WaitEnd): void
  reject(error: unknown): void
}

/** Those who wait for one task. */
interface Watched {
  readonly waiters: Set<Waiter>
  readonly stop: AbortController
  latest?: StoredTask
}

const isDone = ({ forChange, seen }: Waiter, { status, revision }: StoredTask): boolean =>
  isFinished(status) || (forChange && revision > seen)

/** Waits for tasks of one engine. */
export class Waits {
  readonly #engine: () => Promise<TaskEngine>
  readonly #watched = new Map<string, Watched>()
  readonly #clock: Clock
  readonly #alarms: Alarms<Waiter>

  constructor(engine: () => Promise<TaskEngine>, clock: Clock) {
    this.#engine = engine
    this.#clock = clock
    this.#alarms = new Alarms(clock, (waiter) => waiter.resolve('given up'), { keepsAlive: false })
  }

  async until({ id, revision }: StoredTask, { forChange, timeout, signal }: Wait): Promise<WaitEnd> {
    if (signal?.aborted) return 'given up'
    const { promise, resolve, reject } = Promise.withResolvers<WaitEnd>()
    const waiter = { forChange, seen: revision, resolve, reject }
    const giveUp = (): void => resolve('given up')
    const alarm = timeout === Infinity ? undefined : this.#alarms.set(waiter, this.#clock.now() + timeout)
    signal?.addEventListener('abort', giveUp)
    const watched = this.#join(id, waiter)
    try {
      return await promise
    } finally {
      if (alarm) this.#alarms.cancel(alarm)
      signal?.removeEventListener('abort', giveUp)
      this.#leave(id, watched, waiter)
    }
  }

  #join(id: string, waiter: Waiter): Watched {
    const watched = this.#watched.get(id) ?? this.#watch(id)
    watched.waiters.add(waiter)
    const { latest } = watched
    if (latest && latest.revision > waiter.seen && isDone(waiter, latest)) waiter.resolve(latest)
    return watched
  }

  #leave(id: string, watched: Watched, waiter: Waiter): void {
    watched.waiters.delete(waiter)
    if (watched.waiters.size > 0 || this.#watched.get(id) !== watched) return
    this.#watched.delete(id)
    watched.stop.abort()
  }

  #watch(id: string): Watched {
    const watched: Watched = { waiters: new Set(), stop: new AbortController() }
    this.#watched.set(id, watched)
    void this.#follow(id, watched)
    return watched
  }

  /** Never rejects: each waiter hears of a failure. */
  async #follow(id: string, watched: Watched): Promise<void> {
    const { waiters, stop } = watched
    try {
      const engine = await this.#engine()
      for await (const event of engine.events(id, { once: true, signal: stop.signal })) {
        const task = await taskOf(event, id, watched, engine)
        if (!task) continue
        watched.latest = task
        if (event.type === 'done') this.#watched.delete(id)
        for (const waiter of waiters) if (isDone(waiter, task)) waiter.resolve(task)
      }
      for (const waiter of waiters) waiter.resolve('let go')
    } catch (error) {
      for (const waiter of waiters) waiter.reject(error)
    } finally {
      if (this.#watched.get(id) === watched) this.#watched.delete(id)
    }
  }
}

/** The task after an event, as far as anybody waits for what happened. */
const taskOf = (
  event: EngineEvent,
  id: string,
  { waiters }: Watched,
  engine: TaskEngine,
): StoredTask | undefined | Promise<StoredTask | undefined> => {
  if ('task' in event) return event.task
  if (event.type === 'log' || ![...waiters].some(({ forChange }) => forChange)) return undefined
  return engine.get(id)
}
