/** A task store over any Keyv storage adapter. */
import { EngineUnavailable } from '../engine.ts'
import type { Lost, Report, StoreCapabilities, TaskStore } from '../store.ts'
import type { StoredTask } from '../stored-task.ts'
import { checkAdapter, claimAdapter, namespaceOf, traitsOf, type Adapter, type RawRow } from './adapter.ts'
import { Guard } from './guard.ts'
import { KeyvAccess } from './keyv-access.ts'
import { KeyvSeat } from './keyv-seat.ts'
import { decodeEnvelope, NotJson, toTask, Unreadable } from './record-codec.ts'
import type { SeatTimes } from './seat.ts'
import { nextTurn, TimeLimit } from './time-limit.ts'

/** How a store over an adapter behaves. */
export interface KeyvStoreOptions {
  readonly name?: string
  /** What acknowledged writes survive. Default: what the adapter declares, else `'process'`. */
  readonly durable?: StoreCapabilities['durable']
  /** Longest wait for one read or write, in ms. Default 10,000. */
  readonly timeout?: number
  /** Of the seat, where the adapter has no lock of its own. */
  readonly seatTimes?: SeatTimes
}

/** Of an adapter that has no namespace of its own. */
const NAMESPACE = 'errand'
/** Who has the store. */
const OWNER = 'owner'
const TASK = 'task/'
/** Where values that can't be read are set aside, to be looked at by a human. */
const BAD = 'bad/'

/** One key per task, one value per task, so that one `set` is one change. */
export class KeyvStore implements TaskStore {
  readonly name: string
  readonly #adapter: Adapter
  readonly #namespace: string
  readonly #keyv: KeyvAccess
  readonly #options: KeyvStoreOptions
  readonly #limit: TimeLimit
  /** None where the adapter has a lock of its own. */
  #guard: Guard | undefined
  #claim: { readonly release: () => void } | undefined
  /** The last write under way of each key. */
  readonly #writing = new Map<string, Promise<unknown>>()
  #report: Report = () => {}
  #unreadable = 0

  constructor(adapter: Adapter, options: KeyvStoreOptions = {}) {
    checkAdapter(adapter)
    this.#adapter = adapter
    this.#limit = new TimeLimit(options.timeout ?? 10_000)
    this.name = options.name ?? 'keyv'
    this.#options = options
    this.#namespace = namespaceOf(adapter) ?? NAMESPACE
    this.#keyv = new KeyvAccess(adapter, this.#namespace)
  }

  get capabilities(): StoreCapabilities {
    return { durable: this.#options.durable ?? traitsOf(this.#adapter).durable ?? 'process' }
  }

  /** How many unreadable values were found since the start. */
  get unreadable(): number {
    return this.#unreadable
  }

  async open(report: Report, lost: Lost = () => {}): Promise<void> {
    this.#report = report
    this.#claim ??= claimAdapter(this.#adapter)
    await traitsOf(this.#adapter).open?.(report)
    this.#guard = traitsOf(this.#adapter).exclusive ? undefined : this.#createGuard()
    await this.#guard?.enter(lost)
  }

  async *loadAll(): AsyncGenerator<StoredTask> {
    const bad = new Map<string, Unreadable>()
    for await (const [key, raw] of this.#rows()) {
      const task = decode(raw, key)
      if (task instanceof Unreadable) bad.set(key, task)
      else if (task) yield task
    }
    // Only now: an adapter may skip rows when others are deleted while it walks.
    for (const [key, value] of bad) await this.#setAside(key, value)
  }

  put(task: StoredTask): Promise<void> {
    const key = TASK + task.id
    return this.#inOrder(key, () => this.#set(key, task, timeToLive(task)))
  }

  async putMany(tasks: readonly StoredTask[]): Promise<void> {
    await Promise.all(tasks.map((task) => this.put(task)))
  }

  async get(id: string): Promise<StoredTask | undefined> {
    const value: unknown = await this.#ask(this.#keyv.get(TASK + id), 'reading a task')
    if (value === undefined) return undefined
    const task = toTask(value, id)
    if (!(task instanceof Unreadable)) return task
    await this.#setAside(TASK + id, task)
    return undefined
  }

  async delete(id: string): Promise<void> {
    await this.#remove(TASK + id)
  }

  async close(): Promise<void> {
    try {
      await this.#finish().catch(this.#tell)
      await this.#ask(this.#keyv.disconnect(), 'closing it')
    } finally {
      this.#claim?.release()
      this.#claim = undefined
    }
  }

  /** While a write hangs, which may still be made, nobody else may have the store: then the seat is left to run out. */
  async #finish(): Promise<void> {
    try {
      await this.#ask(Promise.allSettled(this.#writing.values()), 'writing what was left')
    } catch (error) {
      this.#guard?.stop()
      throw error
    }
    await this.#guard?.leave()
  }

  readonly #tell = (error: Error): void => this.#report(error.message, error)

  #createGuard(): Guard {
    const { seatTimes: times } = this.#options
    const cell = {
      get: () => this.#keyv.get(OWNER),
      set: (value: unknown) => this.#keyv.set(OWNER, value),
      delete: () => this.#keyv.delete(OWNER),
    }
    return new Guard({
      seat: traitsOf(this.#adapter).seat ?? new KeyvSeat(cell, times),
      store: this.name,
      ask: (work, doing) => this.#ask(work, doing),
      ...(times ? { times } : {}),
    })
  }

  async *#rows(): AsyncGenerator<RawRow> {
    const rows = this.#keyv.rows()
    for (;;) {
      const next = await this.#ask(rows.next(), 'reading all tasks')
      if (next.done) return
      if (next.value) yield next.value
    }
  }

  #set(key: string, value: unknown, ttl?: number): Promise<void> {
    const written = this.#keyv.set(key, value, ttl)
    // A map answers in microtasks; a loop of tasks over it would let no timer and no socket have a turn.
    return this.#adapter instanceof Map ? written.then(nextTurn) : written
  }

  async #remove(key: string): Promise<void> {
    await this.#inOrder(key, () => this.#keyv.delete(key))
  }

  /** Begins a write when the one before under the same key has ended, however it ended. */
  #inOrder(key: string, write: () => Promise<void>): Promise<void> {
    const before = this.#writing.get(key)
    const begin = () => this.#asOwner(write)
    const work = before ? before.then(begin, begin) : begin()
    this.#writing.set(key, work)
    const forget = () => {
      if (this.#writing.get(key) === work) this.#writing.delete(key)
    }
    work.then(forget, forget)
    return this.#ask(work, 'writing a task')
  }

  /** Another process may have taken over while this one stood still. */
  #asOwner(write: () => Promise<void>): Promise<void> {
    return !this.#guard || this.#guard.isSure ? write() : this.#guard.makeSure().then(write)
  }

  #ask<T>(work: Promise<T>, doing: string): Promise<T> {
    return this.#limit.hold(work, doing).catch((error: unknown) => {
      throw toUnavailable(error, `The task store (${this.name}) failed while ${doing}`)
    })
  }

  async #setAside(key: string, { text, reason }: Unreadable): Promise<void> {
    this.#unreadable += 1
    const name = key.startsWith(TASK) ? key.slice(TASK.length) : key
    const what = `The record of task ${name} can't be read (${reason})`
    try {
      await this.#set(BAD + name, text)
      await this.#remove(key)
      const where = `${this.#namespace}:${BAD}${name}`
      this.#report(`${what}. It was set aside as ${where} and will not run (number ${this.#unreadable})`)
    } catch (error) {
      this.#report(`${what}, nor set aside. It stays where it is; the task will not run`, error)
    }
  }
}

/** The task under a key; undefined when its time is over, and for what is no task. */
const decode = (raw: unknown, key: string): StoredTask | Unreadable | undefined => {
  const decoded = isStoredData(raw) ? raw : undefined
  if (!key.startsWith(TASK)) {
    // Of a damaged row the key may be what is damaged.
    return decoded?.value instanceof Unreadable && !key.startsWith(BAD) ? decoded.value : undefined
  }
  const { value, expires } = decoded ?? decodeEnvelope(String(raw))
  return expires !== undefined && expires <= Date.now() ? undefined : toTask(value, key.slice(TASK.length))
}

/** Keyv lets an adapter decode a value itself. */
const isStoredData = (raw: unknown): raw is { readonly value: unknown; readonly expires?: number } =>
  typeof raw === 'object' && raw !== null && 'value' in raw

/** Only an ended task may vanish by itself. */
const timeToLive = ({ expiresAt }: StoredTask): number | undefined =>
  expiresAt === undefined ? undefined : Math.max(1, expiresAt - Date.now())

/** An adapter marks what it did not even try with `untouched`. */
const toUnavailable = (error: unknown, message: string): Error =>
  error instanceof EngineUnavailable || error instanceof NotJson
    ? error
    : new EngineUnavailable(`${message}: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
        untouched: (error as { untouched?: unknown } | undefined)?.untouched === true,
      })
