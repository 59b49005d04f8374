/** Where the processes of one app share tasks: each engine for many hosts, on each kind of server. */
import { startPgmq } from './pgmq/database.ts'
import { noPostgres, startPostgres } from './servers/postgres.ts'
import { DURABLE, noRedis, startRedis } from './servers/redis.ts'

/** An engine and its server, as the environment of a process names them. */
export interface Shared {
  readonly engine: 'bullmq' | 'pgmq'
  readonly connection: string
}

export interface SharedPlace {
  readonly name: string
  /** Why it can't be had here; undefined when it can. */
  readonly reason: string | undefined
  start(): Promise<Shared>
}

/** With nothing in them. */
export const SHARED_PLACES: readonly SharedPlace[] = [
  {
    name: 'Redis',
    reason: noRedis,
    start: async () => ({ engine: 'bullmq', connection: (await startRedis(DURABLE)).url() }),
  },
  {
    name: 'Postgres',
    reason: noPostgres,
    start: async () => ({ engine: 'bullmq', connection: (await startPostgres()).url() }),
  },
  {
    name: 'Postgres with pgmq',
    reason: noPostgres,
    start: async () => ({ engine: 'pgmq', connection: await (await startPgmq({})).createDatabase() }),
  },
]

/** What tells a fixture of `tests/fixtures/machines` where its tasks are. */
export const environmentOf = ({ engine, connection }: Shared): Record<string, string> => ({
  TEST_ENGINE: engine,
  TEST_CONNECTION: connection,
})
