/** Every kind of place on a server that tasks can live in, with the server, which can be killed and frozen. */
import { local, type AppOptions } from 'errand'
import { bullmq } from 'errand/bullmq'
import { pgmq } from 'errand/pgmq'
import { freshName } from './bullmq-place.ts'
import { startPgmq } from './pgmq/database.ts'
import { noPostgres, startPostgres } from './servers/postgres.ts'
import { DURABLE, noRedis, startRedis } from './servers/redis.ts'
import type { TestServer } from './servers/server.ts'

/** A server of the test's own, and the option for tasks there. */
export interface Place {
  readonly server: TestServer
  readonly tasks: AppOptions['tasks'] & {}
}

const onRedis = async (): Promise<Place> => {
  const server = await startRedis(DURABLE)
  return { server, tasks: local({ store: server.url() }) }
}

const onBullmqRedis = async (): Promise<Place> => {
  const server = await startRedis(DURABLE)
  return { server, tasks: bullmq({ connection: server.url(), name: freshName() }) }
}

const onBullmqPostgres = async (): Promise<Place> => {
  const server = await startPostgres()
  return { server, tasks: bullmq({ connection: server.url(), name: freshName() }) }
}

const onPgmq = async (): Promise<Place> => {
  const server = await startPgmq()
  return { server, tasks: pgmq({ connection: await server.createDatabase() }) }
}

/** By what users call them. */
export const TASK_PLACES = [
  { name: 'local() in Redis', reason: noRedis, open: onRedis },
  { name: 'bullmq() on Redis', reason: noRedis, open: onBullmqRedis },
  { name: 'bullmq() on Postgres', reason: noPostgres, open: onBullmqPostgres },
  { name: 'pgmq()', reason: noPostgres, open: onPgmq },
]
