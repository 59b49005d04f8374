/**
 * The records of a local engine: every change is written first, then made in memory, then told to watchers.
 *
 * Not in it: what changes (lifecycle), when (engine, dispatcher).
 */
import { isFinished } from '../../protocol/task.ts'
import { EngineUnavailable, type EngineHost } from '../engine.ts'
import { withLateProgress } from '../lifecycle.ts'
import type { TaskStore } from '../store.ts'
import type { StoredTask } from '../stored-task.ts'
import { inTurn, toLive, type Entry } from './entry.ts'
import type { EventHub } from './event-hub.ts'
import { TaskIndex } from './task-index.ts'

/** What it works with. */
export interface LedgerParts {
  /** Told of each change, once it is written. */
  readonly host: Pick<EngineHost, 'clock' | 'changed'>
  readonly store: TaskStore
  readonly hub: EventHub
}

/** Joins index, store and watchers. */
export class Ledger {
  readonly index = new TaskIndex()
  readonly #store: TaskStore
  readonly #hub: EventHub
  readonly #host: LedgerParts['host']
  /** Tasks that may have been written although their callers heard that they were not. */
  readonly #doubtful = new Set<string>()

  constructor({ host, store, hub }: LedgerParts) {
    this.#host = host
    this.#store = store
    this.#hub = hub
  }

  /** Learns of all tasks in the store. */
  load(): Promise<void> {
    return this.index.addAll(this.#store.loadAll())
  }

  /** Writes a new task. One whose write failed is retracted, in case it was made. */
  async create(task: StoredTask): Promise<Entry> {
    try {
      await this.#store.put(task)
    } catch (error) {
      if (error instanceof EngineUnavailable && !error.untouched) {
        this.#doubtful.add(task.id)
        this.#retract(task.id).catch(() => {}) // Its caller hears that the write failed; `retract` tries again.
      }
      throw error
    }
    return this.index.add(task)
  }

  /** Deletes what callers were told was not written. Rejects while the store fails. */
  async retract(): Promise<void> {
    await Promise.all([...this.#doubtful].map((id) => this.#retract(id)))
  }

  /** The record of a known task; undefined when its time was over just now. */
  async read(entry: Entry): Promise<StoredTask | undefined> {
    return entry.live?.task ?? this.#store.get(entry.id)
  }

  /** Writes what `change` makes of a task that has not ended. Resolves with the task as it then is. */
  change(entry: Entry, change: (task: StoredTask) => StoredTask): Promise<StoredTask | undefined> {
    return inTurn(entry, async () => {
      const before = entry.live?.task
      if (!before) return this.read(entry)
      const next = change(before)
      if (next === before) return before
      await this.#store.put(next)
      const task = this.#apply(entry, next, before)
      this.#host.changed?.(before, task)
      return task
    })
  }

  /** Writes changes of many tasks at once; nobody else changes them meanwhile. */
  async changeAll(entries: readonly Entry[], change: (task: StoredTask) => StoredTask): Promise<void> {
    const changes = entries.flatMap((entry) =>
      entry.live ? [{ entry, before: entry.live.task, next: change(entry.live.task) }] : [],
    )
    await this.#store.putMany(changes.map(({ next }) => next))
    for (const { entry, before, next } of changes) {
      const task = this.#apply(entry, next, before)
      this.#host.changed?.(before, task)
    }
  }

  /** Writes an ended task that lives again. `change` is only asked when it is still there. */
  revive(entry: Entry, change: (task: StoredTask) => StoredTask): Promise<StoredTask | undefined> {
    return inTurn(entry, async () => {
      const before = await this.read(entry)
      if (!before || this.index.find(entry.id, this.#host.clock.now()) !== entry) return undefined
      const next = change(before)
      if (next === before) return before
      await this.#store.put(next)
      entry.live = toLive(next)
      this.#hub.forget(entry.id)
      const task = this.#apply(entry, next, next)
      this.#host.changed?.(before, task)
      return task
    })
  }

  /** Deletes an ended task. False when it lives. */
  forget(entry: Entry): Promise<boolean> {
    return inTurn(entry, async () => {
      if (entry.live) return false
      await this.#store.delete(entry.id)
      this.index.remove(entry)
      this.#hub.forget(entry.id)
      return true
    })
  }

  async #retract(id: string): Promise<void> {
    await this.#store.delete(id)
    this.#doubtful.delete(id)
  }

  #apply(entry: Entry, written: StoredTask, before: StoredTask): StoredTask {
    const latest = entry.live?.task ?? before
    const task = latest === before ? written : withLateProgress(written, latest)
    this.index.move(entry, task.status)
    entry.expiresAt = task.expiresAt ?? Infinity
    if (isFinished(task.status)) entry.live = undefined
    else if (entry.live) entry.live.task = task
    this.#hub.changed(task)
    return task
  }
}
