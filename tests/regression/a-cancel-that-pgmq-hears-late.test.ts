/**
 * A host of pgmq() heard late of a cancel: the task had ended, was queued again by hand, and ran on that very host. The
 * new attempt was stopped, and the task ended as cancelled once more, which nobody had asked for.
 */
import { expect, test } from 'vitest'
import { failure, FakeHost, untilAborted } from 'errand/testing/suites'
import { runSql, startPgmq } from '../support/pgmq/database.ts'
import { openHost, openIdleHost } from '../support/pgmq/place.ts'
import { endOf, start } from '../support/engine.ts'
import { noPostgres } from '../support/servers/postgres.ts'
import { until } from '../support/until.ts'

const server = noPostgres ? undefined : await startPgmq()

test.skipIf(noPostgres)('a cancel of an attempt does nothing to a later one', async () => {
  const url = await server!.createDatabase()
  const host = new FakeHost().on('long', untilAborted(failure()))
  const [{ engine }, { engine: caller }] = [
    await openHost(url, host),
    await openIdleHost(url, new FakeHost()),
  ]
  const begun = (id: string, attempt: number) =>
    until(`attempt ${attempt} of ${id}`, () =>
      host.claims.find(({ task }) => task.id === id && task.attempt === attempt),
    )
  const [again, other] = [await start(caller, 'long'), await start(caller, 'long')]
  await begun(again, 1)
  await caller.cancel(again)
  await endOf(caller, again)
  await caller.retry(again)
  const [second, untouched] = [await begun(again, 2), await begun(other, 1)]
  const late = { from: 'another host', notices: [{ type: 'stop', id: again, attempt: 1 }] }
  await runSql(url, 'select pg_notify($1, $2)', ['errand', JSON.stringify(late)])
  await caller.cancel(other)
  // Notifications are heard in their order.
  await until('the cancel that comes after it', () => untouched.signal.aborted)
  expect(second.signal.aborted).toBe(false)
  expect(await engine.get(again)).toMatchObject({ status: 'running', attempt: 2 })
  expect(await engine.get(again)).not.toHaveProperty('cancelRequested')
})
