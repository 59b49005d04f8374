/** The kill suite on the embedded engine over a real Redis, in a few rounds. */
import { describe, expect, test } from 'vitest'
import { DURABLE, noRedis, startRedis } from '../support/servers/redis.ts'
import { inLines } from './figures.ts'
import { CONNECTION_VARIABLE, ON_A_BUSY_MACHINE } from './subjects.ts'
import { runSuite } from './suite.ts'

const ROUNDS = 4

describe.skipIf(noRedis)('over Redis', () => {
  test('nothing that was promised is lost, however hosts end', { timeout: 300_000 }, async () => {
    const seed = Date.now() % 1_000_000
    const env = { [CONNECTION_VARIABLE]: (await startRedis(DURABLE)).url() }
    const { faults, figures } = await runSuite({
      subject: 'redis',
      rounds: ROUNDS,
      seed,
      env,
      recoversWithin: ON_A_BUSY_MACHINE,
    })
    console.log(`kill suite: redis, ${ROUNDS} rounds, --seed ${seed}\n${inLines(figures)}`)
    expect(Object.fromEntries(faults)).toEqual({})
  })
})
