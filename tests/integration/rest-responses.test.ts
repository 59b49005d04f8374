/** What goes back: JSON, nothing, files, streams, and answers a handler made itself. */
import { PassThrough, Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { createProcedure, procedure, ProcedureError, stream, type ContextRequest } from 'errand'
import { z } from 'zod'
import { problemOf } from '../support/http.ts'
import { openRaw } from '../support/raw.ts'
import { serve } from '../support/serve.ts'
import { until } from '../support/until.ts'

/** As query builders are: it has a `then` and nothing else of a promise. */
class QueryBuilder {
  readonly #value: number
  constructor(value: number) {
    this.#value = value
  }
  // oxlint-disable-next-line unicorn/no-thenable -- that is the point of it
  then(resolve: (value: number) => void): void {
    resolve(this.#value)
  }
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)

describe('a JSON output', async () => {
  const give = <S extends z.ZodType>(output: S, value: unknown) =>
    procedure.query({ input: z.void(), output, handler: () => value as never })
  const { get } = await serve({
    number: give(z.number(), 0),
    text: give(z.string(), 'é"\n'),
    nothingFound: give(z.null(), null),
    maybe: give(z.string().optional(), undefined),
    strips: give(z.object({ a: z.number() }), { a: 1, password: 'x' }),
    date: give(
      z.object({
        at: z.codec(z.iso.datetime(), z.date(), {
          decode: (s) => new Date(s),
          encode: (d) => d.toISOString(),
        }),
      }),
      { at: new Date(0) },
    ),
    anything: give(z.unknown(), { a: [1, { b: null }], c: undefined }),
    thenable: procedure.query({
      input: z.void(),
      output: z.number(),
      handler: () => new QueryBuilder(7) as unknown as Promise<number>,
    }),
    invalid: give(z.number(), 'secret text'),
    deepInvalid: give(z.object({ a: z.array(z.object({ b: z.number() })) }), {
      a: [{ b: 1 }, { b: Number.NaN }],
    }),
    notJson: give(z.unknown(), { list: [1, { when: new Date() }] }),
    infinite: give(z.unknown(), { n: Infinity }),
    bigint: give(z.any(), 1n),
    circular: give(
      z.unknown(),
      (() => {
        const self: Record<string, unknown> = {}
        return (self['self'] = self)
      })(),
    ),
    missing: give(z.string(), undefined),
  })

  test.each([
    ['/number', '0'],
    ['/text', '"é\\"\\n"'],
    ['/nothingFound', 'null'],
    ['/strips', '{"a":1}'],
    ['/date', '{"at":"1970-01-01T00:00:00.000Z"}'],
    ['/anything', '{"a":[1,{"b":null}]}'],
    ['/thenable', '7'],
  ])('%s is sent as its schema says: %s', async (path, text) => {
    expect(await get(path)).toMatchObject({ status: 200, text, type: 'application/json' })
  })

  test('that is optional and missing is 204', async () => {
    expect(await get('/maybe')).toMatchObject({ status: 204, text: '' })
  })

  test.each(['/invalid', '/deepInvalid', '/notJson', '/infinite', '/bigint', '/circular', '/missing'])(
    '%s breaks its schema: 500 OUTPUT_INVALID, with nothing of the value',
    async (path) => {
      const answer = await get(path)
      expect(answer.status).toBe(500)
      expect(problemOf(answer)).toEqual({
        type: 'about:blank',
        title: 'Internal Server Error',
        status: 500,
        code: 'OUTPUT_INVALID',
        detail: 'Internal server error',
        instance: path,
      })
    },
  )
})

test('an output that breaks its schema is logged with its place', async () => {
  const { get, logs } = await serve({
    bad: procedure.query({
      input: z.void(),
      output: z.object({ a: z.object({ b: z.number() }) }),
      handler: () => ({ a: { b: 'x' } }) as never,
    }),
  })
  await get('/bad')
  expect(logs).toMatchObject([
    {
      level: 'error',
      message: expect.stringMatching(/bad .* output schema refuses: a\.b: .*expected number/),
    },
  ])
})

test('a void output is 204 without a body and without a content type, whatever was returned', async () => {
  const { call } = await serve({
    none: procedure.mutation({ input: z.void(), output: z.void(), handler: () => undefined }),
  })
  const answer = await call('/none')
  expect(answer).toMatchObject({ status: 204, text: '', type: undefined })
  expect(answer.headers['content-length']).toBeUndefined()
})

describe('headers of the answer', async () => {
  const base = createProcedure<Pick<ContextRequest, 'responseHeaders'>>()
  const setter = (set: (headers: Headers) => void) =>
    base.query({
      input: z.string().optional(),
      output: z.string(),
      handler: ({ ctx }) => {
        set(ctx.responseHeaders)
        return 'done'
      },
    })
  const { get, logs } = await serve(
    {
      cookies: setter((headers) => {
        headers.append('set-cookie', 'a=1; Path=/')
        headers.append('set-cookie', 'b=2')
        headers.set('x-own', 'own')
      }),
      type: setter((headers) => headers.set('content-type', 'application/vnd.own+json')),
      framing: setter((headers) => {
        headers.set('content-length', '3')
        headers.set('transfer-encoding', 'chunked')
        headers.set('connection', 'upgrade')
      }),
      fails: base.query({
        input: z.void(),
        output: z.void(),
        handler: ({ ctx }) => {
          ctx.responseHeaders.set('www-authenticate', 'Bearer')
          throw new ProcedureError('UNAUTHORIZED', 'Who are you?')
        },
      }),
      echoes: base.query({
        input: z.object({ name: z.string() }),
        output: z.string(),
        handler: ({ ctx, input }) => {
          ctx.responseHeaders.set('x-name', input.name)
          return 'done'
        },
      }),
    },
    { createContext: ({ responseHeaders }) => ({ responseHeaders }) },
  )

  test('are set by a handler, each cookie on a line of its own', async () => {
    const { headers } = await get('/cookies')
    expect(headers['set-cookie']).toEqual(['a=1; Path=/', 'b=2'])
    expect(headers['x-own']).toBe('own')
    expect(headers['content-type']).toBe('application/json')
  })

  test('replace those Errand would have sent', async () => {
    expect((await get('/type')).headers['content-type']).toBe('application/vnd.own+json')
  })

  test('can not break the framing of the answer', async () => {
    const answer = await get('/framing')
    expect(answer.text).toBe('"done"')
    expect(answer.headers['content-length']).toBe('6')
    expect(answer.headers['transfer-encoding']).toBeUndefined()
  })

  test('go with an error as well', async () => {
    expect(await get('/fails')).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Bearer' } })
  })

  test('that HTTP can not carry cost that request a 500 and not the server its life', async () => {
    for (const name of ['%01', '%7F', 'a%0D%0AInjected:%201', '☃'].map((text) =>
      text === '☃' ? encodeURIComponent(text) : text,
    )) {
      const answer = await get(`/echoes?name=${name}`)
      expect(answer.status, name).toBe(500)
      expect(answer.headers['injected']).toBeUndefined()
    }
    expect(logs.filter(({ level }) => level === 'error')).toHaveLength(4)
    expect((await get('/echoes?name=fine')).headers['x-name']).toBe('fine')
  })
})

describe('bytes', async () => {
  const out = (contentType: string, make: () => unknown) =>
    procedure.query({ input: z.void(), output: stream(contentType), handler: make as never })
  const fileOut = (make: () => unknown) =>
    procedure.query({ input: z.void(), output: z.file(), handler: make as never })
  const { call, get, app, logs } = await serve({
    text: out('text/csv', () => 'a,b\n1,2\n'),
    array: out('application/octet-stream', () => Uint8Array.of(0, 255, 128)),
    generator: out('text/plain', async function* () {
      yield 'one '
      await sleep(5)
      yield bytes('two')
    }),
    web: out('text/plain', () => new Blob(['web']).stream()),
    node: out('text/plain', () => Readable.from(['no', 'de'])),
    blob: out('text/plain', () => new Blob(['blob'], { type: 'text/html' })),
    response: out(
      'text/plain',
      () => new Response('made', { status: 418, headers: { 'content-type': 'text/x-own', 'x-own': '1' } }),
    ),
    empty: out('text/plain', async function* () {}),
    file: fileOut(() => new File(['{"a":1}'], 'böse "x".json', { type: 'application/json' })),
    untyped: fileOut(() => new File(['x'], 'x')),
    fails: out('text/plain', async function* () {
      yield 'begun'
      throw new Error('broke halfway')
    }),
    failsFirst: out('text/plain', () => {
      throw new ProcedureError('NOT_FOUND', 'No such file')
    }),
    wrong: out('text/plain', () => 5),
    badResponse: out('text/plain', () => Response.error()),
  })

  test.each([
    ['/text', 'text/csv', 'a,b\n1,2\n'],
    ['/generator', 'text/plain', 'one two'],
    ['/web', 'text/plain', 'web'],
    ['/node', 'text/plain', 'node'],
    ['/blob', 'text/html', 'blob'],
    ['/empty', 'text/plain', ''],
  ])('%s is sent as %s', async (path, type, text) => {
    expect(await call(path)).toMatchObject({ status: 200, type, text })
  })

  test('are not text unless they are', async () => {
    expect([...(await call('/array')).bytes]).toEqual([0, 255, 128])
  })

  test('are a Response when the handler made one, status and headers its own', async () => {
    expect(await call('/response')).toMatchObject({
      status: 418,
      text: 'made',
      headers: { 'content-type': 'text/x-own', 'x-own': '1' },
    })
  })

  test('are a file with its type, length and name', async () => {
    const answer = await call('/file')
    expect(answer).toMatchObject({ status: 200, text: '{"a":1}', type: 'application/json' })
    expect(answer.headers['content-length']).toBe('7')
    expect(answer.headers['content-disposition']).toBe(
      "attachment; filename*=UTF-8''b%C3%B6se%20%22x%22.json",
    )
    expect((await call('/untyped')).type).toBe('application/octet-stream')
  })

  test('that fail before they begin are a problem like any other', async () => {
    expect(await call('/failsFirst')).toMatchObject({ status: 404, type: 'application/problem+json' })
  })

  test('that break halfway cut the connection, so that half is not taken for the whole, and are logged', async () => {
    await expect(call('/fails')).rejects.toThrow(/aborted|hang up|reset/i)
    await until('the log line', () => logs.some(({ message }) => message.includes('broke halfway')))
  })

  test.each(['/wrong', '/badResponse'])(
    '%s is nothing that can be sent: 500, and the server lives',
    async (path) => {
      expect((await call(path)).status).toBe(500)
      expect((await call('/text')).status).toBe(200)
    },
  )

  test('are REST only', async () => {
    expect((await get('/trpc/text')).status).toBe(404)
    expect(Object.keys((app.router as unknown as { _def: { procedures: object } })._def.procedures)).toEqual(
      [],
    )
  })
})

describe('a long stream', () => {
  const PIECE = 64 * 1024

  test('is made no faster than it is read', async () => {
    let made = 0
    const { port } = await serve({
      endless: procedure.query({
        input: z.void(),
        output: stream('text/plain'),
        handler: async function* () {
          for (;;) {
            made++
            yield new Uint8Array(PIECE)
          }
        },
      }),
    })
    const connection = await openRaw(port)
    connection.socket.pause()
    connection.write('POST /endless HTTP/1.1\r\nHost: x\r\n\r\n')
    await sleep(300)
    const buffered = made
    await sleep(200)
    expect(made).toBe(buffered)
    expect(made * PIECE).toBeLessThan(64 * 1024 ** 2)
    connection.socket.destroy()
  })

  test('does not stay in memory once it is sent', async () => {
    const PIECES = 6000
    const { url } = await serve({
      long: procedure.query({
        input: z.void(),
        output: stream('application/octet-stream'),
        handler: async function* () {
          for (let at = 0; at < PIECES; at++) yield new Uint8Array(PIECE)
        },
      }),
    })
    const response = await fetch(`${url}/long`, { method: 'POST' })
    let received = 0
    let most = 0
    for await (const chunk of response.body as AsyncIterable<Uint8Array>) {
      received += chunk.length
      most = Math.max(most, process.memoryUsage().arrayBuffers)
    }
    expect(received).toBe(PIECES * PIECE)
    // When sent pieces are kept it is more than all of it.
    expect(most).toBeLessThan((PIECES * PIECE) / 2)
  })

  test('ends when the caller hangs up', async () => {
    let ended = false
    const { url } = await serve({
      endless: procedure.query({
        input: z.void(),
        output: stream('text/plain'),
        handler: async function* () {
          try {
            for (;;) {
              yield 'x'
              await sleep(5)
            }
          } finally {
            ended = true
          }
        },
      }),
    })
    const hangUp = new AbortController()
    const response = await fetch(`${url}/endless`, { method: 'POST', signal: hangUp.signal })
    await response.body?.getReader().read()
    hangUp.abort()
    await until('the end of the generator', () => ended)
  })

  test('of Node is destroyed when the caller hangs up', async () => {
    const source = new PassThrough()
    source.write('x')
    const { url } = await serve({
      node: procedure.query({
        input: z.void(),
        output: stream('text/plain'),
        handler: () => source as never,
      }),
    })
    const hangUp = new AbortController()
    const response = await fetch(`${url}/node`, { method: 'POST', signal: hangUp.signal })
    await response.body?.getReader().read()
    hangUp.abort()
    await until('the end of the stream', () => source.destroyed)
  })
})
