/**
 * An adapter of @keyv/redis with what task records need: it fails at once when it is not connected, never says that a
 * write was made which was not, walks large servers in few steps, and knows what its server keeps.
 */
import type { KeyvStoreAdapter, StoredData } from 'keyv'
import { EngineUnavailable } from '../../engine.ts'
import type { Report, StoreCapabilities } from '../../store.ts'
import type { AdapterTraits } from '../adapter.ts'
import type { Seat } from '../seat.ts'
import type { KeyvRedis, RedisClient } from './client.ts'
import { toText, type Connection } from './connection.ts'
import { RedisSeat } from './seat.ts'
import { durabilityOf, readSettings, settingsProblems } from './settings.ts'

/** Keys looked at in one step of a walk; the server does nothing else meanwhile, for about a millisecond. */
const STEP = 1000
/** Values read at once: each may be large. */
const AT_ONCE = 100

/** Ready to hold tasks. */
export class RedisAdapter implements KeyvStoreAdapter, AdapterTraits {
  /** Read by Keyv. Without the URL, which may hold a password. */
  readonly opts = { dialect: 'redis', url: '' }
  readonly seat: Seat
  readonly #redis: KeyvRedis
  readonly #connection: Connection
  /** Its server, to be shown. */
  readonly where: string
  #durable: StoreCapabilities['durable'] = 'process'

  constructor(redis: KeyvRedis, connection: Connection, where: string) {
    redis.throwOnErrors = redis.throwOnConnectError = true
    this.#redis = redis
    this.#connection = connection
    this.where = where
    const key = (): string => redis.createKeyPrefix(`${redis.namespace}:owner`, redis.namespace)
    this.seat = new RedisSeat((run) => this.#send(() => run(redis.client)), key)
  }

  get namespace(): string | undefined {
    return this.#redis.namespace
  }

  set namespace(namespace: string | undefined) {
    this.#redis.namespace = namespace
  }

  get durable(): StoreCapabilities['durable'] {
    return this.#durable
  }

  on(event: string, listener: (...args: unknown[]) => void): this {
    this.#redis.on(event, listener)
    return this
  }

  async open(report: Report): Promise<void> {
    this.#checkNamespace()
    await this.#connect(report)
    const warn: Report = (message, error) =>
      report(`The Redis server of the task store (${this.where}) ${message}`, error, 'warn')
    try {
      const settings = await this.#send(() => readSettings(this.#redis.client))
      this.#durable = durabilityOf(settings)
      for (const problem of settingsProblems(settings)) warn(`can lose tasks: ${problem}`)
    } catch (error) {
      warn(
        'does not tell whether it can lose tasks: it needs appendonly yes and maxmemory-policy noeviction',
        error,
      )
    }
  }

  get<Value>(key: string): Promise<StoredData<Value> | undefined> {
    return this.#send(() => this.#redis.get<Value>(key))
  }

  async set(key: string, value: unknown, ttl?: number): Promise<boolean> {
    await this.#send(() => this.#redis.set(key, value, ttl))
    return true
  }

  delete(key: string): Promise<boolean> {
    return this.#send(() => this.#redis.delete(key))
  }

  clear(): Promise<void> {
    return this.#send(() => this.#redis.clear())
  }

  /** All rows of a namespace, some perhaps twice; an empty one for each step, as a sign that the walk goes on. */
  async *iterator<Value>(namespace?: string): AsyncGenerator<[string, Awaited<Value> | undefined], void> {
    const prefix = this.#redis.createKeyPrefix('', namespace)
    for (const node of await this.#send(() => this.#redis.getMasterNodes())) {
      let cursor = '0'
      do {
        const step = { MATCH: `${prefix}*`, COUNT: STEP, TYPE: 'string' }
        const found = await this.#send(() => node.scan(cursor, step))
        cursor = found.cursor
        yield ['', undefined]
        yield* this.#valuesOf<Value>(found.keys.map((key) => key.slice(prefix.length)))
      } while (cursor !== '0')
    }
  }

  disconnect(): Promise<void> {
    return this.#connection.close()
  }

  async *#valuesOf<Value>(
    keys: readonly string[],
  ): AsyncGenerator<[string, Awaited<Value> | undefined], void> {
    for (let from = 0; from < keys.length; from += AT_ONCE) {
      const some = keys.slice(from, from + AT_ONCE)
      const values = await this.#send(() => this.#redis.getMany<Awaited<Value>>(some))
      // One that is gone by now ran out, or was deleted.
      for (const [index, key] of some.entries()) if (values[index] !== undefined) yield [key, values[index]]
    }
  }

  async #connect(report: Report): Promise<void> {
    try {
      await this.#connection.open(report)
    } catch (error) {
      throw new EngineUnavailable(
        `The task store can't be opened: the Redis server at ${this.where} can't be reached (${toText(error)}). ` +
          'Start it, or correct the address or the password, and try again',
        { cause: error, untouched: true },
      )
    }
  }

  async #send<T>(command: () => Promise<T>): Promise<T> {
    this.#connection.begin()
    try {
      const answer = await command()
      this.#connection.end()
      return answer
    } catch (error) {
      this.#connection.end(error)
      throw error
    }
  }

  /** Redis would read them as a pattern, and a walk would miss every record. */
  #checkNamespace(): void {
    const { namespace = '', keyPrefixSeparator } = this.#redis
    const found = /[*?[\]\\]/.exec(namespace + keyPrefixSeparator)?.[0]
    if (found === undefined) return
    throw new TypeError(
      `The namespace or key prefix separator of the Redis adapter has a ${found}, which Redis reads as part of a ` +
        'pattern. Expected: none of * ? [ ] \\',
    )
  }
}

/** How to name the server of an adapter that somebody else made. */
export const whereIs = ({ options }: RedisClient & { readonly options?: unknown }): string => {
  const { socket, database = 0 } = (options ?? {}) as {
    readonly socket?: { readonly host?: string; readonly port?: number; readonly path?: string }
    readonly database?: number
  }
  if (!socket) return 'a cluster'
  return socket.path ?? `${socket.host ?? 'localhost'}:${socket.port ?? 6379}/${database}`
}
