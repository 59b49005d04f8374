/**
 * A Keyv storage adapter over Node's own SQLite: nothing to install, and every acknowledged write on the
 * disk.
 */
import { EventEmitter } from 'node:events'
import { resolve } from 'node:path'
import type { KeyvStoreAdapter, StoredData } from 'keyv'
import type { Report } from '../store.ts'
import { GroupCommit, type Write } from './group-commit.ts'
import { Unreadable } from './record-codec.ts'
import { openStore, type OnDamage, type OpenStore, type WriterPlace } from './sqlite/open.ts'
import { isIntact, sumOf, type Row } from './sqlite/row.ts'

/** Where the rows are, and how they are written. */
export interface SqliteAdapterOptions {
  /** Default: `.errand` in the working directory. */
  readonly dir?: string
  /** Default `'tasks.db'`. */
  readonly file?: string
  /** Default `'auto'`. */
  readonly writer?: WriterPlace
  /** Default `'refuse'`. */
  readonly onDamage?: OnDamage
}

interface Open {
  readonly store: OpenStore
  readonly commits: GroupCommit
}

/**
 * Opens its file at first use, or at `open`. Writes of one event-loop turn share one commit.
 * Rows past their time are not returned, and deleted when they are met. The value of a damaged row is an
 * `Unreadable`.
 */
export class SqliteAdapter extends EventEmitter implements KeyvStoreAdapter {
  /** What acknowledged writes survive. */
  readonly durable = 'power'
  /** Another process is kept out, by a lock. */
  readonly exclusive = true
  /** Read by Keyv, which recognises adapters it can iterate by their dialect. */
  readonly opts: { readonly dialect: 'sqlite'; readonly url: string }
  namespace?: string | undefined
  readonly #path: string
  readonly #writer: WriterPlace
  readonly #onDamage: OnDamage
  #report: Report = (message, cause) => this.emit('error', new Error(message, { cause }))
  #state: Open | undefined
  #opening: Promise<Open> | undefined
  #closed = false

  constructor(options: SqliteAdapterOptions = {}) {
    super()
    const { dir = '.errand', file = 'tasks.db', writer = 'auto', onDamage = 'refuse' } = options
    this.#path = resolve(dir, file)
    this.#writer = writer
    this.#onDamage = onDamage
    this.opts = { dialect: 'sqlite', url: `sqlite://${this.#path}` }
  }

  /**
   * Opens the file now, also after `disconnect`. What is found missing is reported.
   * @throws Error when another process owns it or when it is damaged
   */
  async open(report = this.#report): Promise<void> {
    this.#report = report
    this.#closed = false
    await this.#opened()
  }

  async get<Value>(key: string): Promise<StoredData<Value> | undefined> {
    return this.#fresh((await this.#opened()).store.reader.read(key)) as StoredData<Value> | undefined
  }

  async getMany<Value>(keys: string[]): Promise<Array<StoredData<Value | undefined>>> {
    const { reader } = (await this.#opened()).store
    return keys.map((key) => this.#fresh(reader.read(key)) as StoredData<Value | undefined>)
  }

  async set(key: string, value: unknown, ttl?: number): Promise<boolean> {
    const text = toText(key, value)
    const expires = ttl ? Date.now() + ttl : null
    await this.#write({ kind: 'put', values: [key, sumOf(key, expires, text), expires, text] })
    return true
  }

  async setMany(values: Array<{ key: string; value: unknown; ttl?: number }>): Promise<void> {
    const results = await Promise.all(values.map(({ key, value, ttl }) => this.set(key, value, ttl)))
    // Keyv declares `void` and hands on to its caller, who expects booleans, what it gets.
    return results as unknown as void
  }

  async delete(key: string): Promise<boolean> {
    return (await this.#write({ kind: 'delete', values: [key] })) > 0
  }

  async deleteMany(keys: string[]): Promise<boolean> {
    const results = await Promise.all(keys.map((key) => this.delete(key)))
    return results.some(Boolean)
  }

  async has(key: string): Promise<boolean> {
    return (await this.get(key)) !== undefined
  }

  /** Deletes the rows of the namespace, or all without one. */
  async clear(): Promise<void> {
    await this.#write({ kind: 'clear', values: toRange(this.namespace) })
  }

  /** All rows of a namespace in order of their keys, those included that are written meanwhile. */
  async *iterator<Value>(
    namespace?: string,
  ): AsyncGenerator<Array<string | Awaited<Value> | undefined>, void> {
    const { reader } = (await this.#opened()).store
    const [from, to] = toRange(namespace)
    let page: readonly Row[] = []
    for (let after: string = from; (page = reader.page(after, to)).length > 0; after = page.at(-1)!.key)
      for (const row of page) {
        const value = this.#fresh(row)
        if (value !== undefined) yield [row.key, value as Awaited<Value>]
      }
  }

  /** Writes what waits, closes the file and gives the lock back. */
  async disconnect(): Promise<void> {
    this.#closed = true
    const state = this.#state ?? (await this.#opening?.catch(() => undefined))
    this.#state = this.#opening = undefined
    if (!state) return
    await state.commits.idle()
    await state.store.close()
  }

  #write(write: Write): Promise<number> {
    return this.#state?.commits.write(write) ?? this.#opened().then(({ commits }) => commits.write(write))
  }

  async #opened(): Promise<Open> {
    if (this.#state) return this.#state
    if (this.#closed) throw new Error(`${this.opts.url} is disconnected. Call open() to use it again.`)
    this.#opening ??= this.#openFile()
    return this.#opening
  }

  async #openFile(): Promise<Open> {
    try {
      const store = await openStore({
        path: this.#path,
        range: toRange(this.namespace),
        writer: this.#writer,
        onDamage: this.#onDamage,
        report: (message, error) => this.#report(message, error),
      })
      this.#state = { store, commits: new GroupCommit((writes) => store.writer.commit(writes)) }
      return this.#state
    } finally {
      this.#opening = undefined
    }
  }

  /** The value of a row, unless its time is over: then the row is deleted, which nobody waits for. */
  #fresh(row: Row | undefined): string | { readonly value: Unreadable } | undefined {
    if (row && !isIntact(row)) return { value: new Unreadable(row.value, 'its checksum is wrong') }
    if (!row || row.expires === null || row.expires > Date.now()) return row?.value
    // Not `delete`: a new value may be on its way. A failure is left alone: the row is met again.
    this.#write({ kind: 'expire', values: [row.key, Date.now()] }).catch(() => {})
    return undefined
  }
}

const toText = (key: string, value: unknown): string => {
  if (typeof value === 'string') return value
  throw new TypeError(
    `SqliteAdapter holds text, and the value of ${JSON.stringify(key)} is ${typeof value}. ` +
      `Leave Keyv's serialize option on, or set text.`,
  )
}

/** Keys of a namespace begin with `namespace:`, and `;` follows `:`. Any blob sorts after all texts. */
const toRange = (namespace: string | undefined): readonly [string, string | Uint8Array] =>
  namespace === undefined ? ['', new Uint8Array(0)] : [`${namespace}:`, `${namespace};`]
