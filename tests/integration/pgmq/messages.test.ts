/** The queues as whoever looks into pgmq sees them, and what may be done to them there. */
import { beforeEach, describe, expect, test } from 'vitest'
import { createGate, failure, FakeHost, value } from 'errand/testing/suites'
import { endOf, start, taskWhen } from '../../support/engine.ts'
import { runSql, startPgmq, type PgmqServer } from '../../support/pgmq/database.ts'
import { openHost } from '../../support/pgmq/place.ts'
import { noPostgres } from '../../support/servers/postgres.ts'
import { until } from '../../support/until.ts'

const server = noPostgres ? undefined : await startPgmq()

interface Message {
  readonly id: string
  readonly hidden: boolean
}

describe.skipIf(noPostgres)('messages in pgmq', () => {
  let url: string
  beforeEach(async () => {
    url = await (server as PgmqServer).createDatabase()
  })

  const messages = async (queue = 'errand_job'): Promise<Message[]> =>
    (
      await runSql(
        url,
        `select message->>'id' as id, vt > clock_timestamp() as hidden from pgmq.q_${queue} order by msg_id`,
      )
    ).rows as Message[]

  test('a task has one from its start to its end', async () => {
    const gate = createGate()
    const { engine } = await openHost(
      url,
      new FakeHost(1).on('job', () => gate.wait.then(() => value(1))),
    )
    const ids = [await start(engine, 'job'), await start(engine, 'job')]
    expect((await messages()).map(({ id }) => id)).toEqual(ids)
    gate.open()
    for (const id of ids) await endOf(engine, id)
    expect(await messages()).toEqual([])
  })

  test('it is hidden while its task is delayed or runs, and to be seen while that waits', async () => {
    const gate = createGate()
    const script = () => gate.wait.then(() => value(1))
    const { engine } = await openHost(url, new FakeHost(1).on('job', script))
    const running = await start(engine, 'job')
    const waiting = await start(engine, 'job')
    const delayed = await start(engine, 'job', { runAt: Date.now() + 60_000 })
    await until('a renewed lease', async () => (await messages())[0]!.hidden)
    expect(await messages()).toEqual([
      { id: running, hidden: true },
      { id: waiting, hidden: false },
      { id: delayed, hidden: true },
    ])
    await engine.cancel(delayed)
    gate.open()
    await endOf(engine, waiting)
    expect(await messages()).toEqual([])
  })

  test('a task that waits for another try keeps it, hidden until then; one that is queued by hand gets a new one', async () => {
    const bad = new FakeHost().on('job', () => failure(), { retry: { initial: 60_000 } })
    const { engine } = await openHost(url, bad)
    const id = await start(engine, 'job')
    await taskWhen(engine, id, ({ runAt }) => runAt !== undefined)
    expect(await messages()).toEqual([{ id, hidden: true }])
    await engine.cancel(id)
    expect(await messages()).toEqual([])
    const gate = createGate()
    const next = await openHost(
      url,
      new FakeHost().on('job', () => gate.wait.then(() => value('ok'))),
    )
    await next.engine.retry(id)
    expect(await messages()).toMatchObject([{ id }])
    gate.open()
    await taskWhen(engine, id, ({ status }) => status !== 'queued' && status !== 'running')
    expect(await messages()).toEqual([])
  })

  test('tasks run all the same when their messages are purged, or their queue is dropped', async () => {
    const first = await openHost(url, new FakeHost())
    const ids = [await start(first.engine, 'job'), await start(first.engine, 'job')]
    await runSql(url, `select pgmq.purge_queue('errand_job')`)
    const { engine } = await openHost(
      url,
      new FakeHost().on('job', () => value('ok')),
    )
    for (const id of ids) expect(await endOf(engine, id)).toMatchObject({ status: 'succeeded' })
    const [late, never] = [await start(first.engine, 'late'), await start(first.engine, 'late')]
    await runSql(url, `select pgmq.drop_queue('errand_late'), pgmq.drop_queue('errand_job')`)
    expect(await first.engine.cancel(never)).toMatchObject({ kind: 'settled', task: { status: 'cancelled' } })
    await runSql(url, 'drop table pgmq.q_errand_late') // Without a word to pgmq.
    const other = await openHost(
      url,
      new FakeHost().on('late', () => value('ok')),
    )
    expect(await endOf(other.engine, late)).toMatchObject({ status: 'succeeded' })
    expect(await endOf(engine, await start(engine, 'job'))).toMatchObject({ status: 'succeeded' })
  })

  test('a procedure’s queue is there before its first task', async () => {
    await openHost(
      url,
      new FakeHost().on('job', () => value(1)).on('users.create', () => value(1)),
    )
    const names = await until('the queues', async () => {
      const { rows } = await runSql(url, 'select queue_name from pgmq.list_queues() order by queue_name')
      return rows.length === 2 && rows.map((row: { queue_name: string }) => row.queue_name)
    })
    expect(names).toEqual(['errand_job', expect.stringMatching(/^errand_users_create_[0-9a-f]{8}$/)])
  })
})
