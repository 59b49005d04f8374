/** How often a caller may call: all together, one procedure, by every door, told in headers. */
import { createTRPCClient, httpBatchLink, httpBatchStreamLink, httpLink, TRPCClientError } from '@trpc/client'
import { initTRPC } from '@trpc/server'
import { describe, expect, test } from 'vitest'
import {
  createApp,
  createProcedure,
  inline,
  procedure,
  ProcedureError,
  type AppOptions,
  type AppRouter,
} from 'errand'
import { startTask } from 'errand/client'
import { z } from 'zod'
import { problemOf, type Answer } from '../support/http.ts'
import { serve } from '../support/serve.ts'
import { taskOf } from '../support/tasks.ts'

const base = createProcedure<{ user: string | null }>()
const input = z.object({ n: z.int().default(0) })
const t = initTRPC.context<{ user: string | null }>().meta<{ rateLimit?: unknown }>().create()

const tree = {
  free: base.query({ input, output: z.int(), handler: ({ input: { n } }) => n }),
  dear: base.query({ input, output: z.int(), meta: { rateLimit: '2/1h' }, handler: ({ input: { n } }) => n }),
  nested: {
    dear: base.mutation({
      input,
      output: z.int(),
      meta: { rateLimit: '2/1h' },
      handler: ({ input: { n } }) => n,
    }),
  },
  items: base.subscription({
    input: z.void(),
    output: z.int(),
    meta: { rateLimit: '2/1h' },
    handler: async function* () {
      yield 1
    },
  }),
  work: base.task({ input, output: z.int(), meta: { rateLimit: '3/1h' }, handler: ({ input: { n } }) => n }),
  plain: t.router({
    dear: t.procedure.meta({ rateLimit: '2/1h' }).query(() => 'plain'),
    other: t.procedure.meta({ rateLimit: { mine: true } }).query(() => 'plain'),
  }),
}

const serveTree = (options: Partial<AppOptions<{ user: string | null }>> = {}) =>
  serve(tree, {
    tasks: inline(),
    createContext: ({ headers }) => {
      if (headers.get('x-user') === 'liar') throw new ProcedureError('UNAUTHORIZED', 'You are not')
      return { user: headers.get('x-user') }
    },
    owner: ({ user }) => user,
    ...options,
  })

type Router = AppRouter<typeof tree, { user: string | null }>

const as = (user: string) => ({ 'x-user': user })

const statuses = async (count: number, ask: () => Promise<Answer>): Promise<number[]> => {
  const answers: number[] = []
  for (let index = 0; index < count; index++) answers.push((await ask()).status)
  return answers
}

describe('a procedure with a rate', async () => {
  const api = await serveTree()
  let users = 0
  const someone = () => as(`user ${users++}`)

  test.each<[string, (headers: Record<string, string>) => Promise<Answer>, number]>([
    ['POST', (headers) => api.call('/dear', {}, headers), 2],
    ['GET', (headers) => api.get('/dear', headers), 2],
    ['tRPC', (headers) => api.get('/trpc/dear?input={}', headers), 2],
    [
      'tRPC, by its own code',
      (headers) => api.get('/trpc/dear?input={}', { ...headers, 'content-type': 'text/plain' }),
      2,
    ],
    ['a nested one', (headers) => api.call('/nested/dear', {}, headers), 2],
    ['a subscription', (headers) => api.get('/items', headers), 2],
    ['a task', (headers) => api.call('/work', {}, headers), 3],
    ['the start of a task', (headers) => api.call('/work/tasks', {}, headers), 3],
    ['a task over tRPC', (headers) => api.call('/trpc/work.run', {}, headers), 3],
    ['a plain tRPC procedure', (headers) => api.get('/trpc/plain.dear', headers), 2],
    ['a plain tRPC procedure over REST', (headers) => api.get('/plain/dear', headers), 2],
    [
      'a plain tRPC procedure, by its own code',
      (headers) => api.get('/trpc/plain.dear', { ...headers, 'content-type': 'text/plain' }),
      2,
    ],
  ])('is refused with 429 beyond it: %s', async (_, ask, times) => {
    const [one, other] = [someone(), someone()]
    const answers = await statuses(times + 2, () => ask(one))
    expect(answers.slice(0, times).every((status) => status < 300)).toBe(true)
    expect(answers.slice(times)).toEqual([429, 429])
    expect((await ask(other)).status).toBeLessThan(300)
    expect(await statuses(3, () => api.get('/free', one))).toEqual([200, 200, 200])
  })

  test('has one count for all its doors and all ways to start it', async () => {
    const one = someone()
    expect((await api.call('/work', {}, one)).status).toBe(200)
    expect((await api.call('/work/tasks', {}, one)).status).toBe(202)
    expect((await api.call('/trpc/work.startWith', { input: {} }, one)).status).toBe(200)
    for (const path of ['/work', '/work/tasks', '/trpc/work.start', '/trpc/work.run'])
      expect((await api.call(path, {}, one)).status, path).toBe(429)
  })

  test('counts what is refused by its schema or has no handler to go to, before the body is read', async () => {
    const one = someone()
    expect(await statuses(3, () => api.call('/dear', { n: 'x' }, one))).toEqual([400, 400, 429])
    const other = someone()
    const broken = () =>
      api.send('POST /dear', { headers: { ...other, 'content-type': 'application/json' }, body: '{' })
    expect(await statuses(3, broken)).toEqual([400, 400, 429])
  })

  test('does not count who reads, watches or stops the tasks that were started', async () => {
    const one = someone()
    const { id } = taskOf(await api.call('/work/tasks', {}, one))
    for (let count = 0; count < 5; count++) {
      expect((await api.get(`/tasks/${id}`, one)).status).toBe(200)
      expect((await api.get(`/work/tasks/${id}/events`, one)).status).toBe(200)
    }
  })

  test('each call of a batch is one: what would get round the rate does not', async () => {
    const one = someone()
    const batch = await api.get(
      '/trpc/dear,dear,dear,free?batch=1&input=' + encodeURIComponent('{"0":{},"1":{},"2":{},"3":{}}'),
      one,
    )
    expect(batch.status).toBe(207)
    expect(batch.json).toMatchObject([
      { result: { data: 0 } },
      { result: { data: 0 } },
      { error: { data: { code: 'TOO_MANY_REQUESTS', httpStatus: 429, path: 'dear' } } },
      { result: { data: 0 } },
    ])
    expect(batch.headers).toMatchObject({ ratelimit: expect.stringMatching(/^"dear";r=0;t=\d+$/) })
  })

  test('means what it says in the meta of plain tRPC, and whatever else is there is somebody else’s', async () => {
    expect(await statuses(4, () => api.get('/trpc/plain.other', as('x')))).toEqual([200, 200, 200, 200])
  })

  test('whose rate is none is refused at the start', () => {
    const wrong = procedure.query({
      input: z.void(),
      output: z.void(),
      meta: { rateLimit: '10 per minute' as never },
      handler: () => undefined,
    })
    expect(() => createApp({ wrong })).toThrow(
      /wrong: meta\.rateLimit is "10 per minute", expected a rate of whole seconds, up to 24 days, such as '100\/1m'/,
    )
  })
})

describe('the headers', async () => {
  const api = await serveTree({ rateLimit: '5/1m', cors: true })

  test('tell of each rate what is left and when it begins anew', async () => {
    const first = await api.get('/dear', as('a'))
    expect(first.headers['ratelimit-policy']).toBe('"all-calls";q=5;w=60, "dear";q=2;w=3600')
    expect(first.headers['ratelimit']).toMatch(/^"all-calls";r=4;t=\d+, "dear";r=1;t=\d+$/)
    expect(first.headers['retry-after']).toBeUndefined()
    expect(first.headers['access-control-expose-headers']).toMatch(/retry-after.*ratelimit, ratelimit-policy/)
    await api.get('/dear', as('a'))
    const refused = await api.get('/dear', as('a'))
    expect(refused.headers['ratelimit']).toMatch(/^"all-calls";r=2;t=\d+, "dear";r=0;t=\d+$/)
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(3000)
    expect(problemOf(refused)).toMatchObject({
      status: 429,
      code: 'TOO_MANY_REQUESTS',
      detail: 'Too many calls of dear: 2/1h are allowed',
    })
  })

  test('of a refusal by the rate over all calls say so, on both doors', async () => {
    await statuses(5, () => api.get('/free', as('b')))
    const rest = await api.get('/free', as('b'))
    expect(problemOf(rest).detail).toBe('Too many calls: 5/1m are allowed')
    const wait = Number(rest.headers['retry-after'])
    expect(wait).toBeGreaterThan(0)
    expect(wait).toBeLessThanOrEqual(60)
    const trpc = await api.get('/trpc/free?input={}', as('b'))
    expect(trpc.status).toBe(429)
    expect(trpc.headers['retry-after']).toBeDefined()
    expect(trpc.headers['ratelimit']).toMatch(/^"all-calls";r=0;t=\d+$/)
    expect(trpc.json).toMatchObject({
      error: { data: { code: 'TOO_MANY_REQUESTS', httpStatus: 429, retryAfter: expect.any(Number) } },
    })
  })
})

describe('a rate over all calls', async () => {
  const api = await serveTree({ rateLimit: '3/1h' })
  const isOver = async (ask: (headers: Record<string, string>) => Promise<Answer>, user: string) =>
    (await statuses(4, () => ask(as(user)))).at(-1) === 429

  test('counts every route of tasks', async () => {
    const { id } = taskOf(await api.call('/work/tasks', {}, as('owner of it')))
    const asks: [string, (headers: Record<string, string>) => Promise<Answer>][] = [
      ...['', '/status', '/result', '/events'].map((rest): (typeof asks)[number] => [
        `get${rest}`,
        (headers) => api.get(`/tasks/${id}${rest}`, headers),
      ]),
      ['list', (headers) => api.get('/tasks', headers)],
      ['cancel', (headers) => api.send(`POST /tasks/${id}/cancel`, { headers })],
      ['retry', (headers) => api.send(`POST /tasks/${id}/retry`, { headers })],
      ['remove', (headers) => api.send(`DELETE /tasks/${id}`, { headers })],
      ['trpc list', (headers) => api.get('/trpc/tasks.list', headers)],
      ['trpc get', (headers) => api.get(`/trpc/work.get?input={"id":"${id}"}`, headers)],
      ['trpc cancel', (headers) => api.call('/trpc/work.cancel', { id }, headers)],
    ]
    for (const [name, ask] of asks) expect(await isOver(ask, `${name} user`), name).toBe(true)
  })

  test('counts those who are refused for what they say of themselves by where they come from', async () => {
    const guesses = await statuses(5, () => api.get('/free', as('liar')))
    expect(guesses).toEqual([401, 401, 401, 429, 429])
    expect((await api.get('/trpc/free?input={}', as('liar'))).status).toBe(429)
    expect(
      (await api.get('/trpc/free?input={}', { ...as('liar'), 'content-type': 'text/plain' })).status,
    ).toBe(429)
    // Who has a name is not kept from using it.
    expect((await api.get('/free', as('honest'))).status).toBe(200)
  })

  test('does not count probes, the document, its page, or paths where nothing is', async () => {
    for (const path of ['/healthz', '/readyz', '/openapi.json', '/docs', '/nowhere'])
      expect(await statuses(5, () => api.get(path)), path).not.toContain(429)
  })

  test('does not count the server’s own code', async () => {
    const caller = api.app.caller({ user: null })
    for (let count = 0; count < 5; count++) expect(await caller['free']({ n: count })).toBe(count)
  })
})

describe('strangers', () => {
  test('are told apart by their address, as far as proxies are trusted to know it', async () => {
    const from = (address: string) => ({ 'x-forwarded-for': address })
    const open = await serveTree({ rateLimit: '1/1h' })
    expect((await open.get('/free', from('1.1.1.1'))).status).toBe(200)
    expect((await open.get('/free', from('2.2.2.2'))).status).toBe(429)
    expect(open.logs.map(({ message }) => message)).toEqual([expect.stringMatching(/trustProxy is 0/)])

    const proxied = await serveTree({ rateLimit: '1/1h', trustProxy: 1 })
    expect((await proxied.get('/free', from('1.1.1.1'))).status).toBe(200)
    expect((await proxied.get('/free', from('2.2.2.2'))).status).toBe(200)
    expect((await proxied.get('/free', from('9.9.9.9, 1.1.1.1'))).status).toBe(429)
    expect((await proxied.get('/free', from('2001:db8::1'))).status).toBe(200)
    expect((await proxied.get('/free', from('2001:db8::2'))).status).toBe(429)
    expect(proxied.logs).toEqual([])
  })

  test('and createContext hears the same address', async () => {
    const who = createProcedure<{ address: string | undefined }>().query({
      input: z.void(),
      output: z.string(),
      handler: ({ ctx }) => ctx.address ?? 'unknown',
    })
    const createContext = ({ remoteAddress }: { remoteAddress: string | undefined }) => ({
      address: remoteAddress,
    })
    const forwarded = { 'x-forwarded-for': '6.6.6.6, 1.1.1.1' }
    expect((await (await serve({ who }, { createContext })).get('/who', forwarded)).json).toMatch(
      /127\.0\.0\.1$/,
    )
    const { app, get } = await serve({ who }, { createContext, trustProxy: 1 })
    expect((await get('/who', forwarded)).json).toBe('1.1.1.1')
    expect(await (await app.fetch(new Request('http://x/who', { headers: forwarded }))).json()).toBe(
      '1.1.1.1',
    )
  })
})

describe('a plain tRPC client', async () => {
  const api = await serveTree({ rateLimit: '2/1h' })

  test.each([
    ['httpLink', httpLink],
    ['httpBatchLink', httpBatchLink],
    ['httpBatchStreamLink', httpBatchStreamLink],
  ])('gets TOO_MANY_REQUESTS with retryAfter by its %s', async (name, link) => {
    const client = createTRPCClient<Router>({
      links: [link({ url: `${api.url}/trpc`, headers: as(name) })],
    })
    expect(await client.free.query({})).toBe(0)
    expect(await client.free.query({})).toBe(0)
    const error: unknown = await client.free.query({}).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(TRPCClientError)
    expect(error).toMatchObject({
      data: { code: 'TOO_MANY_REQUESTS', httpStatus: 429, retryAfter: expect.any(Number) },
    })
  })
})

test('a task handle waits as long as it is told to', async () => {
  const { url } = await serveTree({ rateLimit: '2/1s' })
  const { work } = createTRPCClient<Router>({ links: [httpLink({ url: `${url}/trpc` })] })
  const tasks = await Promise.all([1, 2, 3].map((n) => startTask(work, { n })))
  expect(await Promise.all(tasks.map((task) => task.result({ timeout: '20s' })))).toEqual([1, 2, 3])
})
