/** Two processes on one Postgres with pgmq, over HTTP. That they answer as one does: many-machines.test.ts. */
import { beforeAll, describe, expect, test } from 'vitest'
import { serveChild, type ChildServer } from '../support/child-server.ts'
import { startPgmq, type PgmqServer } from '../support/pgmq/database.ts'
import { talkTo } from '../support/serve.ts'
import { noPostgres } from '../support/servers/postgres.ts'
import { taskOf } from '../support/tasks.ts'
import { until } from '../support/until.ts'

const server = noPostgres ? undefined : await startPgmq()

describe.skipIf(noPostgres)('two processes on one Postgres', () => {
  let processes: readonly ChildServer[]
  beforeAll(async () => {
    const connection = await (server as PgmqServer).createDatabase()
    const env = { TEST_ENGINE: 'pgmq', TEST_CONNECTION: connection }
    processes = await Promise.all([0, 1].map(() => serveChild('tests/fixtures/machines/app.ts', env)))
  })

  const hosts = () => processes.map(({ url }) => talkTo(url))

  test('have one rev for a record, so that whoever waits for the next one waits', async () => {
    const [first, second] = hosts()
    const started = taskOf(await first!.call('/later/tasks', { n: 1 }, { 'task-delay': '1h' }))
    const seen = await Promise.all([first!, second!].map((host) => host.get(`/tasks/${started.id}`)))
    expect(new Set(seen.map(({ headers }) => headers.etag)).size).toBe(1)
    const etag = seen[0]!.headers.etag as string
    expect((await second!.get(`/tasks/${started.id}?wait=1`, { 'if-none-match': etag })).status).toBe(304)
  })

  test('what a killed one ran runs again on the other, and a waiting client never knows', async () => {
    const [first, survivor] = hosts()
    // Started at the one that will die, which takes what is started there.
    const task = taskOf(await first!.call('/slow/tasks', { n: 2, ms: 3000 }))
    await until(
      'the attempt',
      async () => taskOf(await survivor!.get(`/tasks/${task.id}`)).status === 'running',
    )
    const result = survivor!.get(`/tasks/${task.id}/result?wait=30`)
    await processes[0]!.stop('SIGKILL')
    expect(await result).toMatchObject({ status: 200, json: 4 })
    const record = taskOf(await survivor!.get(`/tasks/${task.id}`))
    expect(record).toMatchObject({
      status: 'succeeded',
      attempt: 2,
      attempts: [{ error: { code: 'WORKER_LOST' } }, {}],
    })
  }, 60_000)
})
