/** The options of `bullmq()`, checked, and where they lead. */
import { BOOLEAN, type Rule, type Rules } from '../../../config/option-rules.ts'
import { ENGINE_RULES, type EngineOptions } from '../options.ts'

/** Options of an ioredis client; its types are only there where it is installed. */
export interface RedisConnection {
  readonly host?: string
  readonly port?: number
  readonly path?: string
  readonly username?: string
  readonly password?: string
  readonly db?: number
  readonly tls?: object
  readonly [option: string]: unknown
}

/** Options of a `pg` pool. */
export interface PostgresConnection {
  readonly connectionString: string
  /** How many connections at most. Default 10. */
  readonly max?: number
  readonly ssl?: boolean | object
  readonly [option: string]: unknown
}

/** Options of `bullmq()`. */
export interface BullmqOptions extends EngineOptions {
  /**
   * `'redis://…'`, `'rediss://…'`, `'valkey://…'`, `'valkeys://…'` or the options of an ioredis client;
   * `'postgres://…'`, `'postgresql://…'` or `{ connectionString, … }`, the options of a `pg` pool.
   * Default: `ERRAND_TASKS_CONNECTION`.
   */
  readonly connection?: string | RedisConnection | PostgresConnection
  /** Begins the names of the queues, so that several apps can share one server. Default `'errand'`. */
  readonly name?: string
  /** On Redis, before all keys. Default `'bull'`, as everywhere in BullMQ. */
  readonly prefix?: string
  /** On Postgres: makes and updates BullMQ's tables at the start. Default true. */
  readonly migrate?: boolean
}

/** Where tasks live, told from the connection. */
export type Target =
  | {
      readonly kind: 'redis'
      readonly where: string
      readonly url?: string
      readonly options: RedisConnection
    }
  | { readonly kind: 'postgres'; readonly where: string; readonly options: PostgresConnection }

const REDIS = /^(redis|valkey)(s?):\/\//
const POSTGRES = /^postgres(ql)?:\/\//

const EXPECTED =
  "expected 'redis://host:6379', 'rediss://…', 'valkey://…', 'postgres://user:password@host:5432/database' or an " +
  'object: the options of an ioredis client, or { connectionString } with those of a pg pool'

/** @throws TypeError that names the option, its value without passwords, and what was expected */
export const toTarget = (connection: NonNullable<BullmqOptions['connection']>): Target => {
  if (typeof connection === 'string') return ofUrl(connection)
  if (typeof connection !== 'object' || connection === null)
    throw new TypeError(`bullmq(): option connection is ${JSON.stringify(connection)}, ${EXPECTED}`)
  return isOfPostgres(connection) ? ofPostgresOptions(connection) : ofRedisOptions(connection)
}

const isOfPostgres = (connection: RedisConnection | PostgresConnection): connection is PostgresConnection =>
  'connectionString' in connection

const ofPostgresOptions = (options: PostgresConnection): Target => {
  const { connectionString } = options
  if (typeof connectionString !== 'string' || !POSTGRES.test(connectionString))
    throw new TypeError(
      `bullmq(): option connection.connectionString is ${JSON.stringify(masked(connectionString))}, expected 'postgres://…'`,
    )
  return { kind: 'postgres', where: `Postgres at ${placeOf(connectionString)}`, options }
}

const ofUrl = (url: string): Target => {
  if (POSTGRES.test(url))
    return { kind: 'postgres', where: `Postgres at ${placeOf(url)}`, options: { connectionString: url } }
  if (REDIS.test(url) && URL.canParse(url)) {
    const where = `${url.startsWith('valkey') ? 'Valkey' : 'Redis'} at ${placeOf(url)}`
    return { kind: 'redis', where, url: url.replace(REDIS, 'redis$2://'), options: {} }
  }
  throw new TypeError(`bullmq(): option connection is ${JSON.stringify(masked(url))}, ${EXPECTED}`)
}

const ofRedisOptions = (options: RedisConnection): Target => {
  const { host = '127.0.0.1', port = 6379, path } = options
  return { kind: 'redis', where: `Redis at ${path ?? `${host}:${port}`}`, options }
}

/** Host, port and database: no user, no password. */
const placeOf = (url: string): string => {
  if (!URL.canParse(url)) return masked(url)
  const { host, pathname } = new URL(url)
  return `${host}${pathname === '/' ? '' : pathname}`
}

const masked = (url: string): string => url.replace(/\/\/[^@/]*@/, '//***@')

const NAME: Rule = {
  holds: (value) => typeof value === 'string' && /^[A-Za-z][A-Za-z0-9_-]*$/.test(value),
  expected: 'a word of letters, digits, _ and -',
}

/** What they must be. */
export const BULLMQ_RULES: Rules<BullmqOptions> = {
  ...ENGINE_RULES,
  // Looked into by itself: what is shown of it must not have a password in it.
  connection: { holds: () => true, expected: 'a connection' },
  name: NAME,
  prefix: NAME,
  migrate: BOOLEAN,
}
