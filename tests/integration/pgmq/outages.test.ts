/** A database that is away, frozen, restarted or throws everybody out: callers are told, nothing hangs, work goes on. */
import pg from 'pg'
import { beforeEach, describe, expect, test } from 'vitest'
import { createGate, FakeHost, value } from 'errand/testing/suites'
import { EngineUnavailable } from '../../../src/tasks/engine.ts'
import { endOf, runningOf, start, watch } from '../../support/engine.ts'
import { runSql, startPgmq, type PgmqServer } from '../../support/pgmq/database.ts'
import { createEngine, openHost } from '../../support/pgmq/place.ts'
import { afterwards } from '../../support/afterwards.ts'
import { noPostgres } from '../../support/servers/postgres.ts'
import { until } from '../../support/until.ts'

const server = noPostgres ? undefined : await startPgmq({ max_connections: 100 })

/** Longer than any outage here: what runs stays its host's. */
const LONG = { lease: 60_000 }

const throwOut = (url: string): Promise<unknown> =>
  runSql(
    url,
    'select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
  )

describe.skipIf(noPostgres)('an outage of Postgres', () => {
  let url: string
  beforeEach(async () => {
    url = await (server as PgmqServer).createDatabase()
  })

  test('all connections ended at once: what runs ends well, and is heard of elsewhere', async () => {
    const gate = createGate()
    const worker = new FakeHost().on('long', () => gate.wait.then(() => value('ok')))
    const { engine } = await openHost(url, new FakeHost(), LONG)
    await openHost(url, worker, LONG)
    const id = await start(engine, 'long')
    await runningOf(engine, id)
    const { events } = await watch(engine, id)
    for (let round = 0; round < 3; round++) await throwOut(url)
    gate.open()
    const all = await events
    expect(all.at(-1)).toMatchObject({ type: 'done', task: { status: 'succeeded', attempt: 1 } })
    // Whoever listened is told that something may have been missed.
    expect(all.map(({ type }) => type)).toContain('gap')
    expect(await endOf(engine, await start(engine, 'long'))).toMatchObject({ status: 'succeeded' })
  })

  test('killed and restarted under load: a start succeeds or says 503, and what was acknowledged ends once', async () => {
    const host = new FakeHost(20).on('job', ({ task }) => value(task.input))
    const { engine } = await openHost(url, host, LONG)
    const acknowledged: string[] = []
    const refusals: unknown[] = []
    const over = new AbortController()
    const lane = async (): Promise<void> => {
      while (!over.signal.aborted)
        await start(engine, 'job').then(
          (id) => acknowledged.push(id),
          (error) => refusals.push(error),
        )
    }
    const lanes = Promise.all(Array.from({ length: 8 }, lane))
    for (let round = 0; round < 3; round++) {
      const before = acknowledged.length
      await until('some starts', () => acknowledged.length > before + 20, 30_000)
      await server!.kill()
      await server!.start()
    }
    over.abort()
    await lanes
    expect(refusals.length).toBeGreaterThan(0)
    for (const refusal of refusals) expect(refusal).toBeInstanceOf(EngineUnavailable)
    for (const id of acknowledged)
      expect(await endOf(engine, id, 30_000)).toMatchObject({ status: 'succeeded' })
  }, 120_000)

  test('frozen: calls give up, and go on when it is back', async () => {
    const { engine } = await openHost(
      url,
      new FakeHost().on('job', () => value('ok')),
      LONG,
    )
    const id = await start(engine, 'job')
    await endOf(engine, id)
    server!.freeze()
    const calls = [
      engine.get(id),
      engine.list({ limit: 1 }),
      engine.cancel(id),
      engine.retry(id),
      start(engine, 'job'),
    ]
    for (const call of await Promise.allSettled(calls))
      expect(call).toMatchObject({ status: 'rejected', reason: { name: 'EngineUnavailable' } })
    server!.thaw()
    const next = await until('a start', () => start(engine, 'job').catch(() => undefined))
    expect(await endOf(engine, next)).toMatchObject({ status: 'succeeded' })
  }, 60_000)

  test('away at the start: it is said, and the next try succeeds', async () => {
    const engine = await createEngine(url)
    afterwards(() => engine.close())
    await server!.kill()
    await expect(engine.open(new FakeHost())).rejects.toBeInstanceOf(EngineUnavailable)
    await server!.start()
    const next = await createEngine(url)
    afterwards(() => next.close())
    await next.open(new FakeHost())
    await start(next, 'job')
  })

  test('closing gives up on a frozen one, and leaves a pool of the user’s open', async () => {
    const pool = new pg.Pool({ connectionString: url })
    afterwards(() => pool.end())
    const engine = await createEngine(url, { connection: pool })
    await engine.open(new FakeHost())
    await start(engine, 'job')
    server!.freeze()
    await engine.close()
    server!.thaw()
    await until('the pool', () =>
      pool.query('select 1').then(
        () => true,
        () => false,
      ),
    )
    await expect(start(engine, 'job')).rejects.toBeInstanceOf(EngineUnavailable)
  }, 60_000)
})
