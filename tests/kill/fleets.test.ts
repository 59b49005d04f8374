/**
 * The kill suite on fleets, in a few rounds on each engine for many hosts: in turn the process that takes calls, one that
 * works, and the server are killed. `npm run test:kill -- --engine bullmq --server redis --fleet` runs it at length.
 */
import { describe, expect, test } from 'vitest'
import { noPostgres } from '../support/servers/postgres.ts'
import { noRedis } from '../support/servers/redis.ts'
import { inLines } from './figures.ts'
import { PLACES } from './servers.ts'
import { CONNECTION_VARIABLE, ON_A_BUSY_MACHINE } from './subjects.ts'
import { runSuite } from './suite.ts'

const ROUNDS = 3

const fleets = [
  { subject: 'bullmq', kind: 'redis', reason: noRedis },
  { subject: 'bullmq', kind: 'postgres', reason: noPostgres },
  { subject: 'pgmq', kind: 'postgres', reason: noPostgres },
] as const

for (const { subject, kind, reason } of fleets)
  describe.skipIf(reason)(`a fleet on ${subject}, ${kind}`, () => {
    test('loses nothing that was promised, whoever is killed', { timeout: 300_000 }, async () => {
      const { url, server } = await PLACES[subject][kind]!()
      const seed = Date.now() % 1_000_000
      const { faults, figures, killings } = await runSuite({
        subject,
        rounds: ROUNDS,
        seed,
        server,
        env: { [CONNECTION_VARIABLE]: url },
        recoversWithin: ON_A_BUSY_MACHINE,
      })
      console.log(`kill suite: a fleet on ${subject}, ${kind}, --seed ${seed}\n${inLines(figures)}`)
      expect(Object.fromEntries(faults)).toEqual({})
      expect([...killings.keys()]).toEqual(['who takes calls', 'a worker', 'the server'])
      expect(figures.tasks).toBeGreaterThan(0)
    })
  })
