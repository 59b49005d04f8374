/** The servers on which the suite runs at length: where the tasks of each subject may live. */
import { startPgmq } from '../support/pgmq/database.ts'
import { startPostgres } from '../support/servers/postgres.ts'
import { DURABLE, startRedis } from '../support/servers/redis.ts'
import type { FleetServer } from './fleet.ts'
import type { SubjectName } from './subjects.ts'

/** A server, and how hosts find it. */
export interface Place {
  readonly url: string
  readonly server: FleetServer
}

const onRedis = async (): Promise<Place> => {
  const server = await startRedis(DURABLE)
  return { url: server.url(), server }
}

const onPostgres = async (): Promise<Place> => {
  const server = await startPostgres()
  return { url: server.url(), server }
}

const onPgmq = async (): Promise<Place> => {
  const server = await startPgmq({})
  return { url: await server.createDatabase(), server }
}

/** By subject, then by `--server`; the first is what is taken without it. */
export const PLACES: Readonly<Record<SubjectName, Readonly<Record<string, () => Promise<Place>>>>> = {
  local: {},
  redis: { redis: onRedis },
  bullmq: { redis: onRedis, postgres: onPostgres },
  pgmq: { postgres: onPgmq },
}
