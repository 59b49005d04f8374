/** The bullmq engine on real servers: Redis, or Valkey where `TEST_REDIS` names one, and Postgres. */
import { describe, test } from 'vitest'
import { engineSuite, type EnginePlace } from 'errand/testing/suites'
import type { TaskEngine } from '../../src/tasks/engine.ts'
import { createBullmqEngine, freshName, loseLeaseAt, QUICK } from '../support/bullmq-place.ts'
import { cutOff, type Cut } from '../support/servers/cut-off.ts'
import { noPostgres, startPostgres } from '../support/servers/postgres.ts'
import { DURABLE, noRedis, startRedis } from '../support/servers/redis.ts'
import { manyHostsSuite, type SharedPlace } from './many-hosts-suite.ts'

/** A crash cuts an engine off from its server, as the death of its process does. */
const placeAt = (url: string): EnginePlace => {
  const name = freshName()
  const lines = new Map<TaskEngine, Cut>()
  return {
    lease: QUICK.lease,
    create: async () => {
      const line = await cutOff(url)
      const engine = createBullmqEngine(line.url, { name })
      lines.set(engine, line)
      return engine
    },
    crash: (engine) => lines.get(engine)?.cut(),
    loseLease: (id) => loseLeaseAt(url, name, id),
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

// A machine that does much else takes its time to find a lost task.
const PATIENCE = { patience: 15_000 }

describe.skipIf(!redis)('on Redis', () => {
  engineSuite('bullmq, Redis', () => placeAt(redis!.url()), PATIENCE)
  manyHostsSuite('bullmq, Redis', () => sharedAt(redis!.url()))
})

describe.skipIf(!postgres)('on Postgres', () => {
  engineSuite('bullmq, Postgres', () => placeAt(postgres!.url()), PATIENCE)
  manyHostsSuite('bullmq, Postgres', () => sharedAt(postgres!.url()))
})

test.skip('on Valkey (in a run of its own, as few systems have both: TEST_REDIS=/usr/bin/valkey-server)', () => {})
