/** Several hosts on one Postgres: they share the work, hear of each other, and take over what a lost one had. */
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeEach, describe, expect, test } from 'vitest'
import { createGate, failure, FakeHost, untilAborted, value } from 'errand/testing/suites'
import { spec } from '../../../src/testing/suites/engine/bench.ts'
import { endOf, runningOf, start, taskWhen, watch } from '../../support/engine.ts'
import { startPgmq, type PgmqServer } from '../../support/pgmq/database.ts'
import { openHost, openIdleHost } from '../../support/pgmq/place.ts'
import { noPostgres } from '../../support/servers/postgres.ts'
import { until } from '../../support/until.ts'

const server = noPostgres ? undefined : await startPgmq()

/** So long that nothing comes by a renewal: what is heard was pushed. */
const LONG = { lease: 60_000 }

describe.skipIf(noPostgres)('hosts on one Postgres', () => {
  let url: string
  beforeEach(async () => {
    url = await (server as PgmqServer).createDatabase()
  })

  test('share the work, and run no task twice', async () => {
    const hosts = [0, 1, 2].map(() => new FakeHost(2).on('job', () => sleep(20, value('ok'))))
    const [first] = await Promise.all(hosts.map((host) => openHost(url, host)))
    const { engine } = first!
    const ids = await Promise.all(Array.from({ length: 60 }, () => start(engine, 'job')))
    for (const id of ids) expect(await endOf(engine, id)).toMatchObject({ status: 'succeeded', attempt: 1 })
    const ran = hosts.flatMap(({ claims }) => claims.map(({ task }) => task.id))
    expect(ran.toSorted()).toEqual(ids.toSorted())
    for (const { claims } of hosts) expect(claims.length).toBeGreaterThan(0)
  })

  test('leave a task to one that knows its procedure', async () => {
    const [api, worker] = [
      new FakeHost().on('other', () => value(0)),
      new FakeHost().on('job', () => value(1)),
    ]
    const { engine } = await openHost(url, api)
    const id = await start(engine, 'job')
    await openHost(url, worker)
    expect(await endOf(engine, id)).toMatchObject({ status: 'succeeded', result: 1, attempt: 1 })
    expect(api.claims).toHaveLength(0)
  })

  test('one that only starts tasks takes none, though it knows their procedure', async () => {
    const [api, worker] = [new FakeHost().on('job', () => value(0)), new FakeHost().on('job', () => value(1))]
    const { engine } = await openIdleHost(url, api)
    const id = await start(engine, 'job')
    const other = await openIdleHost(url, new FakeHost())
    await start(other.engine, 'job') // Which is offered to all hosts.
    expect(await engine.get(id)).toMatchObject({ status: 'queued' })
    await openHost(url, worker)
    expect(await endOf(engine, id)).toMatchObject({ status: 'succeeded', result: 1 })
    expect(api.claims).toHaveLength(0)
  })

  test('a cancel reaches the host that runs the task', async () => {
    const worker = new FakeHost().on('long', untilAborted(failure('stopped')))
    const { engine } = await openHost(url, new FakeHost(), LONG)
    await openHost(url, worker, LONG)
    const id = await start(engine, 'long')
    await until('the attempt', () => worker.claims.length === 1)
    expect(await engine.cancel(id)).toMatchObject({ kind: 'requested', task: { cancelRequested: true } })
    expect(await endOf(engine, id)).toMatchObject({ status: 'cancelled', attempt: 1 })
    expect(worker.claims[0]!.signal.reason).toMatchObject({ name: 'Cancelled' })
  })

  test('a watcher sees states, progress and logs of a task that runs elsewhere', async () => {
    const gates = [createGate(), createGate()]
    const long = 'x'.repeat(20_000)
    const worker = new FakeHost().on('long', async ({ progress, log }) => {
      await gates[0]!.wait
      progress({ percent: 50 })
      log({ level: 'info', message: `half ${long}`, at: 'now' })
      await gates[1]!.wait
      progress(long)
      return value('ok')
    })
    const { engine } = await openHost(url, new FakeHost(), LONG)
    await openHost(url, worker, LONG)
    const id = await start(engine, 'long')
    await runningOf(engine, id)
    const { events } = await watch(engine, id)
    gates[0]!.open()
    await taskWhen(engine, id, ({ progress }) => progress !== undefined)
    gates[1]!.open()
    const all = await events
    expect(all.map(({ type }) => type)).toEqual(['state', 'progress', 'log', 'progress', 'done'])
    expect(all[1]).toMatchObject({ progress: { percent: 50 } })
    expect(all[2]).toMatchObject({ log: { level: 'info', message: expect.stringMatching(/^half x+/) } })
    expect(all[3]).toMatchObject({ progress: long })
    expect(all[4]).toMatchObject({ task: { status: 'succeeded', result: 'ok', progress: long } })
  })

  test('what a lost host had runs elsewhere, and its late end changes nothing', async () => {
    const gate = createGate()
    const lost = new FakeHost().on('job', () => gate.wait.then(() => value('late')))
    const other = new FakeHost().on('job', ({ task }) => value(`attempt ${task.attempt}`))
    const first = await openHost(url, lost)
    const id = await start(first.engine, 'job')
    await until('the attempt', () => lost.claims.length === 1)
    first.cut()
    const second = await openHost(url, other)
    const task = await endOf(second.engine, id)
    expect(task).toMatchObject({ status: 'succeeded', result: 'attempt 2' })
    expect(task.attempts[0]).toMatchObject({ error: { code: 'WORKER_LOST' } })
    gate.open()
    await until('word of the lost lease', () => lost.reports.some((text) => text.includes('no longer')))
    expect(await second.engine.get(id)).toEqual(task)
  })

  test('a lease that is renewed is nobody else’s, however long the task takes', async () => {
    const hosts = [0, 1].map(() => new FakeHost().on('long', () => sleep(2000, value('ok'))))
    const [first] = await Promise.all(hosts.map((host) => openHost(url, host)))
    const id = await start(first!.engine, 'long')
    expect(await endOf(first!.engine, id)).toMatchObject({ status: 'succeeded', attempt: 1 })
    expect(hosts.flatMap(({ claims }) => claims)).toHaveLength(1)
  })

  test('keep to the concurrency of a procedure together', async () => {
    let [now, most] = [0, 0]
    const busy = async () => {
      most = Math.max(most, ++now)
      await sleep(15)
      now -= 1
      return value(null)
    }
    const hosts = [0, 1, 2].map(() => new FakeHost().on('few', busy, { concurrency: 2 }))
    const [first] = await Promise.all(hosts.map((host) => openHost(url, host, LONG)))
    const ids = await Promise.all(Array.from({ length: 30 }, () => start(first!.engine, 'few')))
    for (const id of ids) await endOf(first!.engine, id)
    expect(most).toBe(2)
  })

  test('a hundred starts with one key, through two hosts at once, make one task', async () => {
    const hosts = [0, 1].map(() => new FakeHost().on('pay', () => value('paid')))
    const opened = await Promise.all(hosts.map((host) => openHost(url, host)))
    const key = { idempotencyKey: 'k', inputDigest: 'd' }
    const all = await Promise.all(
      Array.from({ length: 100 }, (_, n) => opened[n % 2]!.engine.submit(spec('pay', key))),
    )
    expect(new Set(all.map(({ task }) => task.id)).size).toBe(1)
    expect(all.filter(({ kind }) => kind === 'created')).toHaveLength(1)
    await endOf(opened[0]!.engine, all[0]!.task.id)
    expect(hosts.flatMap(({ claims }) => claims)).toHaveLength(1)
  })

  test('a delay is kept by whoever is there when it ends', async () => {
    const { engine, cut } = await openHost(url, new FakeHost())
    const runAt = Date.now() + 700
    const id = await start(engine, 'later', { runAt })
    cut()
    const other = await openHost(
      url,
      new FakeHost().on('later', () => value(Date.now())),
    )
    expect((await endOf(other.engine, id)).result).toBeGreaterThanOrEqual(runAt)
  })
})
