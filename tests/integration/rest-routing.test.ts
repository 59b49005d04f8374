/** Which request reaches which procedure, and what is said to one that reaches none. */
import { describe, expect, test } from 'vitest'
import { createApp, procedure } from 'errand'
import { z } from 'zod'
import { problemOf } from '../support/http.ts'
import { serve } from '../support/serve.ts'

const ANYTHING: z.ZodType = z.unknown()

const echo = <S extends z.ZodType>(input: S) =>
  procedure.query({ input, output: ANYTHING, handler: (args) => args.input })

const Text = z.object({ text: z.string() })

const api = await serve({
  add: procedure.query({
    input: z.object({ a: z.number(), b: z.number() }),
    output: z.number(),
    handler: ({ input }) => input.a + input.b,
  }),
  save: procedure.mutation({ input: Text, output: z.string(), handler: ({ input }) => input.text }),
  users: {
    create: procedure.mutation({ input: Text, output: z.string(), handler: () => 'created' }),
    deep: { er: procedure.query({ input: z.void(), output: z.string(), handler: () => 'deep' }) },
  },
  me: procedure.query({
    input: z.void(),
    output: z.string(),
    meta: { rest: { method: 'GET', path: '/people/me' } },
    handler: () => 'me',
  }),
  person: procedure.query({
    input: z.object({ id: z.string() }),
    output: z.string(),
    meta: { rest: { method: 'GET', path: '/people/{id}' } },
    handler: ({ input }) => `person ${input.id}`,
  }),
  dropPerson: procedure.mutation({
    input: z.object({ id: z.string(), hard: z.boolean().default(false) }),
    output: z.string(),
    meta: { rest: { method: 'DELETE', path: '/people/{id}' } },
    handler: ({ input }) => `dropped ${input.id} ${input.hard}`,
  }),
})

describe('a procedure at its own path', () => {
  test('answers POST with the bare output', async () => {
    const answer = await api.call('/add', { a: 1, b: 2 })
    expect(answer.status).toBe(200)
    expect(answer.text).toBe('3')
    expect(answer.headers['content-type']).toBe('application/json')
    expect(answer.headers['content-length']).toBe('1')
  })

  test('is at the nested path of its nested name', async () => {
    expect((await api.call('/users/create', { text: 'x' })).json).toBe('created')
    expect((await api.call('/users/deep/er')).json).toBe('deep')
  })

  test('answers GET when it is a query', async () => {
    expect((await api.get('/add?a=1&b=2')).text).toBe('3')
  })

  test('does not answer GET when it is a mutation', async () => {
    const answer = await api.get('/save?text=x')
    expect(answer.status).toBe(405)
    expect(answer.headers.allow).toBe('POST, OPTIONS')
  })

  test('answers a HEAD like a GET without its body, length included', async () => {
    const answer = await api.send('HEAD /add?a=1&b=22')
    expect(answer).toMatchObject({ status: 200, text: '' })
    expect(answer.headers).toMatchObject({ 'content-type': 'application/json', 'content-length': '2' })
  })

  test('answers OPTIONS with what is possible there', async () => {
    const answer = await api.send('OPTIONS /add')
    expect(answer).toMatchObject({ status: 204, text: '' })
    expect(answer.headers.allow).toBe('POST, GET, HEAD, OPTIONS')
  })

  test('takes a request target in absolute form, as a proxy sends it (RFC 9112 §3.2.2)', async () => {
    const { exchange, parseRaw } = await import('../support/raw.ts')
    const text = await exchange(
      api.port,
      'GET http://example.org/add?a=1&b=2 HTTP/1.1\r\nHost: example.org\r\nConnection: close\r\n\r\n',
    )
    expect(parseRaw(text)).toMatchObject({ status: 200, body: '3' })
  })
})

describe('a request that reaches nothing', () => {
  test('is 404 as a problem that names the path', async () => {
    const answer = await api.call('/nope', {})
    expect(answer.status).toBe(404)
    expect(answer.type).toBe('application/problem+json')
    expect(problemOf(answer)).toEqual({
      type: 'about:blank',
      title: 'Not Found',
      status: 404,
      code: 'NOT_FOUND',
      detail: 'Nothing is at POST /nope',
      instance: '/nope',
    })
  })

  test.each([
    '/',
    '/users',
    '/add/',
    '//add',
    '/Add',
    '/people/',
    '/people/a/b',
    '/__proto__',
    '/constructor',
    '/users/__proto__',
  ])('is 404 at %s', async (path) => expect((await api.get(path)).status).toBe(404))

  test('is 405 with every method of the path when only the method is wrong', async () => {
    const answer = await api.send('PUT /people/7')
    expect(answer.status).toBe(405)
    expect(answer.headers.allow?.split(', ').sort()).toEqual(['DELETE', 'GET', 'HEAD', 'OPTIONS'])
    expect(problemOf(answer)).toMatchObject({
      code: 'METHOD_NOT_SUPPORTED',
      title: 'Method Not Allowed',
      instance: '/people/7',
    })
  })

  test('is 405 with the methods of a static path and of the parameter it also fits', async () => {
    const answer = await api.send('PATCH /people/me')
    expect(answer.headers.allow?.split(', ').sort()).toEqual(['DELETE', 'GET', 'HEAD', 'OPTIONS'])
  })

  test('is told so without a body when it is a HEAD', async () => {
    expect(await api.send('HEAD /nope')).toMatchObject({ status: 404, text: '' })
  })

  test('is 404 to OPTIONS too', async () => {
    expect((await api.send('OPTIONS /nope')).status).toBe(404)
  })
})

describe('a path with a parameter', () => {
  test('gives the segment to the field', async () => {
    expect((await api.get('/people/7')).json).toBe('person 7')
  })

  test('decodes what was percent-encoded, slashes included', async () => {
    expect((await api.get('/people/a%20b%2Fc%C3%A9')).json).toBe('person a b/cé')
  })

  test('is not found where the encoding is broken', async () => {
    expect((await api.get('/people/%E0%A4%A')).status).toBe(404)
  })

  test('comes after a static path that fits', async () => {
    expect((await api.get('/people/me')).json).toBe('me')
  })

  test('is taken by another method even where a static path fits', async () => {
    expect((await api.send('DELETE /people/me')).json).toBe('dropped me false')
  })

  test('goes with flat fields in the query of a DELETE', async () => {
    expect((await api.send('DELETE /people/7?hard=on')).json).toBe('dropped 7 true')
  })

  test('wins over a field of the same name elsewhere', async () => {
    expect((await api.get('/people/7?id=8')).json).toBe('person 7')
  })
})

describe('the query string of a GET', async () => {
  const Everything = z.object({
    n: z.number().optional(),
    i: z.int().optional(),
    b: z.boolean().optional(),
    s: z.string().optional(),
    list: z.array(z.number()).optional(),
    flags: z.array(z.boolean()).optional(),
    size: z.enum(['s', 'm', 'l']).optional(),
    one: z.literal([1, 'two', true]).optional(),
    either: z.union([z.number(), z.boolean(), z.string()]).optional(),
    none: z.null().optional(),
    maybe: z.number().nullable().optional(),
    day: z
      .codec(z.iso.date(), z.date(), {
        decode: (s) => new Date(s),
        encode: (d) => d.toISOString().slice(0, 10),
      })
      .optional(),
    limit: z.int().default(10),
    big: z.codec(z.string(), z.bigint(), { decode: BigInt, encode: String }).optional(),
  })
  const { get } = await serve({
    all: echo(
      Everything.transform(
        (value) =>
          JSON.parse(
            JSON.stringify(value, (_, v: unknown) => (typeof v === 'bigint' ? `${v}n` : v)),
          ) as unknown,
      ),
    ),
    strict: echo(z.strictObject({ a: z.string().optional() })),
    loose: echo(z.looseObject({ a: z.number() })),
    nested: echo(z.object({ where: z.object({ id: z.number() }) })),
    union: echo(
      z.discriminatedUnion('kind', [
        z.object({ kind: z.literal('a'), n: z.number() }),
        z.object({ kind: z.literal('b') }),
      ]),
    ),
    scalar: echo(z.number()),
    hasInput: echo(z.object({ input: z.string() })),
    both: echo(z.intersection(z.object({ a: z.number() }), z.object({ b: z.boolean() }))),
    nothing: procedure.query({ input: z.void(), output: z.string(), handler: ({ input }) => String(input) }),
    maybeObject: echo(z.object({ a: z.number().optional() }).optional()),
  })

  test.each([
    ['n=1.5', { n: 1.5 }],
    ['n=-2e3', { n: -2000 }],
    ['n=%2B4', { n: 4 }],
    ['i=7', { i: 7 }],
    ['b=true', { b: true }],
    ['b=1', { b: true }],
    ['b=on', { b: true }],
    ['b=false', { b: false }],
    ['b=0', { b: false }],
    ['b=off', { b: false }],
    ['s=true', { s: 'true' }],
    ['s=1', { s: '1' }],
    ['s=', { s: '' }],
    ['s=a+b%20c', { s: 'a b c' }],
    ['list=1&list=2', { list: [1, 2] }],
    ['list=1', { list: [1] }],
    ['flags=on&flags=0', { flags: [true, false] }],
    ['size=m', { size: 'm' }],
    ['one=1', { one: 1 }],
    ['one=two', { one: 'two' }],
    ['one=true', { one: true }],
    ['either=5', { either: 5 }],
    ['either=on', { either: true }],
    ['either=five', { either: 'five' }],
    ['none=null', { none: null }],
    ['maybe=3', { maybe: 3 }],
    ['day=2024-02-29', { day: '2024-02-29T00:00:00.000Z' }],
    ['big=9007199254740993', { big: '9007199254740993n' }],
    ['limit=3', { limit: 3 }],
    ['unknown=1', {}],
    ['', {}],
  ])('%s is read by the schema', async (query, expected) => {
    const answer = await get(`/all?${query}`)
    expect(answer.status).toBe(200)
    expect(answer.json).toEqual({ limit: 10, ...expected })
  })

  test.each([
    'n=abc',
    'n=',
    'n=0x10',
    'n=Infinity',
    'n=NaN',
    'n=1_000',
    'i=1.5',
    'n=1e999',
    'b=yes',
    'b=TRUE',
    'b=',
    'size=xl',
    'one=3',
    'n=1&n=2',
    's=a&s=b',
    'list=x',
    'day=tomorrow',
  ])('%s is refused by the schema and not bent to fit', async (query) => {
    const answer = await get(`/all?${query}`)
    expect(answer.status).toBe(400)
    expect(problemOf(answer).issues?.[0]?.path[0]).toBe(query.split('=')[0])
  })

  test('an unknown key follows the schema', async () => {
    expect((await get('/strict?a=x')).json).toEqual({ a: 'x' })
    expect(problemOf(await get('/strict?zzz=1')).issues?.[0]).toMatchObject({ code: 'unrecognized_keys' })
    expect((await get('/loose?a=1&more=2&more=3')).json).toEqual({ a: 1, more: ['2', '3'] })
  })

  test('__proto__ is a key like any other, and strict schemas refuse it', async () => {
    expect((await get('/loose?a=1&__proto__=x&constructor=y')).json).toEqual({ a: 1, constructor: 'y' })
    expect((await get('/strict?__proto__=x')).status).toBe(400)
    expect(({} as Record<string, unknown>)['x']).toBeUndefined()
  })

  test('carries nested input as JSON in `input`', async () => {
    expect((await get(`/nested?input=${encodeURIComponent('{"where":{"id":5}}')}`)).json).toEqual({
      where: { id: 5 },
    })
    expect((await get(`/union?input=${encodeURIComponent('{"kind":"a","n":1}')}`)).json).toEqual({
      kind: 'a',
      n: 1,
    })
    expect((await get('/scalar?input=12')).json).toBe(12)
    expect((await get(`/all?input=${encodeURIComponent('{"n":2}')}`)).json).toEqual({ n: 2, limit: 10 })
  })

  test('tells where JSON in `input` is broken', async () => {
    const answer = await get('/scalar?input=%7B%22a')
    expect(answer.status).toBe(400)
    expect(problemOf(answer).detail).toMatch(/query parameter "input" is not valid JSON.* column 4/)
  })

  test('leaves `input` alone where the schema has a field of that name', async () => {
    expect((await get('/hasInput?input=plain')).json).toEqual({ input: 'plain' })
  })

  test('reads the fields of an intersection', async () => {
    expect((await get('/both?a=1&b=off')).json).toEqual({ a: 1, b: false })
  })

  test('is ignored by a procedure without input', async () => {
    expect((await get('/nothing?a=1')).json).toBe('undefined')
  })

  test('is an empty object for a schema with fields when there is none', async () => {
    expect((await get('/maybeObject')).json).toEqual({})
  })
})

test('the user’s schema is not touched by a GET: tRPC goes on refusing the text it refused before', async () => {
  const input = z.object({ n: z.number(), on: z.boolean() })
  const { get, call } = await serve({ typed: echo(input) })
  const refused = { n: '5', on: 'true' }
  expect((await call('/trpc/typed', refused)).status).toBe(405)
  const before = await get(`/trpc/typed?input=${encodeURIComponent(JSON.stringify(refused))}`)
  expect(before.status).toBe(400)
  expect((await get('/typed?n=5&on=true')).json).toEqual({ n: 5, on: true })
  const after = await get(`/trpc/typed?input=${encodeURIComponent(JSON.stringify(refused))}`)
  expect(after.text).toBe(before.text)
  expect((await call('/typed', refused)).status).toBe(400)
  expect(input.safeParse(refused).success).toBe(false)
})

describe('meta.rest', async () => {
  const { get, call, send } = await serve({
    search: procedure.query({
      input: z.strictObject({
        category: z.string(),
        query: z.string(),
        limit: z.int().default(10),
        page: z.int().optional(),
      }),
      output: z.unknown(),
      meta: { rest: { method: 'GET', path: '/search/{category}', in: { page: 'query:p' } } },
      handler: ({ input }) => input,
    }),
    put: procedure.mutation({
      input: z.object({
        id: z.int(),
        name: z.string(),
        token: z.string(),
        session: z.string().optional(),
        dry: z.boolean().optional(),
      }),
      output: z.unknown(),
      meta: {
        rest: {
          method: 'PUT',
          path: '/things/{id}',
          in: { token: 'header:X-Token', session: 'cookie:sid', dry: 'query:dry' },
        },
      },
      handler: ({ input }) => input,
    }),
    create: procedure.mutation({
      input: z.object({ name: z.string() }),
      output: z.object({ id: z.int() }),
      meta: { rest: { method: 'POST', path: '/things', status: 201 } },
      handler: () => ({ id: 1 }),
    }),
    touch: procedure.mutation({
      input: z.void(),
      output: z.void(),
      meta: { rest: { method: 'PATCH', status: 202 } },
      handler: () => undefined,
    }),
    form: procedure.mutation({
      input: z.object({ n: z.number(), tags: z.array(z.string()) }),
      output: z.unknown(),
      meta: { rest: { body: 'form' } },
      handler: ({ input }) => input,
    }),
  })

  test('replaces the default route', async () => {
    expect((await call('/search', {})).status).toBe(404)
    expect((await call('/create', { name: 'x' })).status).toBe(404)
  })

  test('reads path, query and renamed query fields together, by their types', async () => {
    expect((await get('/search/books?query=python&limit=3')).json).toEqual({
      category: 'books',
      query: 'python',
      limit: 3,
    })
    expect((await get('/search/books?query=python&p=2')).json).toEqual({
      category: 'books',
      query: 'python',
      limit: 10,
      page: 2,
    })
  })

  test('takes a renamed field from its place only', async () => {
    expect((await get('/search/books?query=q&page=2')).json).toEqual({
      category: 'books',
      query: 'q',
      limit: 10,
    })
  })

  test('reads headers, cookies and the query beside a JSON body', async () => {
    const answer = await send('PUT /things/5?dry=on', {
      json: { name: 'n', token: 'from the body' },
      headers: { 'x-token': 'secret', cookie: 'a=1; sid="x%20y"; sid2=z' },
    })
    expect(answer.json).toEqual({ id: 5, name: 'n', token: 'secret', session: 'x y', dry: true })
  })

  test('never lets the body stand in for a field that comes from elsewhere', async () => {
    const answer = await send('PUT /things/5', {
      json: { id: 6, name: 'n', token: 'from the body', session: 'from the body' },
    })
    expect(answer.status).toBe(400)
    expect(problemOf(answer).issues?.map(({ path }) => path)).toEqual([['token']])
  })

  test('refuses a path parameter that its field does not take', async () => {
    const answer = await send('PUT /things/five', { json: { name: 'n' }, headers: { 'x-token': 't' } })
    expect(problemOf(answer).issues?.map(({ path }) => path[0])).toEqual(['id'])
  })

  test('gives the status of success', async () => {
    expect(await call('/things', { name: 'x' })).toMatchObject({ status: 201, text: '{"id":1}' })
    expect(await send('PATCH /touch')).toMatchObject({ status: 202, text: '' })
  })

  test('takes forms beside JSON where it says so', async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    expect((await send('POST /form', { headers, body: 'n=5&tags=a' })).json).toEqual({ n: 5, tags: ['a'] })
    expect((await call('/form', { n: 5, tags: [] })).json).toEqual({ n: 5, tags: [] })
  })
})

describe('the prefix', async () => {
  const { get, call } = await serve(
    {
      compute: {
        func1: procedure.query({
          input: z.object({ a: z.number() }),
          output: z.number(),
          handler: ({ input }) => input.a * 2,
        }),
      },
    },
    { prefix: '/api' },
  )

  test('is before every procedure and every door', async () => {
    expect((await call('/api/compute/func1', { a: 5 })).json).toBe(10)
    expect((await get('/api/trpc/compute.func1?input=%7B%22a%22%3A5%7D')).json).toEqual({
      result: { data: 10 },
    })
    expect((await get('/api/openapi.json')).status).toBe(200)
    expect((await get('/api/docs')).status).toBe(200)
  })

  test('leaves nothing at the path without it', async () => {
    for (const path of ['/compute/func1', '/openapi.json', '/docs', '/trpc/compute.func1'])
      expect((await get(path)).status).toBe(404)
  })

  test('is not before the probes', async () => {
    expect((await get('/healthz')).json).toEqual({ status: 'ok' })
    expect((await get('/readyz')).status).toBe(200)
    expect((await get('/api/healthz')).status).toBe(404)
  })
})

describe('the routes option', async () => {
  const { get } = await serve(
    { add: echo(z.object({ a: z.number() })) },
    { routes: { docs: false, openapi: '/_spec.json', trpc: '/rpc', healthz: '/alive' } },
  )

  test('moves a route of Errand’s own', async () => {
    expect((await get('/_spec.json')).status).toBe(200)
    expect((await get('/rpc/add?input=%7B%22a%22%3A5%7D')).json).toEqual({ result: { data: { a: 5 } } })
    expect((await get('/alive')).status).toBe(200)
  })

  test('turns one off', async () => {
    for (const path of ['/docs', '/openapi.json', '/trpc/add', '/healthz'])
      expect((await get(path)).status).toBe(404)
  })
})

describe('two things at one place', () => {
  const at = (method: 'GET' | 'POST', path: string) =>
    procedure.mutation({
      input: z.object({ id: z.string(), name: z.string() }),
      output: z.void(),
      meta: { rest: { method, path } },
      handler: () => undefined,
    })

  test('stop the start, with both names', () => {
    expect(() => createApp({ one: at('POST', '/x'), two: at('POST', '/x') })).toThrow(
      /two: POST \/x is also the route of one/,
    )
  })

  test('stop the start when only the names of their parameters differ', () => {
    expect(() => createApp({ one: at('POST', '/x/{id}'), two: at('POST', '/x/{name}') })).toThrow(
      /two: POST \/x\/\{name\} is also the route of one/,
    )
  })

  test('may differ by method', () => {
    expect(() => createApp({ one: at('POST', '/x/{id}'), two: at('GET', '/x/{name}') })).not.toThrow()
  })

  test('stop the start when one of them is Errand’s own', () => {
    expect(() => createApp({ docs: echo(z.object({})) })).toThrow(
      /docs: GET \/docs is also the route of routes\.docs/,
    )
    expect(() => createApp({ docs: echo(z.object({})) }, { routes: { docs: false } })).not.toThrow()
  })

  test('stop the start when a procedure would take a path from the tRPC door', () => {
    expect(() => createApp({ trpc: { add: echo(z.object({})) }, add: echo(z.object({})) })).toThrow(
      /trpc\.add: .* routes\.trpc/,
    )
  })
})
