/**
 * A host of bullmq() or pgmq() heard late of a cancel: the task had ended, was queued again by hand, and ran on that very
 * host. The new attempt was stopped, and the task ended as cancelled once more, which nobody had asked for.
 */
import { describe, expect, test } from 'vitest'
import { failure, FakeHost, untilAborted } from 'errand/testing/suites'
import type { TaskEngine } from '../../src/tasks/engine.ts'
import { afterwards } from '../support/afterwards.ts'
import { createBullmqEngine, freshName } from '../support/bullmq-place.ts'
import { placeAt, startServers } from '../support/bullmq-steps.ts'
import { endOf, start } from '../support/engine.ts'
import { runSql, startPgmq } from '../support/pgmq/database.ts'
import { openHost } from '../support/pgmq/place.ts'
import { noPostgres } from '../support/servers/postgres.ts'
import { until } from '../support/until.ts'

/** Hosts over the same queues. */
interface Hosts {
  join(host: FakeHost): Promise<TaskEngine>
  /** Tells all of them that the first attempt of `long` was asked to stop. */
  tellLate(id: string): Promise<unknown>
}

const onBullmq = async (url: string): Promise<Hosts> => {
  const name = freshName()
  const place = placeAt(url, name)
  await place.open(() => {})
  afterwards(() => place.close())
  return {
    join: async (host) => {
      const engine = createBullmqEngine(url, { name })
      await engine.open(host)
      engine.work(host.procedures)
      afterwards(() => engine.close())
      return engine
    },
    tellLate: (id) => place.tell({ procedure: 'long', id }, 'cancel', { attempt: '1' }),
  }
}

const pgmqServer = noPostgres ? undefined : await startPgmq()

const onPgmq = async (): Promise<Hosts> => {
  const url = await pgmqServer!.createDatabase()
  return {
    join: async (host) => (await openHost(url, host)).engine,
    tellLate: (id) => {
      const late = { from: 'another host', notices: [{ type: 'stop', id, attempt: 1 }] }
      return runSql(url, 'select pg_notify($1, $2)', ['errand', JSON.stringify(late)])
    },
  }
}

const SUBJECTS = [
  ...(await startServers()).map(({ name, url }) => ({
    name: `bullmq() on ${name}`,
    isMissing: !url,
    open: () => onBullmq(url!),
  })),
  { name: 'pgmq()', isMissing: noPostgres, open: onPgmq },
]

describe.each(SUBJECTS)('$name', ({ isMissing, open }) => {
  test.skipIf(isMissing)('a cancel of an attempt does nothing to a later one', async () => {
    const { join, tellLate } = await open()
    const host = new FakeHost().on('long', untilAborted(failure()))
    const [engine, caller] = [await join(host), await join(new FakeHost())]
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
    await tellLate(again)
    await caller.cancel(other)
    // What is told is heard in its order.
    await until('the cancel that comes after it', () => untouched.signal.aborted)
    expect(second.signal.aborted).toBe(false)
    expect(await engine.get(again)).toMatchObject({ status: 'running', attempt: 2 })
    expect(await engine.get(again)).not.toHaveProperty('cancelRequested')
  })
})
