/** Connections as they were asked for: a pool to ask with, and a line to listen on. */
import { loadPg } from '../../peers/pg.ts'
import { within } from '../deadline.ts'
import type { Line } from './hearing.ts'
import type { PgConfig, PgListener, PgPool, PgSingleClient } from './driver.ts'
import type { PgmqOptions } from './pgmq.ts'

/** Where the database is. */
type Where = Required<Pick<PgmqOptions, 'connection'>> & Pick<PgmqOptions, 'listen'>

/** What the queue is given. */
export interface Connections {
  readonly pool: PgPool
  readonly isOwnPool: boolean
  readonly connect: () => Promise<Line>
  /** Whoever hears on a line knows that the pool's connections are sessions, too: they are made alike. */
  readonly isAlike: boolean
}

/** Milliseconds. */
const PATIENCE = 5000

/** Found in `pg_stat_activity`. */
const NAME = 'errand'

/** A few are enough: what one turn asks for is asked in one statement. */
const MOST = 8

const isPool = (connection: Where['connection']): connection is PgPool =>
  typeof connection === 'object' && typeof connection['connect'] === 'function'

const toConfig = (connection: string | PgConfig): PgConfig => ({
  application_name: NAME,
  connectionTimeoutMillis: PATIENCE,
  keepAlive: true,
  ...(typeof connection === 'string' ? { connectionString: connection } : connection),
})

/** The package by the shape of what is used of it. */
interface Driver {
  readonly Pool: new (config: PgConfig) => PgPool
  readonly Client: new (config: PgConfig) => PgSingleClient
}

const loadDriver = (): Promise<Driver> => loadPg('pgmq()')

/** One to listen on, one for a transaction, and one beside it. */
const FEWEST = 3

const checkSize = (pool: PgPool): void => {
  const max = pool.options?.max ?? Infinity
  if (max >= FEWEST) return
  throw new TypeError(
    `pgmq(): option connection is a pool of at most ${max} connections, expected ${FEWEST} or more: one is kept to listen on`,
  )
}

/** Opens nothing. @throws Error with the line that installs pg, where it is missing and needed */
export const connectionsOf = async ({ connection, listen }: Where): Promise<Connections> => {
  if (!isPool(connection)) {
    const pg = await loadDriver()
    const pool = new pg.Pool({ max: MOST, pipeline: true, ...toConfig(connection) })
    // One that is ended in the moment it is handed out has nobody else who listens yet.
    pool.on('connect', (client) => client.on('error', () => {}))
    const connect = (): Promise<Line> => dial(pg, listen ?? connection)
    return { pool, isOwnPool: true, connect, isAlike: listen === undefined }
  }
  checkSize(connection)
  // What a pool of the user's can do is not known so well.
  const theirs = { pool: connection, isOwnPool: false, isAlike: false }
  if (listen === undefined) return { ...theirs, connect: () => borrow(connection) }
  const pg = await loadDriver()
  return { ...theirs, connect: () => dial(pg, listen) }
}

const dial = async (pg: Driver, connection: string | PgConfig): Promise<Line> => {
  const client = new pg.Client(toConfig(connection))
  client.on('error', () => {}) // What fails is told by `connect` or by `end`.
  const hangUp = (): Promise<void> => endQuietly(client)
  try {
    await within(PATIENCE, 'A connection to listen on', client.connect())
  } catch (error) {
    await hangUp()
    throw error
  }
  return { client, hangUp }
}

/** Never rejects. */
const endQuietly = async (client: PgSingleClient): Promise<void> => {
  await within(PATIENCE, 'Hanging up', client.end()).catch(() => {})
}

/** One connection of the user's pool is kept. */
const borrow = async (pool: PgPool): Promise<Line> => {
  const client = await within(PATIENCE, 'A connection to listen on', pool.connect(), (late) => late.release())
  const hangUp = async (): Promise<void> => client.release(true)
  // A pool lends clients that can do all that one of its own can.
  return { client: client as unknown as PgListener, hangUp }
}
