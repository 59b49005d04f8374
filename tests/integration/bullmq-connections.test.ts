/** What an engine costs its server: connections do not grow with the number of procedures. */
import { expect, test } from 'vitest'
import { FakeHost, value } from 'errand/testing/suites'
import { Redis } from 'ioredis'
import pg from 'pg'
import { createTaskId } from '../../src/tasks/id.ts'
import { createBullmqEngine, freshName } from '../support/bullmq-place.ts'
import { noPostgres, startPostgres } from '../support/servers/postgres.ts'
import { DURABLE, noRedis, startRedis } from '../support/servers/redis.ts'
import { until } from '../support/until.ts'

const PROCEDURES = Array.from({ length: 50 }, (_, n) => `group.task${n}`)

/** An engine that has run ten tasks of each of fifty procedures. */
const busyEngine = async (url: string) => {
  const host = new FakeHost(20)
  for (const procedure of PROCEDURES) host.on(procedure, () => value(1))
  const engine = createBullmqEngine(url, { name: freshName() })
  await engine.open(host)
  engine.work(host.procedures)
  const ids = PROCEDURES.flatMap((procedure) =>
    Array.from({ length: 10 }, () => ({ id: createTaskId(), procedure })),
  )
  await Promise.all(
    ids.map((ref) => engine.submit({ ...ref, input: 1, maxAttempts: 1, owner: null, priority: 0 })),
  )
  await until('all to be done', async () => host.claims.length >= ids.length)
  for (const { id } of ids)
    await until(`the end of ${id}`, async () => (await engine.get(id))?.status === 'succeeded')
  return engine
}

test.skipIf(noRedis)('fifty procedures on Redis need two connections', async () => {
  const redis = await startRedis(DURABLE)
  const engine = await busyEngine(redis.url())
  const client = new Redis(redis.url())
  const others =
    String(await client.client('LIST'))
      .trim()
      .split('\n').length - 1
  client.disconnect()
  await engine.close()
  expect(others).toBe(2)
})

test.skipIf(noPostgres)('fifty procedures on Postgres need a pool of ten and one that listens', async () => {
  const postgres = await startPostgres()
  const engine = await busyEngine(postgres.url())
  const client = new pg.Client(postgres.url())
  await client.connect()
  const { rows } = await client.query<{ count: number }>(
    "SELECT count(*)::integer AS count FROM pg_stat_activity WHERE application_name = 'errand'",
  )
  await client.end()
  await engine.close()
  expect(rows[0]!.count).toBeLessThanOrEqual(11)
})
