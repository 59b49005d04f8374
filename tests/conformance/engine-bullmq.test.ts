/** The bullmq engine on real servers: Redis, Postgres, and Valkey where it is installed. */
import { describe, test } from 'vitest'
import { createBullmqEngine, freshName } from '../support/bullmq-place.ts'
import { cutOff, type Cut } from '../support/servers/cut-off.ts'
import { noPostgres, startPostgres } from '../support/servers/postgres.ts'
import { DURABLE, noRedis, startRedis } from '../support/servers/redis.ts'
import { engineSuite, type EnginePlace } from './engine-suite.ts'
import { manyHostsSuite, type SharedPlace } from './many-hosts-suite.ts'

/** A crash cuts the last engine off from its server, as the death of its process does. */
const placeAt = (url: string): EnginePlace => {
  const name = freshName()
  let last: Cut | undefined
  return {
    create: async () => {
      last = await cutOff(url)
      return createBullmqEngine(last.url, { name })
    },
    crash: () => last?.cut(),
    dispose: () => {},
  }
}

const sharedAt = (url: string): SharedPlace => {
  const name = freshName()
  return {
    join: async () => {
      const line = await cutOff(url)
      return { ...line, engine: createBullmqEngine(line.url, { name }) }
    },
  }
}

const redis = noRedis ? undefined : await startRedis(DURABLE)
const postgres = noPostgres ? undefined : await startPostgres()

describe.skipIf(!redis)('on Redis', () => {
  engineSuite('bullmq, Redis', () => placeAt(redis!.url()))
  manyHostsSuite('bullmq, Redis', () => sharedAt(redis!.url()))
})

describe.skipIf(!postgres)('on Postgres', () => {
  engineSuite('bullmq, Postgres', () => placeAt(postgres!.url()))
  manyHostsSuite('bullmq, Postgres', () => sharedAt(postgres!.url()))
})

test.skip('on Valkey (valkey-server is not installed)', () => {})
