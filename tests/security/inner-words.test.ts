/** Nothing of the inside leaves with an error: every door, every kind of failure, outside of development. */
import { setTimeout as sleep } from 'node:timers/promises'
import { initTRPC } from '@trpc/server'
import { describe, expect, test } from 'vitest'
import { createProcedure, inline, procedure, ProcedureError, stream, type AppOptions } from 'errand'
import { z } from 'zod'
import type { Answer } from '../support/http.ts'
import { serve, type Served } from '../support/serve.ts'
import { taskOf } from '../support/tasks.ts'

/** What must stay inside: words of errors, and where the code is. */
const SECRET = 'hunter2'
const INSIDE = /hunter2|node_modules|\/src\/|file:\/\/|\bat .+:\d+:\d+|\.ts:\d+/

const fail = (): never => {
  throw new Error(`password=${SECRET}`)
}

class OddError extends Error {
  override readonly name = `Odd${SECRET}`
  readonly code = SECRET
  readonly path = `/home/${SECRET}`
  toJSON() {
    return { SECRET }
  }
}

/** Ways to throw. */
const THROWS: Readonly<Record<string, () => never>> = {
  error: fail,
  type: () => {
    throw new TypeError(`cannot read ${SECRET}`)
  },
  odd: () => {
    throw new OddError(SECRET)
  },
  text: () => {
    throw SECRET
  },
  object: () => {
    throw { code: 'NOT_FOUND', status: 404, message: SECRET, data: SECRET }
  },
  nothing: () => {
    throw undefined
  },
  aggregate: () => {
    throw new AggregateError([new Error(SECRET)], SECRET, { cause: new Error(SECRET) })
  },
  frozen: () => {
    throw Object.freeze(new Error(SECRET))
  },
  getter: () => {
    throw Object.defineProperty(new Error('x'), 'message', { get: () => SECRET })
  },
  zod: () => z.object({ password: z.literal(SECRET) }).parse({ password: 'x' }) as never,
  caused: () => {
    throw new ProcedureError('CONFLICT', 'Try again', { cause: new Error(SECRET) })
  },
  abort: () => {
    throw new DOMException(SECRET, 'AbortError')
  },
}
const kinds = Object.keys(THROWS) as [string, ...string[]]
const input = z.object({ kind: z.enum(kinds) })
const act = (kind: string): never => (THROWS[kind] as () => never)()

const base = createProcedure<{ at: string | null }>()
const t = initTRPC.context<object>().create()
const output = z.string()

const tree = {
  handler: base.query({ input, output, handler: ({ input: { kind } }) => act(kind) }),
  later: base.mutation({
    input,
    output,
    handler: async ({ input: { kind } }) => {
      await Promise.resolve()
      return act(kind)
    },
  }),
  middleware: base
    .use(({ input: raw }) => act((raw as { kind?: string })?.kind ?? 'error'))
    .query({ input, output, handler: () => '' }),
  schema: base.query({
    input: z.object({ kind: z.enum(kinds).refine((kind) => act(kind)) }),
    output,
    handler: () => '',
  }),
  output: base.query({ input, output: z.string().refine(() => fail()), handler: () => '' }),
  wrong: base.query({ input, output: z.literal('right'), handler: () => SECRET as never }),
  bigint: base.query({ input, output: z.unknown(), handler: () => ({ [SECRET]: 1n }) }),
  declared: base.query({
    input,
    output,
    errors: { OOPS: { status: 409, data: z.object({ n: z.number() }) } },
    handler: ({ errors }) => {
      throw errors.OOPS({ n: SECRET as never })
    },
  }),
  items: base.subscription({
    input,
    output,
    handler: async function* ({ input: { kind } }) {
      yield 'one'
      act(kind)
    },
  }),
  bytes: base.query({
    input,
    output: stream('text/plain'),
    handler: async function* ({ input: { kind } }) {
      yield 'one'
      await sleep(30) // so that it is on its way by then
      act(kind)
    },
  }),
  noStream: base.query({ input, output: stream('text/plain'), handler: () => ({ SECRET }) as never }),
  work: base.task({
    input,
    output,
    retry: { attempts: 1 },
    handler: ({ input: { kind } }) => act(kind),
  }),
  carry: base.task({ input, output, carry: () => fail(), handler: () => '' }),
  key: base.task({ input, output, idempotencyKey: () => fail(), handler: () => '' }),
  progress: base.task({
    input,
    output,
    progress: z.object({ n: z.number() }),
    retry: { attempts: 1 },
    handler: ({ progress }) => {
      progress({ n: SECRET as never })
      return ''
    },
  }),
  plain: t.router({
    handler: t.procedure.input(input).query(({ input: { kind } }) => act(kind)),
    output: t.procedure
      .input(input)
      .output(z.literal('right'))
      .query(() => SECRET as never),
  }),
}

type Options = Partial<AppOptions<{ at: string | null }>>

const serveTree = (options: Options = {}): Promise<Served> =>
  serve(tree, { tasks: inline(), profile: 'production', createContext: () => ({ at: null }), ...options })

const innerIn = ({ text, headers }: Answer): string | undefined =>
  INSIDE.exec(text + JSON.stringify({ ...headers, date: '' }))?.[0]

const QUERIES = [
  'handler',
  'middleware',
  'schema',
  'output',
  'wrong',
  'bigint',
  'declared',
  'items',
  'plain.handler',
  'plain.output',
]

/** All doors to a procedure, by its path. */
const doors = ({ get, call }: Served, path: string, kind: string): (() => Promise<Answer>)[] => {
  const url = `/${path.replaceAll('.', '/')}`
  const trpc = `/trpc/${path}?input=${encodeURIComponent(JSON.stringify({ kind }))}`
  const batch = `/trpc/${path},${path}?batch=1&input=${encodeURIComponent(JSON.stringify({ 0: { kind }, 1: { kind } }))}`
  return [
    () => call(url, { kind }),
    () => get(`${url}?kind=${kind}`),
    () => get(trpc),
    () => get(trpc, { 'content-type': 'text/plain' }),
    () => get(batch),
    () => get(batch, { 'trpc-accept': 'application/jsonl' }),
  ]
}

describe.each(kinds)('what is thrown: %s', async (kind) => {
  const api = await serveTree({ owner: () => 'me' })

  test('stays inside, whichever door it was asked by', async () => {
    for (const path of QUERIES)
      for (const ask of doors(api, path, kind)) {
        const answer = await ask()
        expect(innerIn(answer), `${path}: ${answer.text}`).toBeUndefined()
      }
    for (const path of ['/later', '/trpc/later'])
      expect(innerIn(await api.call(path, { kind }))).toBeUndefined()
  })

  test('stays inside when a task fails with it: in its record, its result, its events, its list', async () => {
    for (const name of ['work', 'carry', 'key', 'progress']) {
      const answers = [
        await api.call(`/${name}`, { kind }),
        await api.call(`/trpc/${name}.run`, { kind }),
        await api.call(`/trpc/${name}.startWith`, { input: { kind } }),
      ]
      const started = await api.call(`/${name}/tasks`, { kind })
      if (started.status === 202) {
        const { id } = taskOf(started)
        for (const path of ['?wait=5', '/status', '/result', '/events'])
          answers.push(await api.get(`/tasks/${id}${path}`))
        answers.push(await api.get(`/trpc/${name}.get?input={"id":"${id}"}`))
      }
      for (const answer of [...answers, started]) expect(innerIn(answer), answer.text).toBeUndefined()
    }
    expect(innerIn(await api.get('/tasks?limit=200'))).toBeUndefined()
  })
})

// The ways to throw differ in how they are read, and that is told above: a few are enough for each place.
describe.each(['error', 'odd', 'caused', 'nothing'])('what the app’s own options throw: %s', (kind) => {
  test.each<[string, (kind: string) => Options]>([
    ['createContext', (thrown) => ({ createContext: () => act(thrown) })],
    ['an async createContext', (thrown) => ({ createContext: async () => act(thrown) })],
    ['owner', (thrown) => ({ owner: () => act(thrown) })],
    ['admin', (thrown) => ({ admin: () => act(thrown) })],
    ['cors.origin', (thrown) => ({ cors: { origin: () => act(thrown) } })],
    ['owner, with a rate', (thrown) => ({ owner: () => act(thrown), rateLimit: '100000/1s' })],
    [
      'createContext, with a rate',
      (thrown) => ({ createContext: () => act(thrown), rateLimit: '100000/1s' }),
    ],
  ])('stays inside when %s throws it', async (_, options) => {
    const api = await serveTree(options(kind))
    const origin = { origin: 'https://x.example' }
    const input_ = encodeURIComponent('{"kind":"error"}')
    for (const ask of [
      () => api.call('/wrong', { kind }, origin),
      () => api.get('/items?kind=error', origin),
      () => api.call('/work/tasks', { kind }, origin),
      () => api.get('/tasks', origin),
      () => api.get('/tasks/x', origin),
      () => api.get('/tasks/x/events', origin),
      () => api.get(`/trpc/wrong?input=${input_}`, origin),
      () => api.get(`/trpc/wrong?input=${input_}`, { ...origin, 'content-type': 'text/plain' }),
      () => api.get(`/trpc/items?input=${input_}`, origin),
      () => api.call('/trpc/work.start', { kind }, origin),
      () => api.get('/trpc/tasks.list', origin),
      () => api.get('/nowhere', origin),
      () => api.send('OPTIONS /wrong', { headers: { ...origin, 'access-control-request-method': 'POST' } }),
    ])
      expect(innerIn(await ask()), (await ask()).text).toBeUndefined()
  })
})

test('a stream that breaks ends without a word', async () => {
  const { url } = await serveTree()
  const response = await fetch(`${url}/bytes`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{"kind":"error"}',
  })
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  let text = ''
  for (;;) {
    const piece = await reader.read().catch(() => undefined)
    if (!piece || piece.done) break
    text += Buffer.from(piece.value).toString()
  }
  expect(text).toBe('one')
})

test('what a handler set on the head and HTTP can’t carry is not told either', async () => {
  const odd = procedure.query({ input: z.void(), output, handler: () => 'x' })
  const api = await serve(
    { odd },
    {
      profile: 'production',
      createContext: ({ responseHeaders }) => {
        responseHeaders.set('x-odd', `${SECRET}\u0001`)
        return {}
      },
    },
  )
  const answer = await api.get('/odd')
  expect(answer.status).toBe(500)
  expect(innerIn(answer)).toBeUndefined()
})

test('all of it is in the log', async () => {
  const api = await serveTree()
  await api.call('/handler', { kind: 'error' })
  expect(JSON.stringify(api.logs)).toContain(SECRET)
})

test('in development, and there alone, a 500 says what was thrown', async () => {
  for (const [profile, shown] of [
    ['development', true],
    ['production', false],
    ['test', false],
  ] as const) {
    const api = await serveTree({ profile })
    expect((await api.call('/handler', { kind: 'error' })).text.includes(SECRET), profile).toBe(shown)
    expect((await api.get('/trpc/handler?input={"kind":"error"}')).text.includes(SECRET), profile).toBe(shown)
  }
})
