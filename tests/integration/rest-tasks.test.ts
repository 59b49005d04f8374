/** Tasks over REST, on real threads and the embedded store. */
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { local } from 'errand'
import app from '../../examples/quickstart/app.ts'
import { module, procedures } from '../support/apps/work.ts'
import { problemOf, type Answer } from '../support/http.ts'
import { serve, serveApp, type Served } from '../support/serve.ts'
import { eventsIn, readEvents, type Sse } from '../support/sse.ts'
import { tempDir } from '../support/temp.ts'
import { until } from '../support/until.ts'

/** A record, read loosely. */
interface Task {
  readonly id: string
  readonly procedure: string
  readonly status: string
  readonly attempt: number
  readonly maxAttempts: number
  readonly attempts: readonly { n: number; startedAt: string; finishedAt?: string; error?: { code: string; message: string } }[]
  readonly rev: string
  readonly result?: unknown
  readonly input?: unknown
  readonly runAt?: string
  readonly createdAt: string
  readonly progress?: { step?: number; tick?: number; percent?: number }
  readonly error?: { code: string; message: string; status: number; data?: unknown }
  readonly cancelRequested?: boolean
  readonly tags?: readonly string[]
  readonly links: Record<string, string>
}

const taskOf = (answer: Answer): Task => answer.json as Task
const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

const dir = await tempDir()
const api = await serve(procedures, { module, tasks: local({ dir, threads: 2, processes: 1, drainGrace: '2s' }) })
const { call, get, send } = api

const start = async (path: string, input?: unknown, headers: Record<string, string> = {}): Promise<Task> => {
  const answer = await call(`${path}/tasks`, input, headers)
  expect(answer.status, answer.text).toBe(202)
  return taskOf(answer)
}
const end = async (id: string): Promise<Task> => taskOf(await get(`/tasks/${id}?wait=20`))
const running = (id: string): Promise<Task> =>
  until('the start of the task', async () => {
    const task = taskOf(await get(`/tasks/${id}`))
    return task.status === 'running' && task
  })

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
    const before = ((await get('/tasks?procedure=slow')).json as { items: Task[] }).items.length
    const answer = await call('/slow', { n: 'x' })
    expect(answer.status).toBe(400)
    expect(problemOf(answer)).toMatchObject({ code: 'BAD_REQUEST', issues: [{ path: ['n'] }], instance: '/slow' })
    expect((await call('/slow/tasks', { n: 'x' })).status).toBe(400)
    expect(((await get('/tasks?procedure=slow')).json as { items: Task[] }).items).toHaveLength(before)
  })

  test('that fails has the status and the problem of the error', async () => {
    const declared = await call('/unlucky', { declared: true })
    expect(declared).toMatchObject({ status: 418, type: 'application/problem+json' })
    expect(problemOf(declared)).toMatchObject({ code: 'OUT_OF_LUCK', data: { luck: 0 }, detail: 'Out of luck', instance: '/unlucky' })
    expect(declared.headers['content-location']).toMatch(/^\/tasks\//)
    expect(problemOf(await call('/unlucky', { declared: false }))).toMatchObject({ status: 404, code: 'NOT_FOUND', data: { looked: true } })
    expect(problemOf(await call('/fails', {}))).toMatchObject({ status: 500, code: 'INTERNAL_SERVER_ERROR', detail: 'Internal server error' })
    expect(problemOf(await call('/wrong'))).toMatchObject({ status: 500, code: 'OUTPUT_INVALID', detail: 'Internal server error' })
    expect(problemOf(await call('/late'))).toMatchObject({ status: 504, code: 'TASK_TIMEOUT' })
  })

  test('goes on when its caller hangs up', async () => {
    const hangUp = new AbortController()
    const waiting = fetch(`${api.url}/slow`, { method: 'POST', body: '{"n":77,"ms":300}', headers: { 'content-type': 'application/json' }, signal: hangUp.signal })
    const task = await until('the task', async () =>
      ((await get('/tasks?procedure=slow&status=running')).json as { items: Task[] }).items[0])
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
    expect(task.links).toEqual({ self: `/tasks/${task.id}`, result: `/tasks/${task.id}/result`, events: `/tasks/${task.id}/events`, cancel: `/tasks/${task.id}/cancel` })
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
    expect(await call('/later', { n: 3 }, { prefer: 'respond-async, wait=10' })).toMatchObject({ status: 200, text: '3' })
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
    const answer = await call('/slow/tasks', { n: 1 }, { 'task-delay': '60000', 'task-priority': '7', 'task-tags': 'red, blue,,green ' })
    const task = taskOf(answer)
    expect(answer).toMatchObject({ status: 202, headers: { location: `/tasks/${task.id}` } })
    expect(task).toMatchObject({ status: 'queued', attempt: 0, attempts: [], tags: ['red', 'blue', 'green'] })
    expect(Date.parse(task.runAt as string) - Date.parse(task.createdAt)).toBeCloseTo(60_000, -3)
    expect((await send(`POST /tasks/${task.id}/cancel`)).status).toBe(200)
  })

  test('takes a time to run at, and a delay in words', async () => {
    const at = new Date(Date.now() + 3_600_000).toISOString()
    for (const headers of [{ 'task-run-at': at }, { 'task-delay': '1h' }]) {
      const task = await start('/slow', { n: 1 }, headers as Record<string, string>)
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
    const answer = await call('/slow/tasks', { n: 1 }, headers as unknown as Record<string, string>)
    expect(answer.status).toBe(400)
    expect(problemOf(answer).issues).toMatchObject([{ path: [name] }])
    expect((await get('/tasks?limit=200')).status).toBe(200)
  })

  test('answers with a record that says nothing of the input to callers who are no admins', async () => {
    expect(await start('/slow', { n: 123_456 })).not.toHaveProperty('input')
  })
})

describe('reading a task', () => {
  test('gives its whole story', async () => {
    const { id } = await start('/flaky', { goodFrom: 1 })
    const task = await end(id)
    expect(task).toMatchObject({ id, procedure: 'flaky', status: 'succeeded', attempt: 1, maxAttempts: 1, result: 1 })
    expect(task.attempts).toEqual([{ n: 1, startedAt: expect.stringMatching(ISO), finishedAt: expect.stringMatching(ISO) }])
    expect(task).toMatchObject({ createdAt: expect.stringMatching(ISO), startedAt: expect.stringMatching(ISO), finishedAt: expect.stringMatching(ISO) })
  })

  test('is possible at its procedure too, and not at another', async () => {
    const { id } = await start('/by/four', { n: 1 })
    await end(id)
    expect(taskOf(await get(`/by/four/tasks/${id}`))).toMatchObject({ id, result: 4 })
    expect((await get(`/slow/tasks/${id}`)).status).toBe(404)
    expect((await send(`POST /slow/tasks/${id}/cancel`)).status).toBe(404)
    expect((await get(`/slow/tasks/${id}/events`)).status).toBe(404)
  })

  test('has an ETag, and 304 for who has that already', async () => {
    const { id } = await start('/by/four', { n: 1 })
    await end(id)
    const first = await get(`/tasks/${id}`)
    const etag = first.headers.etag as string
    expect(etag).toBe(`"${taskOf(first).rev}"`)
    for (const known of [etag, `W/${etag}`]) {
      const again = await get(`/tasks/${id}`, { 'if-none-match': known })
      expect(again).toMatchObject({ status: 304, text: '' })
      expect(again.headers.etag).toBe(etag)
    }
    expect((await get(`/tasks/${id}`, { 'if-none-match': '"other"' })).status).toBe(200)
    expect((await get(`/tasks/${id}`, { 'if-none-match': `"a", ${etag}, "b"` })).status).toBe(304)
  })

  test('waits for the end, and says when it has waited long enough', async () => {
    const { id } = await start('/slow', { n: 1, ms: 400 })
    const before = performance.now()
    expect(taskOf(await get(`/tasks/${id}?wait=0.05`))).toMatchObject({ status: expect.stringMatching(/queued|running/) })
    expect(performance.now() - before).toBeLessThan(350)
    expect(taskOf(await get(`/tasks/${id}?wait=10`))).toMatchObject({ status: 'succeeded' })
  })

  test('waits with If-None-Match for any change', async () => {
    const { id } = await start('/slow', { n: 1, ms: 600 })
    await running(id)
    const seen: unknown[] = []
    for (let etag = '', rounds = 0; rounds < 30; rounds++) {
      const answer = await get(`/tasks/${id}?wait=10`, etag ? { 'if-none-match': etag } : { 'if-none-match': '"none"' })
      expect(answer.status).toBe(200)
      expect(answer.headers.etag).not.toBe(etag)
      etag = answer.headers.etag as string
      seen.push(taskOf(answer).progress?.step)
      if (taskOf(answer).status === 'succeeded') break
    }
    expect(seen).toContain(1)
    expect(seen.at(-1)).toBe(3)
  })

  test('waits with If-None-Match no longer than it was told: 304', async () => {
    const { id } = await start('/slow', { n: 1 }, { 'task-delay': '1h' })
    const { etag } = (await get(`/tasks/${id}`)).headers
    const before = performance.now()
    expect((await get(`/tasks/${id}?wait=0.1`, { 'if-none-match': etag as string })).status).toBe(304)
    expect(performance.now() - before).toBeGreaterThan(90)
    await send(`POST /tasks/${id}/cancel`)
  })

  test('says when to come back while it is live', async () => {
    const { id } = await start('/slow', { n: 1 }, { 'task-delay': '1h' })
    expect((await get(`/tasks/${id}`)).headers['retry-after']).toBe('1')
    await send(`POST /tasks/${id}/cancel`)
    expect((await get(`/tasks/${id}`)).headers['retry-after']).toBeUndefined()
  })

  test.each(['31', '-1', 'x', '', 'NaN', 'Infinity', '1,2'])('refuses to wait for %j seconds', async (wait) => {
    const { id } = await start('/by/four', { n: 1 })
    const answer = await get(`/tasks/${id}?wait=${wait}`)
    expect(answer.status).toBe(400)
    expect(problemOf(answer).detail).toMatch(/wait is .*, expected seconds from 0 to 30/)
    expect((await get(`/tasks/${id}/result?wait=${wait}`)).status).toBe(400)
  })

  test.each(['x', '00000000-0000-7000-8000-000000000000', '__proto__', '..%2f..%2fetc', '%00', 'a'.repeat(2000)])('is 404 for the id %s', async (id) => {
    for (const path of ['', '/status', '/result', '/events']) expect((await get(`/tasks/${id}${path}`)).status).toBe(404)
    for (const path of ['/cancel', '/retry']) expect((await send(`POST /tasks/${id}${path}`)).status).toBe(404)
    expect((await send(`DELETE /tasks/${id}`)).status).toBe(404)
  })

  test('in short is its status, attempt, progress and rev', async () => {
    const { id } = await start('/slow', { n: 1, ms: 3 })
    await end(id)
    const answer = await get(`/tasks/${id}/status`)
    expect(answer.json).toEqual({ id, status: 'succeeded', attempt: 1, progress: { step: 3 }, rev: expect.any(String) })
    expect(answer.headers.etag).toBe(`"${(answer.json as Task).rev}"`)
  })
})

describe('the result of a task', () => {
  test('is exactly what the waiting call would have been sent', async () => {
    for (const [path, input] of [['/by/four', { n: 2 }], ['/nothing', undefined], ['/unlucky', { declared: true }], ['/fails', {}], ['/wrong', undefined], ['/late', undefined]] as const) {
      const waited = await call(path, input)
      const { id } = await start(path, input)
      const fetched = await get(`/tasks/${id}/result?wait=10`)
      expect([fetched.status, fetched.type]).toEqual([waited.status, waited.type])
      expect(fetched.text.replace(`/tasks/${id}/result`, path)).toBe(waited.text)
    }
  })

  test('is 202 with the record while it is live', async () => {
    const { id } = await start('/slow', { n: 1 }, { 'task-delay': '1h' })
    const answer = await get(`/tasks/${id}/result`)
    expect(answer.status).toBe(202)
    expect(taskOf(answer)).toMatchObject({ id, status: 'queued' })
    expect(answer.headers).toMatchObject({ location: `/tasks/${id}`, 'retry-after': '1' })
    await send(`POST /tasks/${id}/cancel`)
    expect(problemOf(await get(`/tasks/${id}/result`))).toMatchObject({ status: 409, code: 'CANCELLED' })
  })
})

describe('the events of a task', () => {
  const eventsOf = async (id: string, headers: Record<string, string> = {}): Promise<Sse[]> =>
    eventsIn((await get(`/tasks/${id}/events`, headers)).text)

  test('tell its states, progress and logs in order, and end with done', async () => {
    const { id } = await start('/slow', { n: 4, ms: 150 })
    const answer = await get(`/tasks/${id}/events`)
    expect(answer).toMatchObject({ status: 200, type: 'text/event-stream' })
    const events = eventsIn(answer.text)
    expect(events[0]).toMatchObject({ event: 'state', data: { id } })
    expect(events.filter(({ event }) => event === 'progress').map(({ data }) => data)).toEqual([{ step: 1 }, { step: 2 }, { step: 3 }])
    expect(events.at(-1)).toMatchObject({ event: 'done', data: { id, status: 'succeeded', result: 8 } })
    expect(new Set(events.map((event) => event.id)).size).toBe(events.length)
    const log = events.find(({ event }) => event === 'log')
    if (log) expect(log.data).toMatchObject({ level: 'info', message: 'begins', fields: { n: 4 } })
  })

  test('go on after the event that was seen last', async () => {
    const { id } = await start('/slow', { n: 4, ms: 450 })
    const seen: Sse[] = []
    for await (const event of readEvents(await fetch(`${api.url}/tasks/${id}/events`))) {
      seen.push(event)
      if (event.event === 'progress') break
    }
    const rest = await eventsOf(id, { 'last-event-id': seen.at(-1)?.id as string })
    expect(rest.filter(({ event }) => event === 'progress').map(({ data }) => data)).toEqual([{ step: 2 }, { step: 3 }])
    expect(rest.map((event) => event.id)).not.toContain(seen.at(-1)?.id)
    expect(rest.at(-1)?.event).toBe('done')
  })

  test('are over after done: 204 tells an EventSource to stay away', async () => {
    const { id } = await start('/by/four', { n: 4 })
    await end(id)
    const events = await eventsOf(id)
    expect(events.map(({ event }) => event)).toEqual(['state', 'done'])
    const answer = await get(`/tasks/${id}/events`, { 'last-event-id': events.at(-1)?.id as string })
    expect(answer).toMatchObject({ status: 204, text: '' })
  })

  test('tell of a gap to who comes back from elsewhere', async () => {
    const { id } = await start('/by/four', { n: 4 })
    await end(id)
    expect((await eventsOf(id, { 'last-event-id': 'from another life' })).map(({ event }) => event)).toEqual(['gap', 'state', 'done'])
  })

  test('go to everyone who watches, and cost nothing once they are gone', async () => {
    const { id } = await start('/slow', { n: 4, ms: 300 })
    const hangUp = new AbortController()
    const gone = await fetch(`${api.url}/tasks/${id}/events`, { signal: hangUp.signal })
    await gone.body?.getReader().read()
    hangUp.abort()
    const all = await Promise.all(Array.from({ length: 5 }, () => eventsOf(id)))
    for (const events of all) expect(events.at(-1)).toMatchObject({ event: 'done', data: { status: 'succeeded' } })
  })
})

describe('cancelling a task', () => {
  test('that never ran is done at once: 200', async () => {
    const { id } = await start('/slow', { n: 1 }, { 'task-delay': '1h' })
    const answer = await send(`POST /tasks/${id}/cancel`)
    expect(answer.status).toBe(200)
    expect(taskOf(answer)).toMatchObject({ id, status: 'cancelled', attempts: [] })
  })

  test('that runs is asked for: 202; its signal aborts and it ends', async () => {
    const { id } = await start('/ticks')
    await running(id)
    const answer = await send(`POST /ticks/tasks/${id}/cancel`)
    expect(answer.status).toBe(202)
    expect(taskOf(answer)).toMatchObject({ status: 'running', cancelRequested: true })
    const before = performance.now()
    expect(await end(id)).toMatchObject({ status: 'cancelled' })
    expect(performance.now() - before).toBeLessThan(2000)
  })

  test('that hears nothing ends with its thread, after its grace', async () => {
    const { id } = await start('/spins', {})
    await running(id)
    expect((await send(`POST /tasks/${id}/cancel`)).status).toBe(202)
    expect(await end(id)).toMatchObject({ status: 'cancelled' })
    expect((await call('/slow', { n: 1 })).text).toBe('2')
  })

  test('that has ended changes nothing: 200', async () => {
    const { id } = await start('/by/four', { n: 1 })
    const before = await end(id)
    const answer = await send(`POST /tasks/${id}/cancel`)
    expect(answer.status).toBe(200)
    expect(taskOf(answer)).toEqual(before)
  })

  test('ends the wait of its caller with 409', async () => {
    const waiting = call('/ticks')
    const task = await until('the task', async () => ((await get('/tasks?procedure=ticks&status=running')).json as { items: Task[] }).items[0])
    await send(`POST /tasks/${task.id}/cancel`)
    const answer = await waiting
    expect(answer.status).toBe(409)
    expect(problemOf(answer)).toMatchObject({ code: 'CANCELLED', instance: '/ticks' })
  })
})

describe('retrying a task', () => {
  test('that failed runs it again: 202', async () => {
    const { id } = await start('/flaky', { goodFrom: 2 })
    expect(await end(id)).toMatchObject({ status: 'failed', attempt: 1 })
    const answer = await send(`POST /tasks/${id}/retry`)
    expect(answer).toMatchObject({ status: 202, headers: { location: `/tasks/${id}` } })
    expect(await end(id)).toMatchObject({ status: 'succeeded', attempt: 2, result: 2 })
  })

  test('that was cancelled runs it for the first time', async () => {
    const { id } = await start('/by/four', { n: 3 }, { 'task-delay': '1h' })
    await send(`POST /tasks/${id}/cancel`)
    expect((await send(`POST /tasks/${id}/retry`)).status).toBe(202)
    expect(await end(id)).toMatchObject({ status: 'succeeded', result: 12 })
  })

  test('that succeeded or is live is 409, and the problem says what to do', async () => {
    const done = await start('/by/four', { n: 3 })
    await end(done.id)
    const succeeded = await send(`POST /tasks/${done.id}/retry`)
    expect(succeeded.status).toBe(409)
    expect(problemOf(succeeded).detail).toMatch(/start a new one/)
    const live = await start('/slow', { n: 1 }, { 'task-delay': '1h' })
    expect(problemOf(await send(`POST /tasks/${live.id}/retry`))).toMatchObject({ status: 409, detail: expect.stringMatching(/not ended/) })
    await send(`POST /tasks/${live.id}/cancel`)
  })
})

describe('removing a task', () => {
  test('that has ended is 204, and it is gone from everywhere', async () => {
    const { id } = await start('/by/four', { n: 3 }, { 'task-tags': 'to-remove' })
    await end(id)
    expect(await send(`DELETE /tasks/${id}`)).toMatchObject({ status: 204, text: '' })
    for (const path of ['', '/status', '/result', '/events']) expect((await get(`/tasks/${id}${path}`)).status).toBe(404)
    expect((await get('/tasks?tag=to-remove')).json).toEqual({ items: [] })
    expect((await send(`DELETE /tasks/${id}`)).status).toBe(404)
  })

  test('that is live is 409', async () => {
    const { id } = await start('/slow', { n: 1 }, { 'task-delay': '1h' })
    expect(problemOf(await send(`DELETE /tasks/${id}`))).toMatchObject({ status: 409, detail: expect.stringMatching(/cancel it first/) })
    await send(`POST /tasks/${id}/cancel`)
  })
})

describe('the list of tasks', async () => {
  const listDir = await tempDir()
  const { get: read, call: post } = await serve(procedures, { module, tasks: local({ dir: listDir, threads: 1 }) })
  const list = async (query = ''): Promise<{ items: Task[]; nextCursor?: string }> => (await read(`/tasks${query}`)).json as never
  const ids: string[] = []
  for (let n = 0; n < 7; n++) ids.push(taskOf(await post('/by/four/tasks', { n }, { 'task-tags': n % 2 ? 'odd' : 'even,all' })).id)
  for (const id of ids) await read(`/tasks/${id}?wait=10`)
  const failed = taskOf(await post('/flaky/tasks', { goodFrom: 2 })).id
  await read(`/tasks/${failed}?wait=10`)

  test('is newest first, without results', async () => {
    const { items, nextCursor } = await list()
    expect(items.map(({ id }) => id)).toEqual([failed, ...[...ids].reverse()])
    for (const item of items) expect(item).not.toHaveProperty('result')
    expect(nextCursor).toBeUndefined()
  })

  test('comes in pages that neither repeat nor skip, also while new tasks come in', async () => {
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const page = await list(`?procedure=by.four&limit=3${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`)
      expect(page.items.length).toBeLessThanOrEqual(3)
      seen.push(...page.items.map(({ id }) => id))
      cursor = page.nextCursor
      if (seen.length === 3) await post('/by/four/tasks', { n: 99 }, { 'task-delay': '1h', 'task-tags': 'late' })
    } while (cursor)
    expect(seen).toEqual([...ids].reverse())
  })

  test.each([
    ['?status=failed', () => [failed]],
    ['?tag=odd', () => [ids[5], ids[3], ids[1]]],
    ['?tag=all&procedure=by.four&status=succeeded&limit=2', () => [ids[6], ids[4]]],
    ['?procedure=nope', () => []],
    ['?tag=nope', () => []],
  ])('is filtered by %s', async (query, expected) => {
    expect((await list(query)).items.map(({ id }) => id)).toEqual(expected())
  })

  test.each(['?limit=0', '?limit=201', '?limit=x', '?limit=1.5', '?status=done', '?cursor=nonsense', '?cursor='])('refuses %s', async (query) => {
    const answer = await read(`/tasks${query}`)
    expect(answer.status).toBe(400)
    expect(problemOf(answer).detail).toMatch(/ is .*, expected /)
  })
})

describe('an idempotency key', () => {
  const keyed = (key: string, input: unknown, path = '/slow/tasks') => call(path, input, { 'idempotency-key': key })

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
    expect(problemOf(answer)).toMatchObject({ code: 'UNPROCESSABLE_CONTENT', detail: expect.stringMatching(/new key/) })
  })

  test('works on waiting calls too, and gives the same result', async () => {
    const first = await keyed('k3', { n: 21 }, '/slow')
    const second = await keyed('k3', { n: 21 }, '/slow')
    expect([second.status, second.text, second.headers['content-location']]).toEqual([200, '42', first.headers['content-location']])
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

describe('tasks of several owners', async () => {
  const ownDir = await tempDir()
  const options = {
    module,
    createContext: ({ headers }: { headers: Headers }) => ({
      ...(headers.get('x-user') ? { user: headers.get('x-user') as string } : {}),
      admin: headers.get('x-admin') === 'yes',
    }),
    owner: ({ user }: { user?: string }) => user ?? null,
    admin: ({ admin }: { admin: boolean }) => admin,
  }
  const own: Served = await serve(procedures, { ...options, tasks: local({ dir: ownDir, threads: 1 }) })
  const [ada, bob, root, stranger] = [{ 'x-user': 'ada' }, { 'x-user': 'bob' }, { 'x-admin': 'yes' }, {}] as Record<string, string>[]
  const mine = taskOf(await own.call('/mine/tasks', { secret: 'of Ada' }, ada))
  await own.get(`/tasks/${mine.id}?wait=20`, ada)
  const nobodys = taskOf(await own.call('/anyones/tasks', {}))
  await own.get(`/tasks/${nobodys.id}?wait=20`)

  test('carry what they were allowed to into the worker', async () => {
    expect(taskOf(await own.get(`/tasks/${mine.id}`, ada))).toMatchObject({ status: 'succeeded', result: 'ada has of Ada' })
  })

  test('are refused to strangers by their middleware, before the schema', async () => {
    expect((await own.call('/mine', { wrong: 1 })).status).toBe(401)
    expect((await own.call('/mine/tasks', { wrong: 1 })).status).toBe(401)
  })

  test('are 404 to everyone else, whatever is done to them', async () => {
    for (const who of [bob, stranger]) {
      for (const path of ['', '/status', '/result', '/events']) expect((await own.get(`/tasks/${mine.id}${path}`, who)).status).toBe(404)
      for (const [method, path] of [['POST', '/cancel'], ['POST', '/retry'], ['DELETE', '']])
        expect((await own.send(`${method} /tasks/${mine.id}${path}`, { headers: who as Record<string, string> })).status).toBe(404)
      expect((await own.get(`/mine/tasks/${mine.id}`, who)).status).toBe(404)
    }
  })

  test('look to others exactly as those that are not there', async () => {
    const missing = mine.id.replace(/.$/, (last) => (last === '0' ? '1' : '0'))
    const [real, unreal] = [await own.get(`/tasks/${mine.id}`, bob), await own.get(`/tasks/${missing}`, bob)]
    expect(real.text.replaceAll(mine.id, 'ID')).toBe(unreal.text.replaceAll(missing, 'ID'))
  })

  test('are listed to their owner, to admins with their input, and to nobody else', async () => {
    const list = async (who: Record<string, string> = {}) => ((await own.get('/tasks', who)).json as { items: Task[] }).items
    expect((await list(ada)).map(({ id }) => id)).toEqual([mine.id])
    expect(await list(bob)).toEqual([])
    expect(await list(stranger)).toEqual([])
    const all = await list(root)
    expect(all.map(({ id }) => id)).toEqual([nobodys.id, mine.id])
    expect(all[1]).toMatchObject({ input: { secret: 'of Ada' } })
    expect((await list(ada))[0]).not.toHaveProperty('input')
  })

  test('of nobody can be read by their id', async () => {
    for (const who of [ada, bob, stranger]) expect((await own.get(`/tasks/${nobodys.id}`, who)).status).toBe(200)
  })

  test('have idempotency keys of their own', async () => {
    const key = { 'idempotency-key': 'same' }
    const ids = await Promise.all([ada, bob].map(async (who) => taskOf(await own.call('/anyones/tasks', {}, { ...who, ...key })).id))
    expect(new Set(ids).size).toBe(2)
    expect((await own.call('/anyones/tasks', { ms: 1 }, { ...ada, ...key })).status).toBe(422)
  })

  test('may be stopped by admins', async () => {
    const { id } = taskOf(await own.call('/anyones/tasks', {}, { ...ada, 'task-delay': '1h' }))
    expect((await own.send(`POST /tasks/${id}/cancel`, { headers: root as Record<string, string> })).status).toBe(200)
  })

  test('are not listed at all in the production profile until somebody owns them', async () => {
    const productionDir = await tempDir()
    const { get: ask } = await serve(procedures, { module, profile: 'production', tasks: local({ dir: productionDir, threads: 1 }) })
    expect((await ask('/tasks')).status).toBe(403)
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

describe('a restart', () => {
  test('keeps old tasks, runs what was waiting, and remembers keys', async () => {
    const restartDir = await tempDir()
    const open = () => serve(procedures, { module, tasks: local({ dir: restartDir, threads: 1, drainGrace: 50 }) })
    const before = await open()
    const done = taskOf(await before.call('/by/four/tasks', { n: 1 }, { 'idempotency-key': 'key' }))
    await before.get(`/tasks/${done.id}?wait=10`)
    const waiting = taskOf(await before.call('/by/four/tasks', { n: 2 }, { 'task-delay': '300ms' }))
    const busy = taskOf(await before.call('/slow/tasks', { n: 3, ms: 600 }))
    await until('its start', async () => taskOf(await before.get(`/tasks/${busy.id}`)).status === 'running')
    await before.app.close()
    const after = await open()
    expect(taskOf(await after.get(`/tasks/${done.id}`))).toMatchObject({ status: 'succeeded', result: 4 })
    expect(taskOf(await after.get(`/tasks/${waiting.id}?wait=20`))).toMatchObject({ status: 'succeeded', result: 8 })
    expect(taskOf(await after.get(`/tasks/${busy.id}?wait=20`))).toMatchObject({ status: 'succeeded', result: 6 })
    const replayed = await after.call('/by/four/tasks', { n: 1 }, { 'idempotency-key': 'key' })
    expect([taskOf(replayed).id, replayed.headers['idempotency-replayed']]).toEqual([done.id, 'true'])
  })

  test('answers who watched or waited, and takes nothing new while it drains', async () => {
    const drainDir = await tempDir()
    const { url, app: closing, call: post, get: read } = await serve(procedures, { module, tasks: local({ dir: drainDir, threads: 1, drainGrace: '5s' }) })
    const waiting = post('/slow', { n: 4, ms: 500 })
    const task = await until('the task', async () => ((await read('/tasks?status=running')).json as { items: Task[] }).items[0])
    const events = fetch(`${url}/tasks/${task.id}/events`).then((response) => response.text())
    await sleep(50)
    const closed = closing.close()
    expect(await waiting).toMatchObject({ status: 200, text: '8' })
    expect(eventsIn(await events).at(-1)).toMatchObject({ event: 'done' })
    await closed
  })
})

describe('a queue that is full', async () => {
  const fullDir = await tempDir()
  const full = await serve(procedures, { module, tasks: local({ dir: fullDir, threads: 1, queueLimit: 2 }) })

  test('refuses the next start with 503 and when to come back', async () => {
    const ids: string[] = []
    for (let n = 0; n < 2; n++) ids.push(taskOf(await full.call('/slow/tasks', { n }, { 'task-delay': '1h' })).id)
    for (const path of ['/slow/tasks', '/slow?async=true']) {
      const answer = await full.call(path, { n: 3 }, path.endsWith('tasks') ? { 'task-delay': '1h' } : { 'task-delay': '1h' })
      expect(answer.status).toBe(503)
      expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0)
      expect(problemOf(answer)).toMatchObject({ code: 'SERVICE_UNAVAILABLE' })
    }
    for (const id of ids) await full.send(`POST /tasks/${id}/cancel`)
    expect((await full.call('/slow', { n: 3 })).json).toBe(6)
  })
})

describe('the quickstart', async () => {
  process.env['ERRAND_DATA'] = await tempDir()
  const quickstart = await serveApp(app)

  test('counts primes on a thread, with progress', async () => {
    expect((await quickstart.call('/countPrimes', { below: 100 })).json).toEqual({ count: 25, largest: 97 })
    const started = await quickstart.call('/countPrimes?async=true', { below: 20_000 })
    const events = eventsIn((await quickstart.get(`${started.headers.location}/events`)).text)
    expect(events.at(-1)).toMatchObject({ event: 'done', data: { status: 'succeeded', result: { count: 2262 } } })
  })

  test('makes a thumbnail, and says of what is no image that it is none', async () => {
    const pixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
    expect((await quickstart.call('/thumbnail', { image: pixel, width: 4 })).json).toMatchObject({ width: 4, height: 4 })
    expect((await quickstart.call('/thumbnail', { image: 'aGVsbG8=' })).status).toBe(400)
  })

  test('takes an image as large as its bodyLimit says, at every door', async () => {
    const image = Buffer.alloc(2_000_000).toString('base64')
    expect((await quickstart.call('/thumbnail', { image })).status).toBe(400)
    expect((await quickstart.call('/thumbnail/tasks', { image })).status).toBe(202)
    expect((await quickstart.call('/trpc/thumbnail.start', { image })).status).toBe(200)
  })
})
