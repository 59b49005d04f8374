/**
 * A Keyv storage adapter over Node's own SQLite: nothing to install, and every acknowledged write on the
 * disk.
 */
import { EventEmitter } from 'node:events'
import { resolve } from 'node:path'
import type { KeyvStoreAdapter, StoredData } from 'keyv'
import { GroupCommit, type Write } from './group-commit.ts'
import { openSqliteFile, type Row, type SqliteFile } from './sqlite-file.ts'

/** Where the rows are. */
export interface SqliteAdapterOptions {
  /** Default: `ERRAND_DATA`, else `.errand` in the working directory. */
  readonly dir?: string
  /** Default `'tasks.db'`. */
  readonly file?: string
  /** Whether this process must be the only one, which tasks need and a shared cache doesn't. Default true. */
  readonly exclusive?: boolean
}

interface Open {
  readonly file: SqliteFile
  readonly commits: GroupCommit
}

/**
 * Opens its file at first use, or at `open`. Writes of one event-loop turn share one commit.
 * Rows past their time are not returned, and deleted when they are met.
 *
 * @example const cache = new Keyv({ store: new SqliteAdapter({ dir: './cache', exclusive: false }) })
 */
export class SqliteAdapter extends EventEmitter implements KeyvStoreAdapter {
  /** What acknowledged writes survive. */
  readonly durable = 'power'
  /** Read by Keyv, which recognises adapters it can iterate by their dialect. */
  readonly opts: { readonly dialect: 'sqlite'; readonly url: string }
  namespace?: string | undefined
  readonly #path: string
  /** Whether another process is kept out, by a lock on the file. */
  readonly exclusive: boolean
  #state: Open | undefined
  #opening: Promise<Open> | undefined
  #closed = false

  constructor(options: SqliteAdapterOptions = {}) {
    super()
    this.#path = resolve(options.dir ?? (process.env['ERRAND_DATA'] || '.errand'), options.file ?? 'tasks.db')
    this.exclusive = options.exclusive ?? true
    this.opts = { dialect: 'sqlite', url: `sqlite://${this.#path}` }
  }

  /**
   * Opens the file now, also after `disconnect`.
   * @throws Error when another process owns it or when it is damaged
   */
  async open(): Promise<void> {
    this.#closed = false
    await this.#opened()
  }

  async get<Value>(key: string): Promise<StoredData<Value> | undefined> {
    return this.#fresh((await this.#opened()).file.read(key)) as StoredData<Value> | undefined
  }

  async getMany<Value>(keys: string[]): Promise<Array<StoredData<Value | undefined>>> {
    const { file } = await this.#opened()
    return keys.map((key) => this.#fresh(file.read(key)) as StoredData<Value | undefined>)
  }

  async set(key: string, value: unknown, ttl?: number): Promise<boolean> {
    await this.#write({ kind: 'put', values: [key, toText(key, value), ttl ? Date.now() + ttl : null] })
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
    const { file } = await this.#opened()
    const [from, to] = toRange(namespace)
    let page: readonly Row[] = []
    for (let after: string = from; (page = file.page(after, to)).length > 0; after = page.at(-1)!.key)
      for (const row of page) {
        const value = this.#fresh(row)
        if (value !== undefined) yield [row.key, value]
      }
  }

  /** Writes what waits, closes the file and gives the lock back. */
  async disconnect(): Promise<void> {
    this.#closed = true
    const state = this.#state ?? (await this.#opening?.catch(() => undefined))
    this.#state = this.#opening = undefined
    if (!state) return
    await state.commits.idle()
    state.file.close()
  }

  async #write(write: Write): Promise<number> {
    return (this.#state ?? (await this.#opened())).commits.write(write)
  }

  async #opened(): Promise<Open> {
    if (this.#state) return this.#state
    if (this.#closed) throw new Error(`${this.opts.url} is disconnected. Call open() to use it again.`)
    this.#opening ??= this.#openFile()
    return this.#opening
  }

  async #openFile(): Promise<Open> {
    try {
      const file = await openSqliteFile(this.#path, { exclusive: this.exclusive })
      this.#state = { file, commits: new GroupCommit((writes) => file.commit(writes)) }
      return this.#state
    } finally {
      this.#opening = undefined
    }
  }

  /** The value of a row, unless its time is over: then the row is deleted, which nobody waits for. */
  #fresh(row: Row | undefined): string | undefined {
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
