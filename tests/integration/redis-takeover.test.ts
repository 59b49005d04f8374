/** One process alone has the tasks in a Redis: real ones that live, close, are killed, or stand still and come back. */
import { spawn, type ChildProcess } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { createApp, local, procedure } from 'errand'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { afterwards } from '../support/afterwards.ts'
import { recordingLogger, serveApp, talkTo, type LogLine, type Served } from '../support/serve.ts'
import { DURABLE, noRedis, startRedis, type RedisServer } from '../support/servers/redis.ts'
import { taskOf } from '../support/tasks.ts'
import { until } from '../support/until.ts'

const OWNER = new URL('../fixtures/redis/owner.ts', import.meta.url).pathname

interface Owner extends Pick<Served, 'call' | 'get'> {
  readonly child: ChildProcess
  readonly said: string[]
  says(text: string): Promise<string>
}

/** Another process with its tasks in the same Redis. */
const startOwner = async (redis: RedisServer): Promise<Owner> => {
  const child = spawn(process.execPath, ['--conditions=errand-source', OWNER, redis.url()], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  afterwards(async () => void child.kill('SIGKILL'))
  const said: string[] = []
  let rest = ''
  child.stdout.on('data', (chunk) => {
    const lines = (rest + chunk).split('\n')
    rest = lines.pop() as string
    said.push(...lines)
  })
  const says = (text: string): Promise<string> =>
    until(`“${text}”`, () => said.find((line) => line.includes(text)), 20_000)
  const url = (await says('serves ')).split(' ')[1] as string
  return { child, said, says, ...talkTo(url) }
}

/** This process, with a handler that ends at once. */
const createSecond = (redis: RedisServer) => {
  const logs: LogLine[] = []
  const hold = procedure.task({
    input: z.void(),
    output: z.string(),
    runOn: 'inline',
    handler: () => 'by the second',
  })
  const options = { module: import.meta.url, tasks: local({ store: redis.url() }), profile: 'test' as const }
  return { app: createApp({ hold }, { ...options, logger: recordingLogger(logs) }), logs }
}

const serveSecond = (redis: RedisServer): Promise<Served> => {
  const { app, logs } = createSecond(redis)
  return serveApp(app, logs)
}

describe.skipIf(noRedis)('a second process at the same Redis', () => {
  test('is refused while the first one lives, and let in at once when that was killed', async () => {
    const redis = await startRedis(DURABLE)
    const first = await startOwner(redis)
    const { id } = taskOf(await first.call('/hold/tasks'))
    await first.says('runs')
    const { app } = createSecond(redis)
    await expect(app.listen({ port: 0 })).rejects.toThrow(
      `in use by another process: process ${first.child.pid} on`,
    )
    expect((await app.fetch(new Request(`http://app/tasks/${id}`))).status).toBe(503)

    first.child.kill('SIGKILL')
    await until('its end', () => first.child.signalCode !== null)
    const second = await serveApp(app)
    expect(taskOf(await second.get(`/tasks/${id}?wait=20`))).toMatchObject({
      status: 'succeeded',
      result: 'by the second',
      attempt: 2,
    })
  }, 60_000)

  test('takes over from one that stands still, which writes nothing when it goes on', async () => {
    const redis = await startRedis(DURABLE)
    const first = await startOwner(redis)
    const { id } = taskOf(await first.call('/hold/tasks'))
    await first.says('runs')
    first.child.kill('SIGSTOP')
    const second = await serveSecond(redis)
    const ended = taskOf(await second.get(`/tasks/${id}?wait=20`))
    expect(ended).toMatchObject({ status: 'succeeded', result: 'by the second' })

    first.child.kill('SIGCONT')
    expect(await first.says('was taken over by process')).toContain(`process ${process.pid} on`)
    await first.says('stopped')
    const refused = await first.call('/hold/tasks')
    expect(refused.status, refused.text).toBe(503)
    expect(refused.text).toContain(`in use by another process: process ${process.pid}`)
    expect((await first.get('/readyz')).status).toBe(503)
    expect(taskOf(await second.get(`/tasks/${id}`))).toEqual(ended)

    await second.app.close()
    await until('its return', async () => (await first.get('/readyz')).status === 200, 20_000)
    expect(taskOf(await first.get(`/tasks/${id}`))).toMatchObject({ result: 'by the second' })
  }, 60_000)

  test('costs next to nothing to keep out', async () => {
    const redis = await startRedis(DURABLE)
    await serveSecond(redis)
    const client = (await import('@keyv/redis')).createClient({ url: redis.url() })
    await client.connect()
    afterwards(async () => client.destroy())
    await client.configResetStat()
    await sleep(5000)
    const commands = /total_commands_processed:(\d+)/.exec(await client.info('stats'))?.[1]
    expect(Number(commands)).toBeLessThan(10)
  })
})
