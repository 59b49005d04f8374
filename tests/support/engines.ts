/**
 * Every engine as an app has it, each on a real server of the test's own: for what must be the same on all of them. The
 * servers start with the file that imports this.
 */
import { bullmq } from 'errand/bullmq'
import { pgmq } from 'errand/pgmq'
import { inline, local, type AppOptions } from 'errand'
import { freshName } from './bullmq-place.ts'
import { startPgmq, type PgmqServer } from './pgmq/database.ts'
import { noPostgres } from './servers/postgres.ts'
import { noRedis, startRedis, DURABLE, type RedisServer } from './servers/redis.ts'
import { tempDir } from './temp.ts'

type TasksOption = NonNullable<AppOptions['tasks']>

/** An engine to test on. */
export interface EngineOfApp {
  readonly name: string
  /** Why it can't be tested here. */
  readonly missing: string | undefined
  /** Whether another process can run what this one starts. */
  readonly multiHost: boolean
  /** A place of its own; each call gives one more host of the same place. */
  place(): Promise<() => TasksOption>
}

const redis = noRedis ? undefined : await startRedis(DURABLE)
const postgres = noPostgres ? undefined : await startPgmq()

const SMALL = { threads: 1, processes: 1, drainGrace: 2000 }

export const ENGINES: readonly EngineOfApp[] = [
  {
    name: 'local',
    missing: undefined,
    multiHost: false,
    place: async () => {
      const dir = await tempDir()
      return () => local({ ...SMALL, dir })
    },
  },
  { name: 'inline', missing: undefined, multiHost: false, place: async () => () => inline() },
  {
    name: 'bullmq on Redis',
    missing: noRedis,
    multiHost: true,
    place: async () => {
      const connection = (redis as RedisServer).url()
      const name = freshName()
      return () => bullmq({ ...SMALL, connection, name })
    },
  },
  {
    name: 'bullmq on Postgres',
    missing: noPostgres,
    multiHost: true,
    place: async () => {
      const connection = await (postgres as PgmqServer).createDatabase()
      const name = freshName()
      return () => bullmq({ ...SMALL, connection, name })
    },
  },
  {
    name: 'pgmq',
    missing: noPostgres,
    multiHost: true,
    place: async () => {
      const connection = await (postgres as PgmqServer).createDatabase()
      return () => pgmq({ ...SMALL, connection })
    },
  },
]
