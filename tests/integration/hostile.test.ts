/**
 * Requests nobody should send, thousands of them. Whatever comes, the answer is one that DESIGN §3 names, nothing hangs,
 * nothing grows, and the next caller is served. `TEST_FUZZ_RUNS=2000` for the long run.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { createProcedure, inline, procedure, stream } from 'errand'
import { z } from 'zod'
import {
  query,
  requestTo,
  RUNS,
  SEED,
  segment,
  sendBytes,
  toBytes,
  type HostileAnswer,
  type HostileRequest,
} from '../support/hostile.ts'
import { serve } from '../support/serve.ts'

const Tree: z.ZodType = z.lazy(() => z.object({ value: z.unknown(), children: z.array(Tree).optional() }))

// JSON has numbers that a double hasn't: 1e999 is read as Infinity, which is not to be echoed.
const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value) ?? 'null')

const echo = <S extends z.ZodType>(input: S) =>
  procedure.query({ input, output: z.unknown(), handler: (args) => asJson(args.input) })

const base = createProcedure<{ who: string }>()

const tree = {
  add: procedure.query({
    input: z.object({ a: z.number(), b: z.number().default(0) }),
    output: z.number(),
    handler: ({ input }) => Math.min(input.a + input.b, 1e308),
  }),
  any: echo(z.unknown()),
  loose: echo(z.looseObject({ a: z.unknown().optional() })),
  strict: echo(z.strictObject({ a: z.string().optional() })),
  dictionary: echo(z.record(z.string(), z.unknown())),
  tree: echo(Tree),
  union: echo(
    z.discriminatedUnion('a', [
      z.object({ a: z.literal('x'), n: z.number() }),
      z.object({ a: z.literal(1) }),
    ]),
  ),
  codec: procedure.mutation({
    input: z.object({
      a: z
        .codec(z.iso.datetime(), z.date(), {
          decode: (text) => new Date(text),
          encode: (date) => date.toISOString(),
        })
        .optional(),
      n: z
        .codec(z.string().regex(/^-?\d{1,400}$/), z.bigint().max(10n ** 20n), {
          decode: BigInt,
          encode: String,
        })
        .optional(),
    }),
    output: z.string(),
    handler: ({ input }) => `${input.a?.getTime()} ${input.n}`,
  }),
  nothing: procedure.mutation({ input: z.void(), output: z.void(), handler: () => undefined }),
  file: procedure.mutation({
    input: z.object({ a: z.file().optional(), n: z.number().optional() }),
    output: z.string(),
    handler: () => 'done',
  }),
  form: procedure.mutation({
    input: z.object({ a: z.string().optional(), n: z.number().optional() }),
    output: z.unknown(),
    meta: { rest: { body: 'form' } },
    handler: ({ input }) => input,
  }),
  bytes: procedure.mutation({
    input: z.unknown(),
    output: stream('text/plain'),
    handler: ({ input }) => JSON.stringify(input) ?? '',
  }),
  headers: procedure.mutation({
    input: z.object({ id: z.string(), a: z.string().optional(), n: z.number().optional() }),
    output: z.unknown(),
    meta: { rest: { method: 'PUT', path: '/things/{id}', in: { a: 'header:x-any', n: 'cookie:a' } } },
    handler: ({ input }) => input,
  }),
  context: base.query({
    input: z.object({ a: z.unknown().optional() }),
    output: z.string(),
    handler: ({ ctx }) => ctx.who,
  }),
  items: procedure.subscription({
    input: z.object({ n: z.int().min(0).max(20).default(2) }),
    output: z.int(),
    handler: async function* ({ input }) {
      for (let n = 0; n < input.n; n++) yield n
    },
  }),
  task: procedure.task({
    input: z.object({ a: z.unknown().optional(), n: z.number().optional() }),
    output: z.unknown(),
    retry: { attempts: 1 },
    keep: '1s',
    handler: ({ input }) => input.n ?? null,
  }),
}

const api = await serve(tree, {
  tasks: inline(),
  bodyLimit: 20_000,
  cors: { origin: ['https://page.example'] },
  createContext: ({ headers, url }) => ({ who: `${headers.get('x-any') ?? 'nobody'} at ${url.length}` }),
})

/** What a caller can do wrong, and what can go right. Nothing here may break, so there is no 5xx. */
const STATUSES: ReadonlySet<number> = new Set([200, 202, 204, 207, 304, 400, 404, 405, 409, 413, 415, 422])

/** What Node's parser says of what isn't HTTP. */
const PARSER: ReadonlySet<number> = new Set([400, 408, 413, 414, 417, 431, 505])

let sent = 0
const seen = new Map<number, number>()
afterAll(() =>
  console.log(
    `${sent} hostile requests; answers: ${[...seen]
      .sort(([a], [b]) => a - b)
      .map(([status, count]) => `${status}×${count}`)
      .join(' ')}`,
  ),
)

const describeRequest = (request: HostileRequest): string =>
  JSON.stringify(toBytes(request).toString('latin1').slice(0, 2000))

const isProblem = (body: string): boolean => {
  const { type, title, status, code, detail, instance } = JSON.parse(
    Buffer.from(body, 'latin1').toString(),
  ) as Record<string, unknown>
  return (
    [type, title, code, detail, instance].every((text) => typeof text === 'string') &&
    typeof status === 'number'
  )
}

const check = (request: HostileRequest, { status, head, body }: HostileAnswer): void => {
  sent++
  seen.set(status, (seen.get(status) ?? 0) + 1)
  const fromParser = PARSER.has(status)
  if (!STATUSES.has(status) && !fromParser)
    throw new Error(`status ${status} for ${describeRequest(request)}: ${body.slice(0, 500)}`)
  if (
    status >= 400 &&
    /content-type: application\/problem\+json/i.test(head) &&
    body !== '' &&
    !isProblem(body)
  )
    throw new Error(`no problem: ${body}`)
  if (/\bat .*\.(ts|js):\d+/.test(body)) throw new Error(`a stack in ${body.slice(0, 500)}`)
}

const attack = (requests: fc.Arbitrary<HostileRequest>, runs = RUNS): Promise<void> =>
  fc.assert(
    fc.asyncProperty(requests, async (request) =>
      check(request, await sendBytes(api.port, toBytes(request))),
    ),
    { numRuns: runs, seed: SEED, endOnFailure: true },
  )

const TIME = 10_000 + RUNS * 100

afterEach(async () => {
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  expect(Object.keys(Object.prototype)).toEqual([])
  expect(await api.call('/add', { a: 1, b: 2 })).toMatchObject({ status: 200, text: '3' })
  expect(api.logs.splice(0).filter(({ level }) => level === 'error')).toEqual([])
})

const at = (path: string): fc.Arbitrary<string> => query.map((text) => path + text)

describe('REST', () => {
  const mutations = ['/codec', '/nothing', '/file', '/form', '/bytes']
  test.each([
    '/add',
    '/any',
    '/loose',
    '/strict',
    '/dictionary',
    '/tree',
    '/union',
    '/context',
    '/items',
    ...mutations,
  ])('%s answers whatever it is sent', { timeout: TIME }, (path) =>
    attack(requestTo(at(path), mutations.includes(path) ? ['POST'] : ['GET', 'POST', 'POST'])),
  )

  test('a path with parameters answers whatever stands in them', { timeout: TIME }, () =>
    attack(
      requestTo(
        fc.tuple(segment, query).map(([text, search]) => `/things/${text}${search}`),
        ['PUT', 'PUT', 'PUT', 'GET', 'POST'],
      ),
    ),
  )

  test('any path is found or not', { timeout: TIME }, () =>
    attack(
      requestTo(
        fc
          .tuple(
            fc.array(fc.oneof(segment, fc.constantFrom('add', 'tasks', 'trpc', 'things', 'task')), {
              maxLength: 6,
            }),
            query,
          )
          .map(([segments, search]) => `/${segments.join('/')}${search}`),
      ),
    ),
  )
})

describe('tasks', () => {
  const paths = [
    'POST /task',
    'POST /task/tasks',
    'GET /tasks',
    'GET /task/tasks/x',
    'POST /task/tasks/x/cancel',
  ]
  test.each(paths)('%s answers whatever it is sent', { timeout: TIME }, (line) => {
    const [method = '', path = ''] = line.split(' ')
    return attack(requestTo(at(path), [method]))
  })

  test('a task id may be anything', { timeout: TIME }, () =>
    attack(
      requestTo(
        fc
          .tuple(segment, fc.constantFrom('', '/status', '/result', '/events', '/cancel', '/retry'), query)
          .map(([id, rest, search]) => `/tasks/${id}${rest}${search}`),
        ['GET', 'GET', 'POST', 'DELETE'],
      ),
    ),
  )

  test('the tasks that came of it can all be listed', async () => {
    let cursor: string | undefined
    do {
      const answer = await api.get(`/tasks?limit=200${cursor ? `&cursor=${cursor}` : ''}`)
      expect(answer.status).toBe(200)
      cursor = (answer.json as { nextCursor?: string }).nextCursor
    } while (cursor)
  })
})

describe('tRPC', () => {
  const names = [
    'add',
    'any',
    'loose',
    'dictionary',
    'tree',
    'codec',
    'nothing',
    'items',
    'task.start',
    'task.startWith',
    'task.get',
    'task.run',
    'tasks.list',
    'tasks.get',
    'nope',
    '__proto__',
    'constructor',
    'a.b.c',
    '',
  ]

  const queries = ['add', 'any', 'task.get', 'tasks.list', 'items']
  test.each([...queries, 'codec', 'nothing', 'task.start', 'task.startWith', 'task.run'])(
    '%s answers whatever it is sent',
    { timeout: TIME },
    (name) => attack(requestTo(at(`/trpc/${name}`), [queries.includes(name) ? 'GET' : 'POST'])),
  )

  test('batches of anything are answered', { timeout: TIME }, () =>
    attack(
      requestTo(
        fc
          .tuple(
            fc.array(fc.constantFrom(...names), { maxLength: 8 }),
            fc.constantFrom(
              '?batch=1',
              '?batch=1&input=',
              '?batch=1&input=%7B%220%22%3A%7B%7D%7D',
              '?batch=2',
            ),
          )
          .map(([list, search]) => `/trpc/${list.join(',')}${search}`),
      ),
    ),
  )

  test('any path is found or not', { timeout: TIME }, () =>
    attack(
      requestTo(fc.tuple(segment, segment, query).map(([one, two, search]) => `/trpc/${one}${two}${search}`)),
    ),
  )
})

test(
  'what was sent is forgotten: the heap after thousands of requests is what it was',
  { timeout: TIME },
  async () => {
    setFlagsFromString('--expose-gc')
    const collect = runInNewContext('gc') as () => void
    const heap = async (): Promise<number> => {
      for (let round = 0; round < 3; round++) {
        collect()
        await sleep(20)
      }
      return process.memoryUsage().heapUsed
    }
    const load = async (count: number): Promise<void> => {
      const requests = fc.sample(
        requestTo(fc.constantFrom('/any', '/loose', '/add', '/trpc/any', '/nope', '/form')),
        { numRuns: 100, seed: SEED },
      )
      for (let index = 0; index < count; index++)
        await sendBytes(api.port, toBytes(requests[index % 100] as HostileRequest))
    }
    await load(300)
    const before = await heap()
    await load(Math.max(600, RUNS))
    expect(await heap()).toBeLessThan(before + 8 * 1024 ** 2)
  },
)
