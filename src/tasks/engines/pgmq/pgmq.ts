/** `pgmq()`: tasks of many hosts in one Postgres, with their queues in pgmq, which is what Supabase calls Queues. */
import type { TaskEngine } from '../../engine.ts'
import { BOOLEAN, type Rules } from '../../../config/option-rules.ts'
import {
  ENGINE_RULES,
  needsConnection,
  takeFrom,
  toSettings,
  type EngineOptions,
  type TasksOption,
} from '../options.ts'
import type { PgConfig, PgPool } from './driver.ts'

/** Options of `pgmq()`. */
export interface PgmqOptions extends EngineOptions {
  /**
   * The database: a URL, options of `pg`, or a pool of yours (`new pg.Pool(…)`), which stays yours to end. It may lead to a
   * pooler in transaction mode; see `listen`. Default: `ERRAND_TASKS_CONNECTION`.
   */
  readonly connection?: string | PgConfig | PgPool
  /**
   * A direct connection to hear of changes at once: `LISTEN` does not pass a pooler in transaction mode. Default: the same as
   * `connection`; if nothing is heard there, the database is asked each second.
   */
  readonly listen?: string | PgConfig
  /** The schema of Errand's tables, which several apps may have apart. Default `'errand'`. */
  readonly schema?: string
  /** Whether missing tables are made at the start. Default true; with false the start says what is missing. */
  readonly migrate?: boolean
}

// Looked into by itself: what is shown of it must not have a password in it.
const UNSHOWN = { holds: () => true, expected: 'a connection' }

const PGMQ_RULES: Rules<PgmqOptions> = {
  ...ENGINE_RULES,
  connection: UNSHOWN,
  listen: UNSHOWN,
  schema: {
    // Short enough to leave room for procedures in the names of queues; not one that is somebody else's.
    holds: (value) =>
      /^[a-z][a-z0-9_]{0,19}$/.test(String(value)) &&
      !/^pg_|^(pgmq|public|information_schema)$/.test(String(value)),
    expected: `a name of its own in small letters, digits and _, such as 'errand'`,
  },
  migrate: BOOLEAN,
}

const isConnection = (value: unknown): boolean =>
  typeof value === 'string' ? /^postgres(ql)?:\/\//.test(value) : typeof value === 'object' && value !== null

const checkConnection = (name: 'connection' | 'listen', value: unknown): void => {
  if (isConnection(value)) return
  const expected = `'postgres://…', options of pg${name === 'connection' ? ', or a pool' : ''}`
  throw new TypeError(`pgmq(): option ${name} is no such thing (${typeof value}), expected ${expected}`)
}

/**
 * Tasks live in Postgres with pgmq, and run on whichever host has room.
 *
 * @example createApp(procedures, { module: import.meta.url, tasks: pgmq({ connection: process.env.DATABASE_URL }) })
 */
export const pgmq = (options: PgmqOptions = {}): TasksOption => {
  const settings = toSettings('pgmq', options, PGMQ_RULES)
  if (options.connection !== undefined) checkConnection('connection', options.connection)
  if (options.listen !== undefined) checkConnection('listen', options.listen)
  return {
    ...settings,
    multiHost: true,
    create: () => createEngine(options, settings.queueLimit),
    given: options,
    configure: (outside) => {
      const all = takeFrom(outside, options, PGMQ_RULES)
      if (all.connection === undefined) throw needsConnection('pgmq')
      return pgmq(all)
    },
  }
}

/** Milliseconds that a host may be silent before its tasks are others'. */
const LEASE = 10_000

const DEFAULT_SCHEMA = 'errand'

const createEngine = async (options: PgmqOptions, queueLimit: number): Promise<TaskEngine> => {
  const { connection, schema = DEFAULT_SCHEMA, migrate = true } = options
  if (connection === undefined) throw needsConnection('pgmq')
  const [{ FleetEngine }, { PgmqQueue }, { connectionsOf }] = await Promise.all([
    import('../fleet/fleet-engine.ts'),
    import('./pgmq-queue.ts'),
    import('./connections.ts'),
  ])
  const connections = await connectionsOf({ ...options, connection })
  const queue = new PgmqQueue({ ...connections, schema, migrate, queueLimit, lease: LEASE })
  return new FleetEngine({ queue, queueLimit })
}
