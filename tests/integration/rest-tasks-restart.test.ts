/** Tasks over REST across restarts, and the quickstart from end to end. */
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import app from '../../examples/quickstart/app.ts'
import { serveApp } from '../support/serve.ts'
import { eventsIn } from '../support/sse.ts'
import { serveWork, taskOf, tasksIn } from '../support/tasks.ts'
import { tempDir } from '../support/temp.ts'
import { until } from '../support/until.ts'

describe('a restart', () => {
  test('keeps old tasks, runs what was waiting, and remembers keys', async () => {
    const restartDir = await tempDir()
    const open = () => serveWork({ dir: restartDir, threads: 1, drainGrace: 50 })
    const before = await open()
    const done = taskOf(await before.call('/by/four/tasks', { n: 1 }, { 'idempotency-key': 'key' }))
    await before.get(`/tasks/${done.id}?wait=10`)
    const waiting = taskOf(await before.call('/by/four/tasks', { n: 2 }, { 'task-delay': '300ms' }))
    const busy = taskOf(await before.call('/slow/tasks', { n: 3, ms: 600 }))
    await until('its start', async () => taskOf(await before.get(`/tasks/${busy.id}`)).status === 'running')
    await before.app.close()
    const after = await open()
    expect(taskOf(await after.get(`/tasks/${done.id}`))).toMatchObject({ status: 'succeeded', result: 4 })
    expect(taskOf(await after.get(`/tasks/${waiting.id}?wait=20`))).toMatchObject({
      status: 'succeeded',
      result: 8,
    })
    expect(taskOf(await after.get(`/tasks/${busy.id}?wait=20`))).toMatchObject({
      status: 'succeeded',
      result: 6,
    })
    const replayed = await after.call('/by/four/tasks', { n: 1 }, { 'idempotency-key': 'key' })
    expect([taskOf(replayed).id, replayed.headers['idempotency-replayed']]).toEqual([done.id, 'true'])
  })

  test('answers who watched or waited, and takes nothing new while it drains', async () => {
    const { url, app: closing, call: post, get: read } = await serveWork({ threads: 1, drainGrace: '5s' })
    const waiting = post('/slow', { n: 4, ms: 500 })
    const task = await until('the task', async () => tasksIn(await read('/tasks?status=running'))[0])
    const events = fetch(`${url}/tasks/${task.id}/events`).then((response) => response.text())
    await sleep(50)
    const closed = closing.close()
    expect(await waiting).toMatchObject({ status: 200, text: '8' })
    expect(eventsIn(await events).at(-1)).toMatchObject({ event: 'done' })
    await closed
  })
})

describe('the quickstart', async () => {
  process.env['ERRAND_DATA'] = await tempDir()
  const quickstart = await serveApp(app)

  test('counts primes on a thread, with progress', async () => {
    expect((await quickstart.call('/countPrimes', { below: 100 })).json).toEqual({ count: 25, largest: 97 })
    const started = await quickstart.call('/countPrimes?async=true', { below: 20_000 })
    const events = eventsIn((await quickstart.get(`${started.headers.location}/events`)).text)
    expect(events.at(-1)).toMatchObject({
      event: 'done',
      data: { status: 'succeeded', result: { count: 2262 } },
    })
  })

  test('makes a thumbnail, and says of what is no image that it is none', async () => {
    const pixel =
      'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
    expect((await quickstart.call('/thumbnail', { image: pixel, width: 4 })).json).toMatchObject({
      width: 4,
      height: 4,
    })
    expect((await quickstart.call('/thumbnail', { image: 'aGVsbG8=' })).status).toBe(400)
  })

  test('takes an image as large as its bodyLimit says, at every door', async () => {
    const image = Buffer.alloc(2_000_000).toString('base64')
    expect((await quickstart.call('/thumbnail', { image })).status).toBe(400)
    expect((await quickstart.call('/thumbnail/tasks', { image })).status).toBe(202)
    expect((await quickstart.call('/trpc/thumbnail.start', { image })).status).toBe(200)
  })
})
