/** A task store over any Keyv storage adapter. */
import { Keyv } from 'keyv'
import { EngineUnavailable } from '../engine.ts'
import type { Report, StoreCapabilities, TaskStore } from '../store.ts'
import type { StoredTask } from '../stored-task.ts'
import { checkAdapter, claimAdapter, durabilityOf, rowsOf, type Adapter } from './adapter.ts'
import { decodeEnvelope, encodeEnvelope, NotJson, toTask, Unreadable } from './record-codec.ts'
import { nextTurn, withTimeLimit } from './time-limit.ts'

/** How a store over an adapter behaves. */
export interface KeyvStoreOptions {
  readonly name?: string
  /** What acknowledged writes survive. Default: what the adapter declares, else `'process'`. */
  readonly durable?: StoreCapabilities['durable']
  /** Longest wait for one read or write, in ms. Default 10,000. */
  readonly timeout?: number
}

/** An adapter may have more to do at the start than at a first read, such as taking a lock. */
interface Opens {
  open?(): Promise<void>
}

const NAMESPACE = 'errand'
const TASK = 'task/'
/** Where values that can't be read are set aside, to be looked at by a human. */
const BAD = 'bad/'

/**
 * One key per task, one value per task, so that one `set` is one change. Keyv hides failures where it can (a
 * failed `set` resolves `false`, a failed `get` looks like an absent key): here everything but an explicit
 * success throws.
 */
export class KeyvStore implements TaskStore {
  readonly name: string
  readonly capabilities: StoreCapabilities
  readonly #adapter: Adapter
  readonly #keyv: Keyv
  readonly #timeout: number
  #claim: { readonly release: () => void } | undefined
  /** The last write under way of each key. */
  readonly #writing = new Map<string, Promise<unknown>>()
  #report: Report = () => {}
  #unreadable = 0

  constructor(adapter: Adapter, options: KeyvStoreOptions = {}) {
    checkAdapter(adapter)
    this.#adapter = adapter
    this.#timeout = options.timeout ?? 10_000
    this.name = options.name ?? 'keyv'
    this.capabilities = { durable: options.durable ?? durabilityOf(adapter) }
    this.#keyv = new Keyv({
      store: adapter,
      namespace: NAMESPACE,
      throwOnErrors: true,
      serialize: encodeEnvelope,
      deserialize: decodeEnvelope as never, // Keyv wants it generic in a type that no parser can know.
    })
  }

  /** How many unreadable values were found since the start. */
  get unreadable(): number {
    return this.#unreadable
  }

  async open(report: Report): Promise<void> {
    this.#report = report
    this.#claim ??= claimAdapter(this.#adapter)
    await (this.#adapter as Opens).open?.()
  }

  async *loadAll(): AsyncGenerator<StoredTask> {
    const bad = new Map<string, Unreadable>()
    for await (const [key, raw] of this.#rows()) {
      if (!key.startsWith(TASK)) continue
      const id = key.slice(TASK.length)
      const task = decode(raw, id)
      if (task instanceof Unreadable) bad.set(id, task)
      else if (task) yield task
    }
    // Only now: an adapter may skip rows when others are deleted while it walks.
    for (const [id, value] of bad) await this.#setAside(id, value)
  }

  async put(task: StoredTask): Promise<void> {
    const key = TASK + task.id
    await this.#inOrder(key, () => this.#set(key, task, timeToLive(task)))
  }

  async putMany(tasks: readonly StoredTask[]): Promise<void> {
    await Promise.all(tasks.map((task) => this.put(task)))
  }

  async get(id: string): Promise<StoredTask | undefined> {
    const value: unknown = await this.#ask(this.#keyv.get(TASK + id), 'reading a task')
    if (value === undefined) return undefined
    const task = toTask(value, id)
    if (!(task instanceof Unreadable)) return task
    await this.#setAside(id, task)
    return undefined
  }

  async delete(id: string): Promise<void> {
    await this.#inOrder(TASK + id, () => this.#keyv.delete(TASK + id))
  }

  async close(): Promise<void> {
    try {
      await this.#ask(this.#disconnect(), 'closing it')
    } finally {
      this.#claim?.release()
      this.#claim = undefined
    }
  }

  async #disconnect(): Promise<void> {
    await Promise.allSettled(this.#writing.values())
    await this.#keyv.disconnect()
  }

  async *#rows(): AsyncGenerator<readonly [string, unknown]> {
    const rows = rowsOf(this.#adapter, NAMESPACE)
    for (;;) {
      const next = await this.#ask(rows.next(), 'reading all tasks')
      if (next.done) return
      yield next.value
    }
  }

  async #set(key: string, value: unknown, ttl?: number): Promise<void> {
    if (!(await this.#keyv.set(key, value, ttl)))
      throw new Error(`The store refused to write ${key} and did not say why`)
    // A map answers in microtasks; a loop of tasks over it would let no timer and no socket have a turn.
    if (this.#adapter instanceof Map) await nextTurn()
  }

  /** Begins a write when the one before under the same key has ended, however it ended. */
  #inOrder(key: string, write: () => Promise<unknown>): Promise<unknown> {
    const before = this.#writing.get(key)
    const work = before ? before.then(write, write) : write()
    this.#writing.set(key, work)
    const forget = () => {
      if (this.#writing.get(key) === work) this.#writing.delete(key)
    }
    work.then(forget, forget)
    return this.#ask(work, 'writing a task')
  }

  async #ask<T>(work: Promise<T>, doing: string): Promise<T> {
    try {
      return await withTimeLimit(work, this.#timeout, doing)
    } catch (error) {
      throw toUnavailable(error, `The task store (${this.name}) failed while ${doing}`)
    }
  }

  async #setAside(id: string, { text, reason }: Unreadable): Promise<void> {
    this.#unreadable += 1
    const what = `The record of task ${id} can't be read (${reason})`
    try {
      await this.#set(BAD + id, text)
      await this.delete(id)
      const where = `${NAMESPACE}:${BAD}${id}`
      this.#report(`${what}. It was set aside as ${where} and will not run (number ${this.#unreadable})`)
    } catch (error) {
      this.#report(`${what}, nor set aside. It stays where it is; the task will not run`, error)
    }
  }
}

const decode = (raw: unknown, id: string): StoredTask | Unreadable | undefined => {
  const { value, expires } = decodeEnvelope(typeof raw === 'string' ? raw : String(raw))
  return expires !== undefined && expires <= Date.now() ? undefined : toTask(value, id)
}

/** Only an ended task may vanish by itself. */
const timeToLive = ({ expiresAt }: StoredTask): number | undefined =>
  expiresAt === undefined ? undefined : Math.max(1, expiresAt - Date.now())

const toUnavailable = (error: unknown, message: string): Error =>
  error instanceof EngineUnavailable || error instanceof NotJson
    ? error
    : new EngineUnavailable(`${message}: ${error instanceof Error ? error.message : String(error)}`, {
        cause: error,
      })
