/** The same app plugged in elsewhere: plain node:http, frameworks of Express's kind, and the Fetch API. */
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { createApp, createProcedure, inline, procedure, ProcedureError, stream } from 'errand'
import { z } from 'zod'
import { problemOf } from '../support/http.ts'
import { afterwards } from '../support/afterwards.ts'
import { serveApp, talkTo } from '../support/serve.ts'
import { eventsIn } from '../support/sse.ts'
import { until } from '../support/until.ts'

let ended = 0

const base = createProcedure<{ seen: string; responseHeaders: Headers }>()

const tree = {
  add: procedure.query({
    input: z.object({ a: z.number(), b: z.number() }),
    output: z.number(),
    handler: ({ input }) => input.a + input.b,
  }),
  greet: procedure.query({
    input: z.object({ name: z.string().default('World') }),
    output: z.string(),
    handler: ({ input }) => `Hello, ${input.name}!`,
  }),
  nothing: procedure.mutation({ input: z.void(), output: z.string(), handler: () => 'nothing' }),
  save: procedure.mutation({
    input: z.object({ text: z.string() }),
    output: z.void(),
    handler: () => undefined,
  }),
  small: procedure.mutation({
    input: z.string(),
    output: z.number(),
    meta: { bodyLimit: 50 },
    handler: ({ input }) => input.length,
  }),
  upload: procedure.mutation({
    input: z.object({ file: z.file() }),
    output: z.string(),
    handler: async ({ input }) => `${input.file.name} ${await input.file.text()}`,
  }),
  form: procedure.mutation({
    input: z.object({ n: z.number() }),
    output: z.number(),
    meta: { rest: { body: 'form' } },
    handler: ({ input }) => input.n,
  }),
  person: procedure.query({
    input: z.object({ id: z.int(), token: z.string().optional() }),
    output: z.unknown(),
    errors: { NO_SUCH: { status: 404, data: z.object({ id: z.int() }) } },
    meta: { rest: { method: 'GET', path: '/people/{id}', in: { token: 'header:x-token' } } },
    handler: ({ input, errors }) => {
      if (input.id === 0) throw errors.NO_SUCH({ id: 0 })
      return input
    },
  }),
  busy: procedure.query({
    input: z.void(),
    output: z.void(),
    handler: () => {
      throw new ProcedureError('TOO_MANY_REQUESTS', 'Later', { retryAfter: 7 })
    },
  }),
  breaks: procedure.query({
    input: z.void(),
    output: z.void(),
    handler: () => {
      throw new Error('secret')
    },
  }),
  context: base.query({
    input: z.void(),
    output: z.string(),
    handler: ({ ctx }) => {
      ctx.responseHeaders.append('set-cookie', 'a=1')
      ctx.responseHeaders.append('set-cookie', 'b=2')
      return ctx.seen
    },
  }),
  csv: procedure.query({
    input: z.void(),
    output: stream('text/csv'),
    handler: async function* () {
      yield 'a,b\n'
      yield '1,2\n'
    } as never,
  }),
  file: procedure.query({
    input: z.void(),
    output: z.file(),
    handler: () => new File(['x'], 'é.txt', { type: 'text/plain' }),
  }),
  made: procedure.query({
    input: z.void(),
    output: stream('x/y'),
    handler: () => new Response('made', { status: 203, headers: { 'x-own': '1' } }),
  }),
  count: procedure.subscription({
    input: z.object({ to: z.int().default(2) }),
    output: z.int(),
    handler: async function* ({ input }) {
      for (let n = 1; n <= input.to; n++) yield n
    },
  }),
  forever: procedure.subscription({
    input: z.void(),
    output: z.int(),
    handler: async function* () {
      try {
        for (let n = 0; ; n++) {
          yield n
          await sleep(5)
        }
      } finally {
        ended++
      }
    },
  }),
  double: procedure.task({
    input: z.object({ n: z.number() }),
    output: z.number(),
    handler: ({ input }) => input.n * 2,
  }),
}

const makeApp = (prefix?: string) =>
  createApp(tree, {
    profile: 'test',
    tasks: inline(),
    cors: { origin: ['https://page.example'] },
    logger: { error: () => undefined, warn: () => undefined, info: () => undefined },
    createContext: ({ method, url, headers, responseHeaders }) => ({
      seen: `${method} ${url} ${headers.get('x-token')}`,
      responseHeaders,
    }),
    ...(prefix === undefined ? {} : { prefix }),
  })

type Listener = (request: IncomingMessage, response: ServerResponse) => void

const listen = async (listener: Listener): Promise<string> => {
  const server = http.createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  afterwards(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** Headers that may differ: a server says more of a connection than a Response does. */
const OF_THE_CONNECTION = new Set(['date', 'connection', 'keep-alive', 'transfer-encoding', 'content-length'])

describe('app.fetch and app.node give the same answer', async () => {
  const app = makeApp()
  const { url } = await serveApp(app)

  interface Case {
    readonly method?: string
    readonly headers?: Record<string, string>
    readonly body?: () => string | Uint8Array | FormData | URLSearchParams
  }
  const json = (value: unknown): Case => ({
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: () => JSON.stringify(value),
  })
  const text = (body: string, type = 'application/json'): Case => ({
    method: 'POST',
    headers: { 'content-type': type },
    body: () => body,
  })
  const form = (): FormData => {
    const data = new FormData()
    data.append('file', new File(['inside'], 'a.txt'))
    return data
  }

  const cases: readonly (readonly [string, Case])[] = [
    ['/add', json({ a: 1, b: 2 })],
    ['/add?a=1&b=2', {}],
    ['/add?a=1&b=2', { method: 'HEAD' }],
    ['/add', json({ a: 1 })],
    ['/add', text('{broken')],
    ['/add', text('{}', 'text/plain')],
    ['/add', text('')],
    ['/add', text('', 'text/plain')],
    [
      '/add',
      {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: () => Uint8Array.of(0x22, 0xff, 0x22),
      },
    ],
    ['/add', { method: 'OPTIONS' }],
    [
      '/add',
      {
        method: 'OPTIONS',
        headers: { origin: 'https://page.example', 'access-control-request-method': 'POST' },
      },
    ],
    ['/add?a=1&b=1', { headers: { origin: 'https://page.example' } }],
    ['/add?a=1&b=1', { headers: { origin: 'https://other.example' } }],
    ['/add', { method: 'PUT' }],
    ['/greet', { method: 'POST' }],
    ['/greet', text('{"name":"é☃"}')],
    ['/save', json({ text: 'x' })],
    ['/small', json('x'.repeat(40))],
    ['/small', json('x'.repeat(80))],
    ['/upload', { method: 'POST', body: form }],
    ['/upload', text('not a form', 'multipart/form-data; boundary=x')],
    ['/form', { method: 'POST', body: () => new URLSearchParams({ n: '5' }) }],
    ['/people/7', { headers: { 'x-token': 't' } }],
    ['/people/0', {}],
    ['/people/x', {}],
    ['/people/%E0%A4%A', {}],
    ['/busy', {}],
    ['/breaks', {}],
    ['/context?q=1', { headers: { 'x-token': 'é' } }],
    ['/csv', { method: 'POST' }],
    ['/file', { method: 'POST' }],
    ['/made', { method: 'POST' }],
    ['/count?to=3', {}],
    ['/count', json({ to: 'x' })],
    ['/nope', {}],
    ['/', {}],
    ['/trpc/add?input=%7B%22a%22%3A1%2C%22b%22%3A2%7D', {}],
    ['/trpc/add,greet?batch=1&input=%7B%220%22%3A%7B%22a%22%3A1%2C%22b%22%3A2%7D%2C%221%22%3A%7B%7D%7D', {}],
    ['/trpc/save', json({ text: 'x' })],
    ['/trpc/save', json({})],
    ['/trpc/nope', {}],
    ['/healthz', {}],
    ['/readyz', {}],
    ['/double', json({ n: 4 })],
    ['/tasks/nope', {}],
    ['/openapi.json', {}],
  ]

  test.each(cases.map(([path, options], index) => [index, options.method ?? 'GET', path, options] as const))(
    '%i: %s %s',
    async (_, method, path, options) => {
      const init = () => ({
        method,
        headers: options.headers ?? {},
        ...(options.body ? { body: options.body() as BodyInit } : {}),
      })
      const [direct, served] = [
        await app.fetch(new Request(url + path, init())),
        await fetch(url + path, init()),
      ]
      const view = async (response: Response) => ({
        status: response.status,
        body: (await response.text()).replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'ID'),
        headers: Object.fromEntries(
          [...response.headers]
            .filter(([name]) => !OF_THE_CONNECTION.has(name))
            .map(([name, value]) => [name, value.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, 'ID')]),
        ),
        cookies: response.headers.getSetCookie(),
      })
      expect(await view(direct)).toEqual(await view(served))
    },
  )
})

describe('app.fetch', () => {
  test('works without a server and without listen, tasks included', async () => {
    const app = makeApp()
    afterwards(() => app.close())
    const started = await app.fetch(
      new Request('http://any.host/double?async=true', {
        method: 'POST',
        body: '{"n":5}',
        headers: { 'content-type': 'application/json' },
      }),
    )
    expect(started.status).toBe(202)
    const result = await app.fetch(
      new Request(`http://any.host${started.headers.get('location')}/result?wait=5`),
    )
    expect(await result.json()).toBe(10)
  })

  test('takes a request whose body broke off as one whose caller hung up', async () => {
    const body = new ReadableStream({
      pull: (controller) => controller.error(new Error('gone')),
    })
    const request = new Request('http://x/save', {
      method: 'POST',
      body,
      duplex: 'half',
      headers: { 'content-type': 'application/json' },
    } as RequestInit)
    const app = makeApp()
    expect((await app.fetch(request)).status).toBe(499)
  })

  test('ends a subscription whose stream is cancelled', async () => {
    const before = ended
    const response = await makeApp().fetch(new Request('http://x/forever'))
    const reader = (response.body as ReadableStream<Uint8Array>).getReader()
    await reader.read()
    await reader.read()
    await reader.cancel()
    await until('the end of the generator', () => ended > before)
  })

  test('makes an item only when it is asked for', async () => {
    const before = ended
    let made = 0
    const app = createApp({
      items: procedure.subscription({
        input: z.void(),
        output: z.int(),
        handler: async function* () {
          for (;;) yield ++made
        },
      }),
    })
    const response = await app.fetch(new Request('http://x/items'))
    await sleep(20)
    expect(made).toBeLessThan(5)
    await response.body?.cancel()
    expect(ended).toBe(before)
  })
})

describe('app.node in a server of one’s own', async () => {
  const app = makeApp()
  afterwards(() => app.close())
  const { call, get } = talkTo(await listen(app.node))

  test('answers as its own server does', async () => {
    expect((await call('/add', { a: 1, b: 2 })).text).toBe('3')
    expect((await get('/add?a=1&b=2')).text).toBe('3')
    expect((await get('/greet')).json).toBe('Hello, World!')
    expect((await call('/nothing')).json).toBe('nothing')
    expect(eventsIn((await get('/count')).text)).toHaveLength(3)
    expect((await call('/double', { n: 2 })).text).toBe('4')
  })
})

/** As Express does it: `use(path, …)` cuts the path off `url`, and `express.json()` leaves the parsed body behind. */
const mount =
  (path: string, parse: 'json' | 'text' | 'raw' | 'nothing left' | 'none', listener: Listener): Listener =>
  async (request, response) => {
    if (!request.url?.startsWith(path)) return void response.writeHead(418).end()
    Object.assign(request, { originalUrl: request.url, baseUrl: path })
    request.url = request.url.slice(path.length) || '/'
    // What has no body is not read, but gets an empty one all the same.
    if (parse === 'json') Object.assign(request, { body: {} })
    if (parse !== 'none' && Number(request.headers['content-length']) > 0) {
      const bytes = Buffer.concat((await request.toArray()) as Buffer[])
      const parsed = {
        json: () => JSON.parse(bytes.toString()) as unknown,
        text: () => bytes.toString(),
        raw: () => bytes,
        'nothing left': () => undefined,
      }
      const body = parsed[parse]()
      if (body !== undefined) Object.assign(request, { body })
    }
    listener(request, response)
  }

describe.each(['json', 'text', 'raw', 'none'] as const)(
  'app.node under a path, its body parsed before as: %s',
  async (parse) => {
    const app = makeApp()
    afterwards(() => app.close())
    const { call, get, send } = talkTo(await listen(mount('/api', parse, app.node)))

    test('answers below that path', async () => {
      expect((await call('/api/add', { a: 1, b: 2 })).text).toBe('3')
      expect((await get('/api/add?a=1&b=2')).text).toBe('3')
      expect((await call('/add', { a: 1, b: 2 })).status).toBe(418)
    })

    test('refuses a bad input as ever', async () => {
      expect(problemOf(await call('/api/add', { a: 'x' })).issues?.map(({ path }) => path)).toEqual([
        ['a'],
        ['b'],
      ])
    })

    test('takes a request without a body', async () => {
      expect((await call('/api/nothing')).json).toBe('nothing')
      expect((await send('POST /api/nothing', { headers: { 'content-length': '0' } })).json).toBe('nothing')
    })

    test('serves tRPC', async () => {
      expect((await call('/api/trpc/save', { text: 'x' })).json).toEqual({ result: {} })
    })
  },
)

test('a body that somebody read and did not leave behind is no body, and nobody waits for it', async () => {
  const app = makeApp()
  const { call } = talkTo(await listen(mount('/api', 'nothing left', app.node)))
  expect((await call('/api/nothing', { name: 'Ada' })).json).toBe('nothing')
  expect((await call('/api/add', { a: 1, b: 2 })).status).toBe(400)
})

test('with the path as its prefix, the links that it gives lead back to it', async () => {
  const app = makeApp('/api')
  afterwards(() => app.close())
  const { call, get } = talkTo(await listen((request, response) => app.node(request, response)))
  const started = await call('/api/double?async=true', { n: 3 })
  expect(started.headers.location).toMatch(/^\/api\/tasks\//)
  expect((await get(`${started.headers.location}/result?wait=5`)).json).toBe(6)
  expect((await call('/api/double', { n: 3 })).headers['content-location']).toMatch(/^\/api\/tasks\//)
  const { links } = started.json as { links: Record<string, string> }
  for (const link of Object.values(links)) expect(link).toMatch(/^\/api\/tasks\//)
})

describe('app.listen', () => {
  test('says what to do when the port is taken', async () => {
    const { port } = await serveApp(makeApp())
    await expect(makeApp().listen({ port })).rejects.toThrow(
      `Port ${port} on 127.0.0.1 is taken: end what listens there, or choose another port (PORT=${port + 1})`,
    )
  })

  test('listens on this host only, unless it is told otherwise', async () => {
    const { url } = await serveApp(makeApp())
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
  })

  test('closes once requests under way are answered, and takes no new ones', async () => {
    const app = createApp({
      slow: procedure.query({ input: z.void(), output: z.string(), handler: () => sleep(200, 'done') }),
    })
    const server = await app.listen({ port: 0 })
    const { get } = talkTo(server.url)
    const agent = new http.Agent({ keepAlive: true })
    const kept = new Promise<void>((resolve) =>
      http.get(`${server.url}/slow`, { agent }, (response) => response.resume().once('end', resolve)),
    )
    const underWay = get('/slow')
    await sleep(50)
    const before = performance.now()
    const closed = server.close()
    await expect(get('/slow')).rejects.toThrow(/ECONNREFUSED/)
    expect((await underWay).json).toBe('done')
    await kept
    await closed
    expect(performance.now() - before).toBeLessThan(1500)
    agent.destroy()
    await expect(app.close()).resolves.toBeUndefined()
  })
})
