/** Reading tasks over REST: records, results, events, lists. */
import { describe, expect, test } from 'vitest'
import { problemOf } from '../support/http.ts'
import { eventsIn, readEvents, type Sse } from '../support/sse.ts'
import { serveWork, taskOf, type Task } from '../support/tasks.ts'

const { url, call, get, send, start, end, running } = await serveWork()

const ISO = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/

describe('reading a task', () => {
  test('gives its whole story', async () => {
    const { id } = await start('/flaky', { goodFrom: 1 })
    const task = await end(id)
    expect(task).toMatchObject({
      id,
      procedure: 'flaky',
      status: 'succeeded',
      attempt: 1,
      maxAttempts: 1,
      result: 1,
    })
    expect(task.attempts).toEqual([
      { n: 1, startedAt: expect.stringMatching(ISO), finishedAt: expect.stringMatching(ISO) },
    ])
    expect(task).toMatchObject({
      createdAt: expect.stringMatching(ISO),
      startedAt: expect.stringMatching(ISO),
      finishedAt: expect.stringMatching(ISO),
    })
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
    const { id } = await start('/slow', { n: 1, ms: 1500 })
    expect(taskOf(await get(`/tasks/${id}?wait=0.05`))).toMatchObject({
      status: expect.stringMatching(/queued|running/),
    })
    expect(taskOf(await get(`/tasks/${id}?wait=10`))).toMatchObject({ status: 'succeeded' })
  })

  test('waits with If-None-Match for any change', async () => {
    const { id } = await start('/slow', { n: 1, ms: 600 })
    await running(id)
    const seen: unknown[] = []
    for (let etag = '', rounds = 0; rounds < 30; rounds++) {
      const answer = await get(
        `/tasks/${id}?wait=10`,
        etag ? { 'if-none-match': etag } : { 'if-none-match': '"none"' },
      )
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

  test.each(['31', '-1', 'x', '', 'NaN', 'Infinity', '1,2'])(
    'refuses to wait for %j seconds',
    async (wait) => {
      const { id } = await start('/by/four', { n: 1 })
      const answer = await get(`/tasks/${id}?wait=${wait}`)
      expect(answer.status).toBe(400)
      expect(problemOf(answer).detail).toMatch(/wait is .*, expected seconds from 0 to 30/)
      expect((await get(`/tasks/${id}/result?wait=${wait}`)).status).toBe(400)
    },
  )

  test.each([
    'x',
    '00000000-0000-7000-8000-000000000000',
    '__proto__',
    '..%2f..%2fetc',
    '%00',
    'a'.repeat(2000),
  ])('is 404 for the id %s', async (id) => {
    for (const path of ['', '/status', '/result', '/events'])
      expect((await get(`/tasks/${id}${path}`)).status).toBe(404)
    for (const path of ['/cancel', '/retry'])
      expect((await send(`POST /tasks/${id}${path}`)).status).toBe(404)
    expect((await send(`DELETE /tasks/${id}`)).status).toBe(404)
  })

  test('in short is its status, attempt, progress and rev', async () => {
    const { id } = await start('/slow', { n: 1, ms: 3 })
    await end(id)
    const answer = await get(`/tasks/${id}/status`)
    expect(answer.json).toEqual({
      id,
      status: 'succeeded',
      attempt: 1,
      progress: { step: 3 },
      rev: expect.any(String),
    })
    expect(answer.headers.etag).toBe(`"${(answer.json as Task).rev}"`)
  })
})

describe('the result of a task', () => {
  test('is exactly what the waiting call would have been sent', async () => {
    for (const [path, input] of [
      ['/by/four', { n: 2 }],
      ['/nothing', undefined],
      ['/unlucky', { declared: true }],
      ['/fails', {}],
      ['/wrong', undefined],
      ['/late', undefined],
    ] as const) {
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
    expect(events.filter(({ event }) => event === 'progress').map(({ data }) => data)).toEqual([
      { step: 1 },
      { step: 2 },
      { step: 3 },
    ])
    expect(events.at(-1)).toMatchObject({ event: 'done', data: { id, status: 'succeeded', result: 8 } })
    expect(new Set(events.map((event) => event.id)).size).toBe(events.length)
    const log = events.find(({ event }) => event === 'log')
    if (log) expect(log.data).toMatchObject({ level: 'info', message: 'begins', fields: { n: 4 } })
  })

  test('go on after the event that was seen last', async () => {
    const { id } = await start('/slow', { n: 4, ms: 1500 })
    const seen: Sse[] = []
    for await (const event of readEvents(await fetch(`${url}/tasks/${id}/events`))) {
      seen.push(event)
      if (event.event === 'progress') break
    }
    const rest = await eventsOf(id, { 'last-event-id': seen.at(-1)?.id as string })
    expect(rest.filter(({ event }) => event === 'progress').map(({ data }) => data)).toEqual([
      { step: 2 },
      { step: 3 },
    ])
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
    expect((await eventsOf(id, { 'last-event-id': 'from another life' })).map(({ event }) => event)).toEqual([
      'gap',
      'state',
      'done',
    ])
  })

  test('go to everyone who watches, and cost nothing once they are gone', async () => {
    const { id } = await start('/slow', { n: 4, ms: 300 })
    const hangUp = new AbortController()
    const gone = await fetch(`${url}/tasks/${id}/events`, { signal: hangUp.signal })
    await gone.body?.getReader().read()
    hangUp.abort()
    const all = await Promise.all(Array.from({ length: 5 }, () => eventsOf(id)))
    for (const events of all)
      expect(events.at(-1)).toMatchObject({ event: 'done', data: { status: 'succeeded' } })
  })
})

describe('the list of tasks', async () => {
  const { get: read, call: post } = await serveWork({ threads: 1 })
  const list = async (query = ''): Promise<{ items: Task[]; nextCursor?: string }> =>
    (await read(`/tasks${query}`)).json as never
  const ids: string[] = []
  for (let n = 0; n < 7; n++)
    ids.push(taskOf(await post('/by/four/tasks', { n }, { 'task-tags': n % 2 ? 'odd' : 'even,all' })).id)
  for (const id of ids) await read(`/tasks/${id}?wait=10`)
  const failed = taskOf(await post('/flaky/tasks', { goodFrom: 2 })).id
  await read(`/tasks/${failed}?wait=10`)

  test('is newest first, without results', async () => {
    const { items, nextCursor } = await list()
    expect(items.map(({ id }) => id)).toEqual([failed, ...ids.toReversed()])
    for (const item of items) expect(item).not.toHaveProperty('result')
    expect(nextCursor).toBeUndefined()
  })

  test('comes in pages that neither repeat nor skip, also while new tasks come in', async () => {
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const page = await list(
        `?procedure=by.four&limit=3${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`,
      )
      expect(page.items.length).toBeLessThanOrEqual(3)
      seen.push(...page.items.map(({ id }) => id))
      cursor = page.nextCursor
      if (seen.length === 3)
        await post('/by/four/tasks', { n: 99 }, { 'task-delay': '1h', 'task-tags': 'late' })
    } while (cursor)
    expect(seen).toEqual(ids.toReversed())
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

  test.each([
    '?limit=0',
    '?limit=201',
    '?limit=x',
    '?limit=1.5',
    '?status=done',
    '?cursor=nonsense',
    '?cursor=',
  ])('refuses %s', async (query) => {
    const answer = await read(`/tasks${query}`)
    expect(answer.status).toBe(400)
    expect(problemOf(answer).detail).toMatch(/ is .*, expected /)
  })
})
