/** Two processes on one Postgres, over HTTP: what a client sees of them is what it sees of one with a file. */
import { beforeAll, describe, expect, test } from 'vitest'
import { runScript } from '../support/client-script.ts'
import { talkTo } from '../support/serve.ts'
import { startPgmq, type PgmqServer } from '../support/pgmq/database.ts'
import { serveProcess, type ServedProcess } from '../support/served-process.ts'
import { noPostgres } from '../support/servers/postgres.ts'
import { taskOf } from '../support/tasks.ts'
import { tempDir } from '../support/temp.ts'
import { until } from '../support/until.ts'

const server = noPostgres ? undefined : await startPgmq()

describe.skipIf(noPostgres)('two processes on one Postgres', () => {
  let databaseUrl: string
  let processes: ServedProcess[]
  beforeAll(async () => {
    databaseUrl = await (server as PgmqServer).createDatabase()
    processes = await Promise.all([0, 1].map(() => serveProcess('serve-work', { DATABASE_URL: databaseUrl })))
  })

  test('answer a client as one process with a file does, but for ids and times', async () => {
    const embedded = await serveProcess('serve-work', { ERRAND_DATA: await tempDir() })
    expect(await runScript(processes.map(({ url }) => url))).toEqual(await runScript([embedded.url]))
  }, 120_000)

  test('have one rev for a record, so that whoever waits for the next one waits', async () => {
    const [first, second] = processes.map(({ url }) => talkTo(url))
    const started = taskOf(await first!.call('/later/tasks', { n: 1 }, { 'task-delay': '1h' }))
    const seen = await Promise.all([first!, second!].map((host) => host.get(`/tasks/${started.id}`)))
    expect(new Set(seen.map(({ headers }) => headers.etag)).size).toBe(1)
    const etag = seen[0]!.headers.etag as string
    expect((await second!.get(`/tasks/${started.id}?wait=1`, { 'if-none-match': etag })).status).toBe(304)
  })

  test('a hundred starts with one key through both make one task', async () => {
    const hosts = processes.map(({ url }) => talkTo(url))
    const starts = Array.from({ length: 100 }, (_, n) =>
      hosts[n % 2]!.call('/keyed/tasks', { order: 'many' }, { 'idempotency-key': 'many' }),
    )
    const answers = await Promise.all(starts)
    expect(new Set(answers.map((answer) => taskOf(answer).id)).size).toBe(1)
    expect(answers.filter(({ headers }) => headers['idempotency-replayed'] === undefined)).toHaveLength(1)
  })

  test('what a killed one ran runs again on the other, and a waiting client never knows', async () => {
    const [first, second] = await Promise.all(
      [0, 1].map(() => serveProcess('serve-work', { DATABASE_URL: databaseUrl })),
    )
    await Promise.all(processes.map(({ kill }) => kill()))
    const survivor = talkTo(second!.url)
    // Started at the one that will die, which takes what is started there.
    const task = taskOf(await talkTo(first!.url).call('/slow/tasks', { n: 2, ms: 3000 }))
    await until(
      'the attempt',
      async () => taskOf(await survivor.get(`/tasks/${task.id}`)).status === 'running',
    )
    const result = survivor.get(`/tasks/${task.id}/result?wait=30`)
    await first!.kill()
    expect(await result).toMatchObject({ status: 200, json: 4 })
    const record = taskOf(await survivor.get(`/tasks/${task.id}`))
    expect(record).toMatchObject({
      status: 'succeeded',
      attempt: 2,
      attempts: [{ error: { code: 'WORKER_LOST' } }, {}],
    })
  }, 60_000)
})
