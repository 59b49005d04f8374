/** A task that succeeded as somebody asked it to stop was told of without that request, and read with it: one rev, two contents. */
import { expect, test } from 'vitest'
import { createGate, FakeHost, value } from 'errand/testing/suites'
import { runningOf, start } from '../support/engine.ts'
import { runSql, startPgmq } from '../support/pgmq/database.ts'
import { openHost } from '../support/pgmq/place.ts'
import { noPostgres } from '../support/servers/postgres.ts'

const server = noPostgres ? undefined : await startPgmq()

/** No renewal tells of the request. */
const LONG = { lease: 60_000 }

test.skipIf(noPostgres)(
  'an end that knew nothing of a request to stop is told as it is written',
  async () => {
    const url = await server!.createDatabase()
    const gate = createGate()
    const worker = new FakeHost().on('long', () => gate.wait.then(() => value('ok')))
    const { engine } = await openHost(url, worker, LONG)
    const elsewhere = await openHost(url, new FakeHost(), LONG)
    const id = await start(engine, 'long')
    await runningOf(engine, id)
    const { signal } = new AbortController()
    const told = [engine.ended(id, signal), elsewhere.engine.ended(id, signal)]
    // By a host whose word is lost.
    await runSql(
      url,
      'update errand.task set cancel_requested = true, revision = revision + 1 where id = $1',
      [id],
    )
    gate.open()
    const record = { status: 'succeeded', result: 'ok', cancelRequested: true }
    const [here, there] = await Promise.all(told)
    expect([here, there, await engine.get(id)]).toMatchObject([record, record, record])
  },
)
