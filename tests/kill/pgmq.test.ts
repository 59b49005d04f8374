/** The kill suite on the pgmq engine, in a few rounds. `npm run test:kill -- --engine pgmq` runs it at length. */
import { expect, test } from 'vitest'
import { startPgmq } from '../support/pgmq/database.ts'
import { noPostgres } from '../support/servers/postgres.ts'
import { inLines } from './figures.ts'
import { CONNECTION_VARIABLE, ON_A_BUSY_MACHINE } from './subjects.ts'
import { runSuite } from './suite.ts'

const ROUNDS = 3

test.skipIf(noPostgres)(
  'on Postgres nothing that was promised is lost, however hosts end',
  { timeout: 300_000 },
  async () => {
    const server = await startPgmq({})
    const env = { [CONNECTION_VARIABLE]: await server.createDatabase() }
    const seed = Date.now() % 1_000_000
    const { faults, figures } = await runSuite({
      subject: 'pgmq',
      rounds: ROUNDS,
      seed,
      env,
      recoversWithin: ON_A_BUSY_MACHINE,
    })
    console.log(`kill suite: pgmq, ${ROUNDS} rounds, --seed ${seed}\n${inLines(figures)}`)
    expect(Object.fromEntries(faults)).toEqual({})
    expect(figures.tasks).toBeGreaterThan(0)
  },
)
