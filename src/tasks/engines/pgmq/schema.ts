/** Sees to it that the database has what is needed: pgmq, and our own tables at their latest migration. */
import { toArray } from './arrays.ts'
import type { Database, Query, Row } from './database.ts'
import { readMigrations, type Migration, type Statements } from './statements.ts'

/** What it works with. */
export interface SchemaParts {
  readonly database: Pick<Database, 'query' | 'transaction'>
  readonly sql: Statements
  readonly schema: string
  /** Whether missing migrations are made. */
  readonly migrate: boolean
}

/** What is called of pgmq, all of it there since 1.4.4, the version that Supabase has. */
export const PGMQ_FUNCTIONS: readonly string[] = [
  'pgmq.create(text)',
  'pgmq.list_queues()',
  'pgmq.send(text, jsonb, integer)',
  'pgmq.send_batch(text, jsonb[], integer)',
  'pgmq.delete(text, bigint[])',
  'pgmq.set_vt(text, bigint, integer)',
]

/** 14: pgmq asks for it. */
const OLDEST_SERVER = 140_000

/** Milliseconds: a step of the schema may have many rows to go through. */
const PATIENCE = 300_000

const GET_PGMQ =
  'On Supabase turn on Queues (Integrations, Queues), or run: create extension pgmq;\n' +
  'Elsewhere install the extension (https://github.com/pgmq/pgmq) and run the same, or load its SQL file, which needs ' +
  'no extension: psql -f pgmq.sql'

/** @throws Error with what is missing and how to get it */
export const prepareSchema = async (parts: SchemaParts): Promise<void> => {
  const { database, schema, migrate } = parts
  const found = await inspect(database.query, parts)
  checkServer(found)
  if (found['shut'] === true) throw rowsAreShut(schema, found['role'] as string)
  const missing = await missingMigrations(database.query, parts, found)
  if (missing.length === 0) return
  if (!migrate) throw notMigrated(schema, missing)
  await makeMigrations(parts)
}

const inspect = async (query: Query, { sql, schema }: Pick<SchemaParts, 'sql' | 'schema'>): Promise<Row> => {
  const [found] = await query(sql.inspect, [schema, toArray(PGMQ_FUNCTIONS)])
  return found as Row
}

const checkServer = ({ server, database, pgmq, missing }: Row): void => {
  if (Number(server) < OLDEST_SERVER)
    throw new Error(`pgmq() needs Postgres 14 or later, and this is ${Math.floor(Number(server) / 10_000)}`)
  if (pgmq !== true) throw new Error(`The database ${String(database)} has no pgmq.\n${GET_PGMQ}`)
  if (missing !== '')
    throw new Error(
      `pgmq in the database ${String(database)} lacks ${String(missing)}: pgmq() needs 1.4.4 or later.\n${GET_PGMQ}`,
    )
}

const missingMigrations = async (
  query: Query,
  { sql, schema }: Pick<SchemaParts, 'sql' | 'schema'>,
  { migrated }: Row,
): Promise<readonly Migration[]> => {
  const made = migrated === true ? await query(sql.versions) : []
  const versions = new Set(made.map(({ version }) => Number(version)))
  return readMigrations(schema).filter(({ version }) => !versions.has(version))
}

/** All or none, by one host at a time. */
const makeMigrations = (parts: SchemaParts): Promise<void> =>
  parts.database.transaction(async (query) => {
    await query(parts.sql['lock-schema'], [parts.schema])
    // Another host may have made them while this one waited.
    for (const { sql } of await missingMigrations(query, parts, await inspect(query, parts))) await query(sql)
  }, PATIENCE)

/** The owner of the table passes by its row security; any other role needs a policy, or sees nothing and is not told. */
const rowsAreShut = (schema: string, role: string): Error =>
  new Error(
    `The role ${role} does not own ${schema}.task and has no policy for it, so it would see no task. Let the owner run: ` +
      `create policy app on ${schema}.task to ${role} using (true) with check (true);`,
  )

const notMigrated = (schema: string, missing: readonly Migration[]): Error =>
  new Error(
    `The schema ${schema} lacks ${missing.map(({ name }) => name).join(', ')}, and migrate is false. Let a role that ` +
      `may change the schema open the app once with migrate: true, or run the files of ` +
      `errand/dist/tasks/engines/pgmq/migrations by hand`,
  )
