/**
 * The server is killed and comes back, a few times under load: starts succeed or are answered with 503, none hangs, watchers
 * go on to the end, and all that was acknowledged ends once. `npm run test:kill -- --restarts 5000 --rounds 12` for a minute.
 */
import { describe, expect, test } from 'vitest'
import { noPostgres } from '../support/servers/postgres.ts'
import { noRedis } from '../support/servers/redis.ts'
import { inLines } from './figures.ts'
import { PLACES } from './servers.ts'
import { CONNECTION_VARIABLE, ON_A_BUSY_MACHINE } from './subjects.ts'
import { runSuite } from './suite.ts'

const ROUNDS = 2
const EVERY = 2000

const places = [
  { subject: 'redis', kind: 'redis', reason: noRedis },
  { subject: 'bullmq', kind: 'redis', reason: noRedis },
  { subject: 'bullmq', kind: 'postgres', reason: noPostgres },
  { subject: 'pgmq', kind: 'postgres', reason: noPostgres },
] as const

for (const { subject, kind, reason } of places)
  describe.skipIf(reason)(`${subject} on ${kind}`, () => {
    test('goes on each time that its server is back', { timeout: 300_000 }, async () => {
      const { url, server } = await PLACES[subject][kind]!()
      const seed = Date.now() % 1_000_000
      const { faults, figures } = await runSuite({
        subject,
        rounds: ROUNDS,
        seed,
        server,
        restartEvery: EVERY,
        env: { [CONNECTION_VARIABLE]: url },
        recoversWithin: ON_A_BUSY_MACHINE,
      })
      console.log(`restarts: ${subject} on ${kind}, --seed ${seed}\n${inLines(figures)}`)
      expect(Object.fromEntries(faults)).toEqual({})
      expect(figures.watchedToTheEnd).toBeGreaterThan(0)
      expect(figures.handledToTheEnd).toBeGreaterThan(0)
    })
  })
