/**
 * Statements in a database, each within a limit of time. No session is relied on: a statement or a transaction may meet
 * another server connection each time, as behind a pooler. Where there is none, statements are prepared.
 */
import { within } from '../deadline.ts'
import { toFailure } from './failures.ts'
import { Preparing, type Ask } from './preparing.ts'
import type { PgPool, PgPoolClient, Value } from './driver.ts'

/** Runs one statement: its rows, whose columns are texts, booleans and null only. */
export type Query = (text: string, values?: readonly Value[]) => Promise<readonly Row[]>

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
  readonly #preparing = new Preparing()

  /** `isOwn`: it is closed with the database. */
  constructor(pool: PgPool, isOwn: boolean) {
    this.#pool = pool
    this.#isOwn = isOwn
    // A connection that idles and breaks is replaced at the next use; without a listener it would end the process.
    pool.on('error', ignore)
  }

  /** A statement of its own. @throws EngineUnavailable, or the server's error */
  readonly query: Query = (text, values) => this.#withClient((ask) => run(ask, text, values, PATIENCE))

  /** Whether each connection is a session of its own on the server, which keeps what it has prepared. */
  hasSessions(has: boolean): void {
    this.#preparing.isOn = has
  }

  /** Several in one transaction. `patience` in ms for each of them. */
  transaction<T>(work: Work<T>, patience = PATIENCE): Promise<T> {
    return this.#withClient((ask, client) => transact(ask, client.pipeline === true, { work, patience }))
  }

  /** Never rejects, and waits no longer than for a statement. */
  async close(): Promise<void> {
    // Of a pool that nobody else has, connections that could not be closed in time may still break.
    if (this.#isOwn) await within(PATIENCE, 'Closing connections', this.#pool.end()).catch(ignore)
    else this.#pool.removeListener('error', ignore)
  }

  /** Whatever fails on a connection, the connection goes: nobody knows what it still waits for. */
  async #withClient<T>(work: (ask: Ask, client: PgPoolClient) => Promise<T>): Promise<T> {
    const client = await this.#connect()
    client.on('error', ignore)
    let isFine = false
    try {
      const result = await work(this.#preparing.asker(client), client)
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

/** A client that takes statements before the last one is answered (`pipelines`) gets them as early as can be. */
const transact = async <T>(
  ask: Ask,
  pipelines: boolean,
  { work, patience }: { readonly work: Work<T>; readonly patience: number },
): Promise<T> => {
  const begun = run(ask, patience === PATIENCE ? BEGIN : 'begin', undefined, PATIENCE)
  const commit = (): Promise<unknown> => run(ask, 'commit', undefined, PATIENCE)
  const query: Query = (text, values) => run(ask, text, values, patience)
  begun.catch(ignore) // It is waited for below.
  if (!pipelines) await begun
  let committed: Promise<unknown> | undefined
  const last: Query = async (text, values) => {
    const rows = query(text, values)
    if (!pipelines) await rows
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
  ask: Ask,
  text: string,
  values: readonly Value[] | undefined,
  patience: number,
): Promise<readonly Row[]> => {
  try {
    const { rows } = await within(patience, 'A statement', ask(text, values))
    return rows as readonly Row[]
  } catch (error) {
    throw toFailure(error)
  }
}
