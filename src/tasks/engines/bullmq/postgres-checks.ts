/** Whether a Postgres will do, with what to do where it won't. Makes BullMQ's tables when it may. */
import type { EngineCapabilities } from '../../engine.ts'
import type { Bullmq } from '../../peers/bullmq.ts'
import type { Pool } from '../../peers/pg.ts'
import { SCHEMA } from './postgres-sql.ts'

/** The least that BullMQ works on. */
const LEAST_VERSION = 13

interface Check {
  readonly where: string
  readonly migrate: boolean
  readonly bullmq: Pick<Bullmq, 'runMigrations' | 'LATEST_SCHEMA_VERSION'>
  /** Whether a notification arrives. */
  listens(): Promise<boolean>
}

interface Facts {
  readonly version: string
  readonly search_path: string
  readonly fsync: string
  readonly synchronous_commit: string
  readonly replica: boolean
}

const FACTS = `
  SELECT current_setting('server_version') AS version, current_setting('search_path') AS search_path,
         current_setting('fsync') AS fsync, current_setting('synchronous_commit') AS synchronous_commit,
         pg_is_in_recovery() AS replica`

/** Connects, looks and migrates. */
export const checkPostgres = async (
  pool: Pool,
  check: Check,
): Promise<Pick<EngineCapabilities, 'durable'>> => {
  const facts = await read(pool, check.where)
  checkServer(facts, check.where)
  await migrate(pool, check)
  await checkListening(check)
  return { durable: facts.fsync === 'on' && facts.synchronous_commit !== 'off' ? 'power' : 'process' }
}

const CURES: readonly (readonly [RegExp, string])[] = [
  [/ECONNREFUSED/, 'Is it running, and are host and port right?'],
  [/ENOTFOUND|EAI_AGAIN/, 'Is the name of the host right?'],
  [
    /password|authentication|role .* does not exist/i,
    'Give the right user and password: postgres://user:password@host:5432/database',
  ],
  [/database .* does not exist/, 'Create it, or name another one at the end of the URL'],
  [/timeout|timed out|ETIMEDOUT/i, 'Is there a firewall between, or are all its connections in use?'],
  [/unsupported startup parameter|search_path/, poolerCure()],
  [
    /too many (clients|connections)|remaining connection slots/,
    'Raise max_connections, or give each process a smaller pool: { connectionString, max: 5 }',
  ],
  [/SSL|certificate/i, 'Give { connectionString, ssl } as pg takes it, or ?sslmode= in the URL'],
]

function poolerCure(): string {
  return (
    `A pooler between drops what a connection asks for at its start. Set it in the database: ALTER ROLE <user> SET ` +
    `search_path = ${SCHEMA}; or connect without the pooler`
  )
}

const explain = (where: string, doing: string, error: unknown): Error => {
  const parts = error instanceof AggregateError ? error.errors.map(String).join(', ') : undefined
  const reason = parts ?? (error instanceof Error ? error.message : String(error))
  const cure = CURES.find(([pattern]) => pattern.test(reason))?.[1] ?? 'Check the connection option'
  return new Error(`${where} ${doing}: ${reason}. ${cure}`, { cause: error })
}

const read = async (pool: Pool, where: string): Promise<Facts> => {
  try {
    const { rows } = await pool.query<Facts>(FACTS)
    return rows[0] as Facts
  } catch (error) {
    throw explain(where, "can't be reached", error)
  }
}

const checkServer = ({ version, search_path, replica }: Facts, where: string): void => {
  if (Number.parseInt(version) < LEAST_VERSION)
    throw new Error(`${where} is Postgres ${version}, and BullMQ needs ${LEAST_VERSION} or later`)
  if (replica) throw new Error(`${where} is a replica, which takes no writes. Connect to the primary`)
  if (!search_path.includes(SCHEMA))
    throw new Error(
      `${where} has the search_path ${JSON.stringify(search_path)}, where BullMQ needs ${SCHEMA}. ${poolerCure()}`,
    )
}

const migrate = async (pool: Pool, { where, migrate: mayMigrate, bullmq }: Check): Promise<void> => {
  const version = await versionOf(pool)
  if (version >= bullmq.LATEST_SCHEMA_VERSION) return
  if (!mayMigrate)
    throw new Error(
      `${where} has BullMQ's tables in version ${version}, and ${bullmq.LATEST_SCHEMA_VERSION} is needed (migrate: false). ` +
        'Run them with a role that may create a schema: import { runMigrations } from "bullmq"; ' +
        'await runMigrations(client), with a connected pg.Client',
    )
  const client = await pool.connect()
  try {
    await bullmq.runMigrations(client)
  } catch (error) {
    throw new Error(
      `${where}: BullMQ's tables could not be made: ${(error as Error).message}. The role needs CREATE on the database; ` +
        `or run the migrations with another role and give migrate: false`,
      { cause: error },
    )
  } finally {
    client.release()
  }
}

/** 0 when there are none. */
const versionOf = async (pool: Pool): Promise<number> => {
  try {
    const { rows } = await pool.query<{ version: number }>(
      `SELECT max(version) AS version FROM ${SCHEMA}.migration`,
    )
    return rows[0]?.version ?? 0
  } catch (error) {
    // No such table, no such schema.
    if (['42P01', '3F000'].includes(String((error as { code?: unknown }).code))) return 0
    throw error
  }
}

const checkListening = async ({ where, listens }: Check): Promise<void> => {
  if (await listens()) return
  throw new Error(
    `${where} delivers no notifications: LISTEN was answered, and a NOTIFY did not arrive within 3 s. A pooler in ` +
      'transaction mode does that. Connect to the database itself or to a pooler in session mode (on Supabase port ' +
      '5432, not 6543)',
  )
}
