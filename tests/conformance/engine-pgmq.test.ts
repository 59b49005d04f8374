/** The engine of many hosts over pgmq in a real Postgres. */
import { engineSuite } from 'errand/testing/suites'
import { describe } from 'vitest'
import { startPgmq, type PgmqServer } from '../support/pgmq/database.ts'
import { pgmqPlace } from '../support/pgmq/place.ts'
import { noPostgres } from '../support/servers/postgres.ts'

const server = noPostgres ? undefined : await startPgmq()

describe.skipIf(noPostgres)('with Postgres', () => {
  engineSuite('pgmq', () => pgmqPlace(server as PgmqServer), { patience: 15_000 })
})
