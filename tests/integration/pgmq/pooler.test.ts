/** Behind a pooler in transaction mode: no session lasts, nothing is pushed, and everything works all the same. */
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeAll, describe, expect, test } from 'vitest'
import { createGate, failure, FakeHost, untilAborted, value } from 'errand/testing/suites'
import { endOf, runningOf, start, watch } from '../../support/engine.ts'
import { startPgmq, type PgmqServer } from '../../support/pgmq/database.ts'
import { openHost } from '../../support/pgmq/place.ts'
import { noPooler, startPooler } from '../../support/servers/pgbouncer.ts'
import { noPostgres } from '../../support/servers/postgres.ts'
import { until } from '../../support/until.ts'

const missing = noPostgres ?? noPooler
const server = missing ? undefined : await startPgmq()
const pooler = server && (await startPooler(server))

/** So long that nothing comes by a renewal. */
const LONG = { lease: 60_000 }

describe.skipIf(missing)('behind a pooler', () => {
  let direct: string
  let url: string
  beforeAll(async () => {
    direct = await (server as PgmqServer).createDatabase()
    url = pooler!.url(new URL(direct).pathname.slice(1))
  })

  test('tasks run, wait, fail and are kept, and it is said once that nothing is pushed', async () => {
    const host = new FakeHost()
      .on('add', () => value(3))
      .on('flaky', ({ task }) => (task.attempt < 2 ? failure() : value('ok')))
    const { engine } = await openHost(url, host)
    const ids = await Promise.all(Array.from({ length: 50 }, () => start(engine, 'add')))
    for (const id of ids) expect(await endOf(engine, id)).toMatchObject({ status: 'succeeded', attempt: 1 })
    const flaky = await start(engine, 'flaky', { runAt: Date.now() + 200, tags: ['t'] })
    expect(await endOf(engine, flaky)).toMatchObject({ status: 'succeeded', attempt: 2 })
    expect((await engine.list({ limit: 5, tag: 't' })).items).toHaveLength(1)
    await until('word of it', () => host.reports.length > 0)
    expect(host.reports).toEqual([expect.stringContaining("listen: 'postgres://…'")])
  })

  test('a task, its watchers and its cancel find each other by looking', async () => {
    const worker = new FakeHost().on('remote', untilAborted(failure('stopped')))
    const { engine } = await openHost(url, new FakeHost(), LONG)
    await openHost(url, worker, LONG)
    const id = await start(engine, 'remote')
    const { events } = await watch(engine, id)
    await runningOf(engine, id)
    await engine.cancel(id)
    expect((await events).at(-1)).toMatchObject({ type: 'done', task: { status: 'cancelled' } })
  })

  test('a direct connection to listen on brings the push back', async () => {
    const gate = createGate()
    const worker = new FakeHost().on('chatty', async ({ log }) => {
      await gate.wait
      log({ level: 'info', message: 'heard', at: 'now' })
      return value('ok')
    })
    const [api, remote] = [new FakeHost(), worker]
    const { engine } = await openHost(url, api, { ...LONG, listen: direct })
    await openHost(url, remote, { ...LONG, listen: direct })
    const id = await start(engine, 'chatty')
    await runningOf(engine, id)
    const { events } = await watch(engine, id)
    gate.open()
    // A line of a log is in no record: it can only have been pushed.
    expect((await events).map(({ type }) => type)).toEqual(['state', 'log', 'done'])
    await sleep(4000) // For as long as a word of its own may take to come back.
    expect([...api.reports, ...remote.reports]).toEqual([])
  })

  test('a pooler that goes and comes back is met again', async () => {
    const { engine } = await openHost(
      url,
      new FakeHost().on('add', () => value(3)),
    )
    await pooler!.kill()
    await expect(start(engine, 'add')).rejects.toMatchObject({ name: 'EngineUnavailable' })
    await pooler!.start()
    const id = await until('a start', () => start(engine, 'add').catch(() => undefined))
    expect(await endOf(engine, id)).toMatchObject({ status: 'succeeded' })
  })
})
