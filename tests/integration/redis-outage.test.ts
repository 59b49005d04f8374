/** Tasks in a real Redis that dies, stands still, comes back, or has no room: seen through the HTTP door. */
import { setTimeout as sleep } from 'node:timers/promises'
import KeyvRedis, { createClient } from '@keyv/redis'
import { describe, expect, test } from 'vitest'
import { createTaskId } from '../../src/tasks/id.ts'
import { createRedisApp, serveRedisApp } from '../support/redis-app.ts'
import type { Answer } from '../support/http.ts'
import { DURABLE, noRedis, startRedis, type RedisServer } from '../support/servers/redis.ts'
import { serveApp, type Served } from '../support/serve.ts'
import { problemOf } from '../support/http.ts'
import { taskOf, type Task } from '../support/tasks.ts'
import { until } from '../support/until.ts'

const start = async (api: Served, path: string, input: object): Promise<Task> => {
  const answer = await api.call(`${path}/tasks`, input)
  expect(answer.status, answer.text).toBe(202)
  return taskOf(answer)
}

const end = (api: Served, { id }: Pick<Task, 'id'>): Promise<Task> =>
  until(
    `the end of ${id}`,
    async () => {
      const answer = await api.get(`/tasks/${id}?wait=5`)
      return answer.status === 200 && 'finishedAt' in taskOf(answer) && taskOf(answer)
    },
    20_000,
  )

const expectUnavailable = (answer: Answer): void => {
  expect(answer.status, answer.text).toBe(503)
  expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
  expect(problemOf(answer)).toMatchObject({ code: 'SERVICE_UNAVAILABLE' })
}

/** Waits until tasks can be started again. */
const untilBack = (api: Served): Promise<unknown> =>
  until('a start', async () => (await api.call('/by/four/tasks', { n: 0 })).status === 202, 20_000)

/** The ids of the tasks that Redis keeps. */
const idsIn = async (redis: RedisServer): Promise<string[]> => {
  const client = await createClient({ url: redis.url() }).connect()
  try {
    return (await client.keys('*')).filter((key) => key.includes(':task/')).map((key) => key.split('/')[1]!)
  } finally {
    client.destroy()
  }
}

describe.skipIf(noRedis)('a Redis that is not there', () => {
  test('keeps the app from listening, with a word on what to try, until it is', async () => {
    const redis = await startRedis(DURABLE)
    await redis.kill()
    const { app } = createRedisApp(redis.url())
    const refused = app.listen({ port: 0 })
    await expect(refused).rejects.toThrow(`the Redis server at 127.0.0.1:${redis.port}/0 can't be reached`)
    await expect(refused).rejects.toThrow('ECONNREFUSED')
    await expect(refused).rejects.toThrow('Start it, or correct the address')
    const json = { 'content-type': 'application/json' }
    const request = () =>
      new Request('http://app/by/four', { method: 'POST', body: '{"n":2}', headers: json })
    expect((await app.fetch(request())).status).toBe(503)
    await redis.start()
    const server = await app.listen({ port: 0 })
    expect(await (await app.fetch(request())).json()).toBe(8)
    await server.close()
  })
})

describe.skipIf(noRedis)('a Redis that is killed under load', () => {
  test('loses nothing that was acknowledged; starts are 503 meanwhile, and no read says 404', async () => {
    const redis = await startRedis(DURABLE)
    const api = await serveRedisApp(redis.url())
    const done = await end(api, await start(api, '/by/four', { n: 1 }))
    const live = await start(api, '/slow', { n: 21, ms: 3000 })
    await until('its start', async () => taskOf(await api.get(`/tasks/${live.id}`)).status === 'running')

    const accepted: { id: string; n: number }[] = []
    const refused: Answer[] = []
    const load = { on: true }
    const loading = Promise.all(
      Array.from({ length: 8 }, async (_, lane) => {
        for (let n = lane; load.on; n += 8) {
          const answer = await api.call('/by/four/tasks', { n })
          if (answer.status === 202) accepted.push({ id: taskOf(answer).id, n })
          else refused.push(answer)
          await sleep(5)
        }
      }),
    )
    await until('some load', () => accepted.length > 50)
    await redis.kill()
    await until('refusals', () => refused.length > 50)
    refused.forEach(expectUnavailable)

    expect(taskOf(await api.get(`/tasks/${live.id}`))).toMatchObject({ status: 'running' })
    for (const path of ['', '/status', '/result', '/events', '?wait=1'])
      expectUnavailable(await api.get(`/tasks/${done.id}${path}`))
    expectUnavailable(await api.send(`DELETE /tasks/${done.id}`))
    expectUnavailable(await api.send(`POST /tasks/${done.id}/retry`))
    expect((await api.get(`/tasks/${createTaskId()}`)).status).toBe(404)
    expect((await api.get('/ping')).status).toBe(200)

    await sleep(2500) // The handler of the live task ends while nothing can be written.
    await redis.start()
    await untilBack(api)
    load.on = false
    await loading
    expect(await end(api, live)).toMatchObject({ status: 'succeeded', result: 42, attempt: 1 })
    expect(taskOf(await api.get(`/tasks/${done.id}`))).toMatchObject({ result: 4 })
    for (const { id, n } of accepted)
      expect(await end(api, { id }), id).toMatchObject({ status: 'succeeded', result: n * 4 })
    await api.app.close()

    // untilBack started one more.
    expect((await idsIn(redis)).length).toBe(accepted.length + 3)
    const after = await serveRedisApp(redis.url())
    for (const { id, n } of accepted)
      expect(taskOf(await after.get(`/tasks/${id}`)), id).toMatchObject({
        status: 'succeeded',
        result: n * 4,
      })
  }, 60_000)
})

describe.skipIf(noRedis)('a Redis that stands still', () => {
  test('is a 503 when its time is over, and goes on when it does', async () => {
    const redis = await startRedis(DURABLE)
    const api = await serveRedisApp(redis.url())
    const done = await end(api, await start(api, '/by/four', { n: 1 }))
    const live = await start(api, '/slow', { n: 21, ms: 1500 })
    redis.freeze()
    const answers = await Promise.all([
      api.call('/by/four/tasks', { n: 1 }),
      api.call('/by/four', { n: 2 }),
      api.get(`/tasks/${done.id}`),
      api.get('/tasks?limit=10'),
    ])
    answers.forEach(expectUnavailable)
    expect(taskOf(await api.get(`/tasks/${live.id}`)).status).toBe('running')
    redis.thaw()
    await untilBack(api)
    expect(await end(api, live)).toMatchObject({ status: 'succeeded', result: 42 })
    expect(taskOf(await api.get(`/tasks/${done.id}`))).toMatchObject({ result: 4 })
  }, 40_000)

  test('does not keep the app from closing', async () => {
    const redis = await startRedis(DURABLE)
    const api = await serveRedisApp(redis.url())
    await start(api, '/slow', { n: 21, ms: 60_000 })
    redis.freeze()
    const lost = api.call('/by/four/tasks', { n: 1 })
    await sleep(100)
    await api.app.close()
    expectUnavailable(await lost)
  }, 40_000)
})

describe.skipIf(noRedis)('a Redis that has no room', () => {
  test('refuses writes, which is a 503 and never a task that is not there', async () => {
    const redis = await startRedis({ ...DURABLE, 'maxmemory-policy': 'noeviction' })
    const api = await serveRedisApp(redis.url())
    const done = await end(api, await start(api, '/by/four', { n: 1 }))
    const client = await createClient({ url: redis.url() }).connect()
    await client.configSet('maxmemory', '1')
    for (const path of ['/by/four/tasks', '/by/four']) expectUnavailable(await api.call(path, { n: 1 }))
    expect(taskOf(await api.get(`/tasks/${done.id}`))).toMatchObject({ result: 4 })
    await sleep(8000) // Longer than the guard holds its seat: it must keep it all the same.
    await client.configSet('maxmemory', '0')
    client.destroy()
    await untilBack(api)
    expect((await idsIn(redis)).length).toBe(2)
  }, 40_000)
})

describe.skipIf(noRedis)('an adapter that somebody else made, as lenient as @keyv/redis makes it', () => {
  test('waits for no connection, and believes no write that was refused', async () => {
    const redis = await startRedis(DURABLE)
    await redis.kill()
    const { app, logs } = createRedisApp(new KeyvRedis(redis.url()))
    await expect(app.listen({ port: 0 })).rejects.toThrow(
      `the Redis server at 127.0.0.1:${redis.port}/0 can't`,
    )
    await redis.start()
    const api = await serveApp(app, logs)
    const done = await end(api, await start(api, '/by/four', { n: 1 }))

    const client = await createClient({ url: redis.url() }).connect()
    await client.configSet('maxmemory', '1')
    expectUnavailable(await api.call('/by/four/tasks', { n: 1 }))
    client.destroy()

    await redis.kill()
    expectUnavailable(await api.call('/by/four/tasks', { n: 1 }))
    expectUnavailable(await api.get(`/tasks/${done.id}`))
    await redis.start()
    await untilBack(api)
    expect(taskOf(await api.get(`/tasks/${done.id}`))).toMatchObject({ result: 4 })
  }, 40_000)
})
