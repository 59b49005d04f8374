/**
 * Statements in a database, each within a limit of time. No session is kept: a statement or a transaction may meet
 * another server connection each time, as behind a pooler.
 */
import { within } from '../deadline.ts'
import { toFailure } from './failures.ts'
import type { PgClient, PgPool, PgPoolClient } from './driver.ts'

/** Runs one statement: its rows, whose columns are texts, booleans and null only. */
export type Query = (text: string, values?: readonly Value[]) => Promise<readonly Row[]>

/** A parameter. Lists are texts in Postgres's own form, see `arrays.ts`. */
export type Value = string | number | boolean | null

/** A row. Numbers and times come as texts: how `pg` reads others may have been changed by the user. */
export type Row = Readonly<Record<string, string | boolean | null>>

/** What a transaction does: `last` is a statement to be committed with, which saves a round trip. */
export type Work<T> = (query: Query, last: Query) => Promise<T>

/** Milliseconds to wait for a connection, and for a statement. */
const PATIENCE = 5000

/** What a transaction waits for at most, told to the server too: locks held by a frozen host must come free. */
const BEGIN =
  "begin; set local lock_timeout = '2s'; set local statement_timeout = '5s'; " +
  "set local idle_in_transaction_session_timeout = '5s'"

const ignore = (): void => {}

/** A pool with limits. */
export class Database {
  readonly #pool: PgPool
  readonly #isOwn: boolean

  /** `isOwn`: it is closed with the database. */
  constructor(pool: PgPool, isOwn: boolean) {
    this.#pool = pool
    this.#isOwn = isOwn
    // A connection that idles and breaks is replaced at the next use; without a listener it would end the process.
    pool.on('error', ignore)
  }

  /** A statement of its own. @throws EngineUnavailable, or the server's error */
  readonly query: Query = (text, values) => this.#withClient((client) => run(client, text, values, PATIENCE))

  /** Several in one transaction. `patience` in ms for each of them. */
  transaction<T>(work: Work<T>, patience = PATIENCE): Promise<T> {
    return this.#withClient((client) => transact(client, work, patience))
  }

  /** Never rejects, and waits no longer than for a statement. */
  async close(): Promise<void> {
    // Of a pool that nobody else has, connections that could not be closed in time may still break.
    if (this.#isOwn) await within(PATIENCE, 'Closing connections', this.#pool.end()).catch(ignore)
    else this.#pool.removeListener('error', ignore)
  }

  /** Whatever fails on a connection, the connection goes: nobody knows what it still waits for. */
  async #withClient<T>(work: (client: PgPoolClient) => Promise<T>): Promise<T> {
    const client = await this.#connect()
    client.on('error', ignore)
    let isFine = false
    try {
      const result = await work(client)
      isFine = true
      return result
    } finally {
      // One that goes may break once more while it does.
      if (isFine) client.removeListener('error', ignore)
      client.release(!isFine)
    }
  }

  async #connect(): Promise<PgPoolClient> {
    try {
      return await within(PATIENCE, 'A connection', this.#pool.connect(), (client) => client.release())
    } catch (error) {
      throw toFailure(error)
    }
  }
}

/** A client that takes statements before the last one is answered gets them as early as can be. */
const transact = async <T>(client: PgPoolClient, work: Work<T>, patience: number): Promise<T> => {
  const begun = run(client, patience === PATIENCE ? BEGIN : 'begin', undefined, PATIENCE)
  const commit = (): Promise<unknown> => run(client, 'commit', undefined, PATIENCE)
  const query: Query = (text, values) => run(client, text, values, patience)
  begun.catch(ignore) // It is waited for below.
  if (!client.pipeline) await begun
  let committed: Promise<unknown> | undefined
  const last: Query = async (text, values) => {
    const rows = query(text, values)
    if (!client.pipeline) await rows
    committed = commit()
    const [result] = await Promise.all([rows, committed, begun])
    return result
  }
  const result = await work(query, last)
  await (committed ?? commit())
  return result
}

/** @throws EngineUnavailable, or the server's error */
const run = async (
  client: Pick<PgClient, 'query'>,
  text: string,
  values: readonly Value[] | undefined,
  patience: number,
): Promise<readonly Row[]> => {
  try {
    const { rows } = await within(patience, 'A statement', client.query(text, values && [...values]))
    return rows as readonly Row[]
  } catch (error) {
    throw toFailure(error)
  }
}
