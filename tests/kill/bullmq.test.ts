/** The kill suite on the bullmq engine, in a few rounds on each of its servers. */
import { describe, expect, test } from 'vitest'
import { noPostgres, startPostgres } from '../support/servers/postgres.ts'
import { DURABLE, noRedis, startRedis } from '../support/servers/redis.ts'
import { inLines } from './figures.ts'
import { CONNECTION_VARIABLE, ON_A_BUSY_MACHINE } from './subjects.ts'
import { runSuite } from './suite.ts'

const ROUNDS = 3

const servers = [
  { kind: 'Redis', reason: noRedis, serve: () => startRedis(DURABLE) },
  { kind: 'Postgres', reason: noPostgres, serve: () => startPostgres() },
]

for (const { kind, reason, serve } of servers)
  describe.skipIf(reason)(kind, () => {
    test('nothing that was promised is lost, however hosts end', { timeout: 300_000 }, async () => {
      const env = { [CONNECTION_VARIABLE]: (await serve()).url() }
      const seed = Date.now() % 1_000_000
      const { faults, figures } = await runSuite({
        subject: 'bullmq',
        rounds: ROUNDS,
        seed,
        env,
        recoversWithin: ON_A_BUSY_MACHINE,
      })
      console.log(`kill suite: bullmq on ${kind}, ${ROUNDS} rounds, --seed ${seed}\n${inLines(figures)}`)
      expect(Object.fromEntries(faults)).toEqual({})
      expect(figures.tasks).toBeGreaterThan(0)
    })
  })
