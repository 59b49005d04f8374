/** Starting tasks over REST, and calling them. */
import { describe, expect, test } from 'vitest'
import { inline, procedure } from 'errand'
import { z } from 'zod'
import { problemOf } from '../support/http.ts'
import { serve } from '../support/serve.ts'
import { serveWork, taskOf, tasksIn } from '../support/tasks.ts'

const { url, call, get, send, start, end, runningOf } = await serveWork()

const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

describe('a plain call of a task', () => {
  test('waits for the output and tells where the task is', async () => {
    const answer = await call('/slow', { n: 5, ms: 30 })
    expect(answer).toMatchObject({ status: 200, text: '10', type: 'application/json' })
    const place = answer.headers['content-location'] as string
    expect(place).toMatch(/^\/tasks\//)
    expect(taskOf(await get(place))).toMatchObject({ status: 'succeeded', result: 10, procedure: 'slow' })
  })

  test('of a void task is 204', async () => {
    expect(await call('/nothing')).toMatchObject({ status: 204, text: '' })
  })

  test('is refused for a bad input before there is a task', async () => {
    const before = tasksIn(await get('/tasks?procedure=slow')).length
    const answer = await call('/slow', { n: 'x' })
    expect(answer.status).toBe(400)
    expect(problemOf(answer)).toMatchObject({
      code: 'BAD_REQUEST',
      issues: [{ path: ['n'] }],
      instance: '/slow',
    })
    expect((await call('/slow/tasks', { n: 'x' })).status).toBe(400)
    expect(tasksIn(await get('/tasks?procedure=slow'))).toHaveLength(before)
  })

  test('that fails has the status and the problem of the error', async () => {
    const declared = await call('/unlucky', { declared: true })
    expect(declared).toMatchObject({ status: 418, type: 'application/problem+json' })
    expect(problemOf(declared)).toMatchObject({
      code: 'OUT_OF_LUCK',
      data: { luck: 0 },
      detail: 'Out of luck',
      instance: '/unlucky',
    })
    expect(declared.headers['content-location']).toMatch(/^\/tasks\//)
    expect(problemOf(await call('/unlucky', { declared: false }))).toMatchObject({
      status: 404,
      code: 'NOT_FOUND',
      data: { looked: true },
    })
    expect(problemOf(await call('/fails', {}))).toMatchObject({
      status: 500,
      code: 'INTERNAL_SERVER_ERROR',
      detail: 'Internal server error',
    })
    expect(problemOf(await call('/wrong'))).toMatchObject({
      status: 500,
      code: 'OUTPUT_INVALID',
      detail: 'Internal server error',
    })
    expect(problemOf(await call('/late'))).toMatchObject({ status: 504, code: 'TASK_TIMEOUT' })
  })

  test('goes on when its caller hangs up', async () => {
    const hangUp = new AbortController()
    const waiting = fetch(`${url}/slow`, {
      method: 'POST',
      body: '{"n":77,"ms":300}',
      headers: { 'content-type': 'application/json' },
      signal: hangUp.signal,
    })
    const task = await runningOf('slow')
    hangUp.abort()
    await expect(waiting).rejects.toThrow()
    expect(await end(task.id)).toMatchObject({ status: 'succeeded', result: 154 })
  })

  test('answers no GET', async () => {
    expect((await get('/slow?n=1')).status).toBe(405)
  })
})

describe('a call that does not wait', () => {
  test.each([
    ['?async=true', '/slow?async=true', {}, undefined],
    ['?async=1', '/slow?async=1', {}, undefined],
    ['Prefer: respond-async', '/slow', { prefer: 'respond-async' }, 'respond-async'],
    ['Prefer among others', '/slow', { prefer: 'handling=lenient, respond-async' }, 'respond-async'],
    ['Prefer: respond-async, wait=0', '/slow', { prefer: 'respond-async, wait=0' }, 'respond-async, wait=0'],
    ['mode always', '/later', {}, undefined],
  ])('is 202 with the record and where it is: %s', async (_, path, headers, applied) => {
    const answer = await call(path, { n: 1, ms: 200 }, headers)
    expect(answer.status).toBe(202)
    const task = taskOf(answer)
    expect(task.id).toMatch(UUID_V7)
    expect(answer.headers).toMatchObject({ location: `/tasks/${task.id}`, 'retry-after': '1' })
    expect(answer.headers['preference-applied']).toBe(applied)
    expect(answer.headers['content-location']).toBeUndefined()
    expect(task).toMatchObject({ procedure: path.replace(/\?.*/, '').slice(1), maxAttempts: 3 })
    expect(task.links).toEqual({
      self: `/tasks/${task.id}`,
      result: `/tasks/${task.id}/result`,
      events: `/tasks/${task.id}/events`,
      cancel: `/tasks/${task.id}/cancel`,
    })
    expect(task.createdAt).toMatch(ISO)
    await end(task.id)
  })

  test('is 200 when the task is done within the wait it asked for', async () => {
    const answer = await call('/slow', { n: 2 }, { prefer: 'respond-async, wait=10' })
    expect(answer).toMatchObject({ status: 200, text: '4' })
    expect(answer.headers['preference-applied']).toBe('respond-async, wait=10')
    expect(answer.headers['content-location']).toMatch(/^\/tasks\//)
  })

  test('is 202 when it is not', async () => {
    const answer = await call('/slow', { n: 2, ms: 1500 }, { prefer: 'wait=1, respond-async' })
    expect(answer.status).toBe(202)
    expect(['queued', 'running']).toContain(taskOf(answer).status)
    await send(`POST /tasks/${taskOf(answer).id}/cancel`)
  })

  test('also waits for mode always where it asks for that', async () => {
    expect(await call('/later', { n: 3 }, { prefer: 'respond-async, wait=10' })).toMatchObject({
      status: 200,
      text: '3',
    })
  })

  test('is not what wait alone asks for', async () => {
    const answer = await call('/slow', { n: 2, ms: 60 }, { prefer: 'wait=0' })
    expect(answer.status).toBe(200)
    expect(answer.headers['preference-applied']).toBeUndefined()
  })

  test('is not asked for of what is no task', async () => {
    expect((await call('/ping?async=true', undefined, { prefer: 'respond-async' })).json).toBe('pong')
  })
})

describe('POST /{task}/tasks', () => {
  test('starts, with options in headers', async () => {
    const answer = await call(
      '/slow/tasks',
      { n: 1 },
      { 'task-delay': '60000', 'task-priority': '7', 'task-tags': 'red, blue,,green ' },
    )
    const task = taskOf(answer)
    expect(answer).toMatchObject({ status: 202, headers: { location: `/tasks/${task.id}` } })
    expect(task).toMatchObject({ status: 'queued', attempt: 0, attempts: [], tags: ['red', 'blue', 'green'] })
    expect(Date.parse(task.runAt as string) - Date.parse(task.createdAt)).toBeCloseTo(60_000, -3)
    expect((await send(`POST /tasks/${task.id}/cancel`)).status).toBe(200)
  })

  test('takes a time to run at, and a delay in words', async () => {
    const at = new Date(Date.now() + 3_600_000).toISOString()
    for (const headers of [{ 'task-run-at': at }, { 'task-delay': '1h' }]) {
      const task = await start('/slow', { n: 1 }, headers)
      expect(Date.parse(task.runAt as string) - Date.now()).toBeCloseTo(3_600_000, -4)
      await send(`POST /tasks/${task.id}/cancel`)
    }
  })

  test.each([
    [{ 'task-delay': 'soon' }, 'delay'],
    [{ 'task-delay': '-5' }, 'delay'],
    [{ 'task-delay': '9'.repeat(400) }, 'delay'],
    [{ 'task-delay': '99999999999999d' }, 'delay'],
    [{ 'task-delay': '99999999999999999' }, 'delay'],
    [{ 'task-run-at': 'tomorrow' }, 'runAt'],
    [{ 'task-run-at': '+275760-09-13T00:00:00.001Z' }, 'runAt'],
    [{ 'task-delay': '1s', 'task-run-at': '2030-01-01T00:00:00Z' }, 'delay'],
    [{ 'task-priority': '101' }, 'priority'],
    [{ 'task-priority': '1.5' }, 'priority'],
    [{ 'task-priority': 'high' }, 'priority'],
    [{ 'task-tags': Array.from({ length: 21 }, (_, index) => `t${index}`).join(',') }, 'tags'],
    [{ 'task-tags': 'x'.repeat(101) }, 'tags'],
    [{ 'idempotency-key': 'k'.repeat(256) }, 'idempotencyKey'],
  ])('refuses %j and names the option', async (headers, name) => {
    const answer = await call('/slow/tasks', { n: 1 }, headers)
    expect(answer.status).toBe(400)
    expect(problemOf(answer).issues).toMatchObject([{ path: [name] }])
    expect((await get('/tasks?limit=200')).status).toBe(200)
  })

  test('answers with a record that says nothing of the input to callers who are no admins', async () => {
    expect(await start('/slow', { n: 123_456 })).not.toHaveProperty('input')
  })
})

describe('an idempotency key', () => {
  const keyed = (key: string, input: unknown, path = '/slow/tasks') =>
    call(path, input, { 'idempotency-key': key })

  test('stands for one task: the same input gives the same task', async () => {
    const first = await keyed('k1', { n: 1, ms: 0 })
    expect(first.headers['idempotency-replayed']).toBeUndefined()
    const second = await keyed('k1', { ms: 0, n: 1 })
    expect(second).toMatchObject({ status: 202, headers: { 'idempotency-replayed': 'true' } })
    expect(taskOf(second).id).toBe(taskOf(first).id)
  })

  test('with another input is 422', async () => {
    await keyed('k2', { n: 1 })
    const answer = await keyed('k2', { n: 2 })
    expect(answer.status).toBe(422)
    expect(problemOf(answer)).toMatchObject({
      code: 'UNPROCESSABLE_CONTENT',
      detail: expect.stringMatching(/new key/),
    })
  })

  test('works on waiting calls too, and gives the same result', async () => {
    const first = await keyed('k3', { n: 21 }, '/slow')
    const second = await keyed('k3', { n: 21 }, '/slow')
    expect([second.status, second.text, second.headers['content-location']]).toEqual([
      200,
      '42',
      first.headers['content-location'],
    ])
    expect(second.headers['idempotency-replayed']).toBe('true')
  })

  test('is one for each procedure', async () => {
    const [one, two] = [await keyed('k4', { n: 1 }), await keyed('k4', { n: 1 }, '/by/four/tasks')]
    expect(taskOf(two).id).not.toBe(taskOf(one).id)
  })

  test('of many starts at once makes one task', async () => {
    const answers = await Promise.all(Array.from({ length: 20 }, () => keyed('k5', { n: 5 })))
    expect(new Set(answers.map((answer) => taskOf(answer).id)).size).toBe(1)
    expect(answers.filter(({ headers }) => headers['idempotency-replayed'] === undefined)).toHaveLength(1)
  })

  test('may be made by the procedure from its input', async () => {
    const first = await start('/keyed', { order: 'o1' })
    expect((await start('/keyed', { order: 'o1' })).id).toBe(first.id)
    expect((await call('/keyed/tasks', { order: 'o1', note: 'other' })).status).toBe(422)
    expect((await start('/keyed', { order: 'o1' }, { 'idempotency-key': 'own' })).id).not.toBe(first.id)
  })

  test('is free again once its task was removed', async () => {
    const first = taskOf(await keyed('k6', { n: 1 }))
    await end(first.id)
    await send(`DELETE /tasks/${first.id}`)
    expect(taskOf(await keyed('k6', { n: 2 })).id).not.toBe(first.id)
  })
})

describe('a task started by a handler', () => {
  test('of a mutation is durable when the answer is there', async () => {
    const { id } = (await call('/starter', { n: 8 })).json as { id: string }
    expect(await end(id)).toMatchObject({ procedure: 'slow', result: 16 })
  })

  test('of a task in a worker can be waited for there', async () => {
    expect((await call('/nests', { n: 2 })).json).toBe(9)
  })
})

describe('a queue that is full', async () => {
  const full = await serveWork({ threads: 1, queueLimit: 2 })

  test('refuses the next start with 503 and when to come back', async () => {
    const ids: string[] = []
    for (let n = 0; n < 2; n++)
      ids.push(taskOf(await full.call('/slow/tasks', { n }, { 'task-delay': '1h' })).id)
    for (const path of ['/slow/tasks', '/slow?async=true']) {
      const answer = await full.call(
        path,
        { n: 3 },
        path.endsWith('tasks') ? { 'task-delay': '1h' } : { 'task-delay': '1h' },
      )
      expect(answer.status).toBe(503)
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
      expect(problemOf(answer)).toMatchObject({ code: 'SERVICE_UNAVAILABLE' })
    }
    for (const id of ids) await full.send(`POST /tasks/${id}/cancel`)
    expect((await full.call('/slow', { n: 3 })).json).toBe(6)
  })
})

test('a task may have a route of its own, with the routes of its tasks below it', async () => {
  const report = procedure.task({
    input: z.object({ name: z.string(), pages: z.int().default(1) }),
    output: z.string(),
    meta: { rest: { method: 'PUT', path: '/reports/{name}', status: 201 } },
    handler: ({ input }) => `${input.name} ${input.pages}`,
  })
  const own = await serve({ report }, { tasks: inline() })
  expect(await own.send('PUT /reports/a', { json: { pages: 2 } })).toMatchObject({
    status: 201,
    text: '"a 2"',
  })
  expect((await own.call('/report', { name: 'a' })).status).toBe(404)
  const started = await own.call('/reports/b/tasks', {})
  expect(started.status).toBe(202)
  expect(await own.get(`${started.headers.location}/result?wait=5`)).toMatchObject({
    status: 201,
    text: '"b 1"',
  })
  expect(taskOf(await own.get(`/reports/b/tasks/${taskOf(started).id}`))).toMatchObject({
    status: 'succeeded',
  })
})
