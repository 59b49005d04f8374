/** Databases with pgmq in them, each a copy of one that was made ready once. */
import pg from 'pg'
import { startPostgres, type PostgresServer, type PostgresSettings } from '../servers/postgres.ts'
import { pgmqSql } from './sql.ts'

const TEMPLATE = 'with_pgmq'

/** A Postgres with databases to be had. */
export interface PgmqServer extends PostgresServer {
  /** The URL of a new database with pgmq. */
  createDatabase(): Promise<string>
  /** Runs statements as the owner of everything. */
  run(sql: string, database?: string): Promise<pg.QueryResult>
}

/** Runs statements on a connection of their own. */
export const runSql = async (url: string, sql: string, values?: unknown[]): Promise<pg.QueryResult> => {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    return await client.query(sql, values)
  } finally {
    await client.end()
  }
}

/** Quick rather than safe: what a test wrote need not survive the machine. */
const QUICK: PostgresSettings = { fsync: 'off', max_connections: 200 }

/** Starts one. `settings: {}` leaves writes as safe as they are. */
export const startPgmq = async (settings: PostgresSettings = QUICK): Promise<PgmqServer> => {
  const server = await startPostgres(settings)
  const run: PgmqServer['run'] = (sql, database) => runSql(server.url(database), sql)
  await run(`create database ${TEMPLATE}`)
  await run(pgmqSql(), TEMPLATE)
  let count = 0
  const createDatabase = async (): Promise<string> => {
    const name = `test_${++count}`
    await run(`create database ${name} template ${TEMPLATE}`)
    return server.url(name)
  }
  return Object.assign(server, { run, createDatabase })
}
