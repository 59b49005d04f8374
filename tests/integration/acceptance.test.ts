/**
 * The acceptance cases of the two projects before this one (`research/seeds.md` §3), as DESIGN reads them: 400 where they
 * say 422, problems where they say `detail`, and the words of an unexpected error for admins and the log only.
 *
 * Elsewhere: the generated client compiles under `tsc --strict` (e2e/clients-compile), `client.add({ x: 5 })` by a
 * generated client (integration/openapi-sdk). Later: conventions (7, 9, conventions with tasks), routes over stores (the
 * second half of 20), dependencies between tasks.
 */
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test } from 'vitest'
import { createTRPCClient, httpLink } from '@trpc/client'
import { createApp, local, procedure } from 'errand'
import { z } from 'zod'
import { module, procedures } from '../support/apps/work.ts'
import { problemOf } from '../support/http.ts'
import { serve, serveApp, talkTo } from '../support/serve.ts'
import { tempDir } from '../support/temp.ts'
import { until } from '../support/until.ts'

interface Record_ {
  readonly id: string
  readonly status: string
  readonly error?: { readonly message: string; readonly code: string }
  readonly attempt: number
  readonly result?: unknown
}

const Sum = z.object({ x: z.number(), y: z.number() })
const add = procedure.query({ input: Sum, output: z.number(), handler: ({ input }) => input.x + input.y })

describe('functions as endpoints', async () => {
  const { call, get } = await serve({
    add,
    greet: procedure.query({
      input: z.object({ name: z.string().default('World') }),
      output: z.string(),
      handler: ({ input }) => `Hello, ${input.name}!`,
    }),
    flag: procedure.query({
      input: z.object({ on: z.boolean() }),
      output: z.boolean(),
      handler: ({ input }) => input.on,
    }),
  })

  test('1: POST /add answers the bare sum', async () => {
    expect(await call('/add', { x: 3, y: 5 })).toMatchObject({ status: 200, text: '8' })
  })

  test('2: a default stands in for what was left out', async () => {
    expect((await call('/greet', {})).json).toBe('Hello, World!')
    expect((await call('/greet', { name: 'qh' })).json).toBe('Hello, qh!')
  })

  test('3: a missing field is refused by name', async () => {
    const answer = await call('/add', { x: 3 })
    expect(answer.status).toBe(400)
    expect(problemOf(answer).issues).toMatchObject([{ path: ['y'] }])
  })

  test('failing before: numbers as text are refused and not added as text', async () => {
    const answer = await call('/add', { x: '3', y: '5' })
    expect(answer.status).toBe(400)
    expect(problemOf(answer).issues?.map(({ path }) => path)).toEqual([['x'], ['y']])
  })

  test('failing before: malformed JSON is refused and not taken for no body', async () => {
    const { send } = await serve({ add })
    expect(
      (await send('POST /add', { body: '{"x":3', headers: { 'content-type': 'application/json' } })).status,
    ).toBe(400)
  })

  test('failing before: ?on=false is false', async () => {
    expect((await get('/flag?on=false')).json).toBe(false)
  })
})

test('4: a prefix and a nested name make the path, and the path without the prefix is not there', async () => {
  const func1 = procedure.query({
    input: z.object({ a: z.number() }),
    output: z.number(),
    handler: ({ input }) => input.a * 2,
  })
  const { call } = await serve({ compute: { func1 } }, { prefix: '/api' })
  expect(await call('/api/compute/func1', { a: 5 })).toMatchObject({ status: 200, text: '10' })
  expect((await call('/compute/func1', { a: 5 })).status).toBe(404)
})

test('5: one function at one path with two methods', async () => {
  const at = (method: 'POST' | 'PUT') =>
    procedure.mutation({
      input: Sum,
      output: z.number(),
      meta: { rest: { method, path: '/math/add' } },
      handler: ({ input }) => input.x + input.y,
    })
  const { send } = await serve({ post: at('POST'), put: at('PUT') })
  for (const method of ['POST', 'PUT'])
    expect((await send(`${method} /math/add`, { json: { x: 3, y: 5 } })).json).toBe(8)
})

test('6: a route of the host server and a mounted procedure both answer', async () => {
  const app = createApp({ add }, { profile: 'test' })
  const server = http.createServer((request, response) => {
    if (request.url === '/existing') response.end('existing')
    else app.node(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  afterAll(() => new Promise((resolve) => server.close(resolve)))
  const { call, get } = talkTo(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  expect((await get('/existing')).text).toBe('existing')
  expect((await call('/add', { x: 1, y: 2 })).json).toBe(3)
})

test('8: ?limit=5 is the number 5', async () => {
  const users = procedure.query({
    input: z.object({ limit: z.int().default(10) }),
    output: z.array(z.int()),
    meta: { rest: { method: 'GET', path: '/users' } },
    handler: ({ input }) => Array.from({ length: input.limit }, (_, index) => index),
  })
  const { get } = await serve({ users })
  expect((await get('/users?limit=5')).json).toHaveLength(5)
  expect((await get('/users')).json).toHaveLength(10)
})

test('10: fields from the path and the query meet in one input', async () => {
  const search = procedure.query({
    input: z.object({ category: z.string(), query: z.string(), limit: z.int().default(10) }),
    output: z.array(z.object({ category: z.string(), query: z.string() })),
    meta: { rest: { method: 'GET', path: '/search/{category}' } },
    handler: ({ input: { limit, ...item } }) => Array.from({ length: limit }, () => item),
  })
  const { get } = await serve({ search })
  expect((await get('/search/books?query=python&limit=3')).json).toEqual(
    Array.from({ length: 3 }, () => ({ category: 'books', query: 'python' })),
  )
})

test('11: a type of one’s own goes both ways', async () => {
  class Point {
    readonly x: number
    readonly y: number
    constructor(x: number, y: number) {
      this.x = x
      this.y = y
    }
    distance(): number {
      return Math.hypot(this.x, this.y)
    }
  }
  const AsPoint = z.codec(z.object({ x: z.number(), y: z.number() }), z.instanceof(Point), {
    decode: ({ x, y }) => new Point(x, y),
    encode: ({ x, y }) => ({ x, y }),
  })
  const { call } = await serve({
    createPoint: procedure.mutation({
      input: z.object({ x: z.number(), y: z.number() }),
      output: AsPoint,
      handler: ({ input }) => new Point(input.x, input.y),
    }),
    distance: procedure.query({
      input: z.object({ point: AsPoint }),
      output: z.number(),
      handler: ({ input }) => input.point.distance(),
    }),
  })
  expect((await call('/createPoint', { x: 3, y: 4 })).json).toEqual({ x: 3, y: 4 })
  expect((await call('/distance', { point: { x: 3, y: 4 } })).json).toBe(5)
})

test('12: a handler that throws fails its call and no other', async () => {
  const divide = procedure.query({
    input: z.object({ a: z.number(), b: z.number() }),
    output: z.number(),
    errors: { DIVISION_BY_ZERO: { status: 422 } },
    handler: ({ input, errors }) => {
      if (input.b === 0) throw errors.DIVISION_BY_ZERO()
      return input.a / input.b
    },
  })
  const app = createApp({ divide }, { profile: 'test' })
  const { call, url } = await serveApp(app)
  expect(problemOf(await call('/divide', { a: 10, b: 0 }))).toMatchObject({
    status: 422,
    code: 'DIVISION_BY_ZERO',
  })
  expect((await call('/divide', { a: 10, b: 4 })).json).toBe(2.5)
  const client = createTRPCClient<typeof app.router>({ links: [httpLink({ url: `${url}/trpc` })] })
  await expect(client.divide.query({ a: 10, b: 0 })).rejects.toThrow('Division by zero')
  expect(await client.divide.query({ a: 10, b: 4 })).toBe(2.5)
})

describe('functions as tasks', async () => {
  const dir = await tempDir()
  const { call, get, send, logs } = await serve(procedures, {
    module,
    tasks: local({ dir, threads: 2, processes: 1 }),
    createContext: ({ headers }) => ({ admin: headers.get('x-admin') === 'yes' }),
    admin: ({ admin }) => admin,
  })
  const start = async (path: string, input?: unknown): Promise<Record_> =>
    (await call(path, input)).json as Record_
  const record = async (id: string, headers: Record<string, string> = {}): Promise<Record_> =>
    (await get(`/tasks/${id}`, headers)).json as Record_
  const settled = async (id: string): Promise<Record_> => (await get(`/tasks/${id}?wait=20`)).json as Record_

  test('13: a plain call of a task waits and answers the bare output', async () => {
    expect(await call('/slow', { n: 5 })).toMatchObject({ status: 200, text: '10' })
  })

  test('14: ?async=true answers with an id at once; its status and then its result can be asked for', async () => {
    const accepted = await call('/slow?async=true', { n: 5, ms: 60 })
    expect(accepted.status).toBe(202)
    const { id } = accepted.json as Record_
    expect(['queued', 'running']).toContain(((await get(`/tasks/${id}/status`)).json as Record_).status)
    expect(await get(`/tasks/${id}/result?wait=5`)).toMatchObject({ status: 200, text: '10' })
    expect(((await get(`/tasks/${id}/status`)).json as Record_).status).toBe('succeeded')
  })

  test('15: a task nobody knows is 404', async () => {
    for (const path of [
      '/tasks/nonexistent',
      '/tasks/nonexistent/status',
      '/tasks/nonexistent/result',
      '/tasks/nonexistent/events',
    ])
      expect((await get(path)).status).toBe(404)
  })

  test('16: a task that throws is failed; its words are in the log and for admins, and not for callers', async () => {
    const { id } = await start('/fails?async=true', {})
    expect(await settled(id)).toMatchObject({
      status: 'failed',
      error: { code: 'INTERNAL_SERVER_ERROR', message: 'Internal server error' },
    })
    expect(JSON.stringify(await record(id))).not.toContain('Intentional')
    expect(await record(id, { 'x-admin': 'yes' })).toMatchObject({
      status: 'failed',
      error: { message: 'Error: Intentional error' },
    })
    expect(logs.some(({ message }) => message.includes('Intentional error'))).toBe(true)
  })

  test('17: mode always answers 202 to a plain POST; else a header asks for it', async () => {
    expect((await call('/later', { n: 1 })).status).toBe(202)
    expect((await call('/slow', { n: 1 }, { prefer: 'respond-async' })).status).toBe(202)
    expect((await call('/slow', { n: 1 })).status).toBe(200)
  })

  test('18 and failing before: tasks with executors of their own each yield their own result', async () => {
    const [two, three] = await Promise.all([
      start('/by/two?async=true', { n: 5 }),
      start('/by/three?async=true', { n: 5 }),
    ])
    expect((await get(`/tasks/${two?.id}/result?wait=20`)).json).toBe(10)
    expect((await get(`/tasks/${three?.id}/result?wait=20`)).json).toBe(15)
  })

  test('19: what is no task stays synchronous; tasks are listed once each; a deleted one is gone', async () => {
    expect((await call('/ping?async=true')).json).toBe('pong')
    const ids = await Promise.all([1, 2, 3].map(async (n) => (await start('/by/four?async=true', { n })).id))
    await Promise.all(ids.map(settled))
    const page = (await get('/tasks?procedure=by.four')).json as { items: Record_[] }
    expect(
      page.items
        .map(({ id }) => id)
        .filter((id) => ids.includes(id))
        .sort(),
    ).toEqual([...ids].sort())
    expect((await send(`DELETE /tasks/${ids[0]}`)).status).toBe(204)
    expect((await get(`/tasks/${ids[0]}`)).status).toBe(404)
  })

  test('failing before: the worker of a task is killed, and the task is tried again', async () => {
    expect(await call('/dies', {})).toMatchObject({ status: 200, text: '2' })
    const { id } = await start('/dies?async=true', { always: true })
    expect(await settled(id)).toMatchObject({ status: 'failed', attempt: 2, error: { code: 'WORKER_LOST' } })
  })

  test('failing before: a cancelled task stops working, and its result is that it was cancelled', async () => {
    const { id } = await start('/ticks?async=true')
    await until(
      'a tick',
      async () => ((await get(`/tasks/${id}/status`)).json as { progress?: object }).progress,
    )
    expect([200, 202]).toContain((await send(`POST /tasks/${id}/cancel`)).status)
    expect(await settled(id)).toMatchObject({ status: 'cancelled' })
    const ticks = (await record(id)) as unknown as { progress: object }
    await sleep(100)
    expect((await record(id)) as unknown as { progress: object }).toMatchObject({ progress: ticks.progress })
    expect(problemOf(await get(`/tasks/${id}/result`))).toMatchObject({ status: 409, code: 'CANCELLED' })
  })

  test('failing before: waiting for no time at all returns at once', async () => {
    // Whoever waited would do so for longer than a test may take.
    const { id } = await start('/slow?async=true', { n: 1, ms: 60_000 })
    expect((await get(`/tasks/${id}/result?wait=0`)).status).toBe(202)
    await send(`POST /tasks/${id}/cancel`)
  })

  test('failing before: others are answered while one waits for a task that never lets go of its thread', async () => {
    const { id } = await start('/spins?async=true', {})
    const waiting = settled(id)
    await until('its start', async () => (await record(id)).status === 'running')
    for (let round = 0; round < 20; round++) expect((await get('/ping')).json).toBe('pong')
    expect((await record(id)).status).toBe('running')
    await send(`POST /tasks/${id}/cancel`)
    expect(await waiting).toMatchObject({ status: 'cancelled' })
  })
})

test('failing before: after a restart an old task is found before any new one is started', async () => {
  const dir = await tempDir()
  const first = await serve(procedures, { module, tasks: local({ dir, threads: 1 }) })
  const { id } = (await first.call('/by/four?async=true', { n: 2 })).json as Record_
  expect((await first.get(`/tasks/${id}/result?wait=10`)).json).toBe(8)
  await first.app.close()
  const second = await serve(procedures, { module, tasks: local({ dir, threads: 1 }) })
  expect(await second.get(`/tasks/${id}`)).toMatchObject({
    status: 200,
    json: { id, status: 'succeeded', result: 8 },
  })
})

test('20: the document of a function has its fields, which of them are required, and their defaults', async () => {
  const { app, call } = await serve({
    add: procedure.query({
      input: z.object({ x: z.number(), y: z.number().default(10) }),
      output: z.number(),
      handler: ({ input }) => input.x + input.y,
    }),
  })
  const document = (await app.openapi()) as unknown as {
    paths: Record<string, { post: { requestBody: { content: Record<string, { schema: object }> } } }>
  }
  expect(document.paths['/add']?.post.requestBody.content['application/json']?.schema).toMatchObject({
    type: 'object',
    required: ['x'],
    properties: { x: { type: 'number' }, y: { type: 'number', default: 10 } },
  })
  expect((await call('/add', { x: 5 })).json).toBe(15)
})

test('failing before: a server is closed when its scope is over', async () => {
  const app = createApp({ add }, { profile: 'test' })
  let url = ''
  {
    await using server = await app.listen({ port: 0 })
    url = server.url
    expect((await talkTo(url).call('/add', { x: 1, y: 1 })).status).toBe(200)
  }
  await expect(talkTo(url).call('/add', { x: 1, y: 1 })).rejects.toThrow(/ECONNREFUSED/)
})
