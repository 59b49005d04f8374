/** What a body may be, and what is said of one that is not. */
import { describe, expect, test } from 'vitest'
import { procedure } from 'errand'
import { z } from 'zod'
import { problemOf } from '../support/http.ts'
import { openRaw, parseRaw } from '../support/raw.ts'
import { serve } from '../support/serve.ts'

const Point = z.object({ x: z.number(), y: z.number().default(0) })

const tree = {
  point: procedure.mutation({ input: Point, output: z.unknown(), handler: ({ input }) => input }),
  any: procedure.mutation({
    input: z.unknown(),
    output: z.unknown(),
    handler: ({ input }) => input ?? 'nothing',
  }),
  loose: procedure.mutation({
    input: z.looseObject({}),
    output: z.unknown(),
    handler: ({ input }) => Object.keys(input),
  }),
  strict: procedure.mutation({
    input: z.strictObject({ a: z.number() }),
    output: z.unknown(),
    handler: ({ input }) => input,
  }),
  dictionary: procedure.mutation({
    input: z.record(z.string(), z.number()),
    output: z.unknown(),
    handler: ({ input }) => input,
  }),
  nothing: procedure.mutation({ input: z.void(), output: z.string(), handler: ({ input }) => String(input) }),
  maybe: procedure.mutation({
    input: Point.optional(),
    output: z.string(),
    handler: ({ input }) => typeof input,
  }),
  fallback: procedure.mutation({
    input: Point.default({ x: 1, y: 1 }),
    output: Point,
    handler: ({ input }) => input,
  }),
  small: procedure.mutation({
    input: z.string(),
    output: z.number(),
    meta: { bodyLimit: 100 },
    handler: ({ input }) => input.length,
  }),
  big: procedure.mutation({
    input: z.string(),
    output: z.number(),
    meta: { bodyLimit: '3mb' },
    handler: ({ input }) => input.length,
  }),
}

const JSON_TYPE = { 'content-type': 'application/json' }
const api = await serve(tree)
const sendText = (path: string, body: string | Uint8Array, headers: Record<string, string> = JSON_TYPE) =>
  api.send(`POST ${path}`, { body, headers })

describe('a JSON body', () => {
  test('is the input', async () => {
    expect((await sendText('/point', '{"x":1,"y":2}')).json).toEqual({ x: 1, y: 2 })
    expect((await sendText('/any', '[1,null,"é",{"a":false}]')).json).toEqual([1, null, 'é', { a: false }])
  })

  test.each([
    'application/json',
    'Application/JSON; charset=utf-8',
    'application/json;charset="UTF-8"',
    'application/merge-patch+json',
    ' application/json ',
  ])('has the type %s', async (type) =>
    expect((await sendText('/point', '{"x":1}', { 'content-type': type })).status).toBe(200),
  )

  test('may begin with a byte order mark', async () => {
    expect((await sendText('/any', Buffer.from('\ufeff{"a":1}'))).json).toEqual({ a: 1 })
  })

  test('may be surrounded by white space', async () => {
    expect((await sendText('/any', ' \r\n\t7 \n')).json).toBe(7)
  })

  test('may hold any text there is', async () => {
    const text = 'snow ☃ astral 𝒳 null \u0000 quote " lone \ud800 end'
    expect((await sendText('/any', JSON.stringify(text))).json).toBe(text)
  })

  test('may come in pieces that cut a character', async () => {
    const bytes = Buffer.from('"☃☃☃"')
    const body = [...bytes].map((byte) => Uint8Array.of(byte))
    expect((await api.send('POST /any', { headers: JSON_TYPE, body })).json).toBe('☃☃☃')
  })
})

describe('an empty body', () => {
  test('is undefined, whatever else the request says of it', async () => {
    for (const headers of [
      {},
      JSON_TYPE,
      { 'content-type': 'application/x-www-form-urlencoded' },
      { 'content-type': 'text/plain;charset=UTF-8' },
    ])
      expect(await sendText('/nothing', '', headers as Record<string, string>)).toMatchObject({
        status: 200,
        text: '"undefined"',
      })
  })

  test('is undefined when it is chunked too', async () => {
    expect((await api.send('POST /nothing', { headers: JSON_TYPE, body: [] })).json).toBe('undefined')
    expect(
      (await api.send('POST /nothing', { headers: { 'content-type': 'text/plain' }, body: [] })).json,
    ).toBe('undefined')
  })

  test('takes the default of the schema', async () => {
    expect((await api.call('/maybe')).json).toBe('undefined')
    expect((await api.call('/fallback')).json).toEqual({ x: 1, y: 1 })
  })

  test('is refused by a schema that wants something, and not as malformed', async () => {
    const answer = await api.call('/point')
    expect(answer.status).toBe(400)
    expect(problemOf(answer).issues).toMatchObject([{ code: 'invalid_type', path: [] }])
  })

  test('is not the same as null', async () => {
    expect((await sendText('/nothing', 'null')).status).toBe(400)
  })
})

describe('a malformed body', () => {
  test.each([
    ['{"a":x}', 'line 1, column 6'],
    ['{"a":1,}', 'line 1, column 8'],
    ['{"a":1\n,\n"b" 2}', 'line 3, column 5'],
    ['[1,2', 'line 1, column 5'],
    ['{"a":1}}', 'line 1, column 8'],
    ['"abc', 'line 1, column 5'],
    ['01', 'line 1, column 2'],
    ['nul', 'line 1, column 4'],
    ['undefined', 'line 1, column 1'],
    ["{'a':1}", 'line 1, column 2'],
    ['{"a":"\\x"}', 'line 1, column 8'],
    ['{"a":"\t"}', 'line 1, column 7'],
    [' ', 'line 1, column 2'],
    ['a=1&b=2', 'line 1, column 1'],
    ['[1,NaN]', 'line 1, column 4'],
    ['[1.e3]', 'line 1, column 4'],
    ['{"a":tru}', 'line 1, column 9'],
  ])('%j is 400 and tells the place: %s', async (body, place) => {
    const answer = await sendText('/any', body)
    expect(answer.status).toBe(400)
    expect(problemOf(answer)).toMatchObject({
      code: 'BAD_REQUEST',
      detail: `The body is not valid JSON at ${place}`,
    })
  })

  test('is not repeated in the answer', async () => {
    expect((await sendText('/any', '{"secret":"s3cr3t",}')).text).not.toContain('s3cr3t')
  })

  test.each([
    [[0x22, 0xff, 0x22]],
    [[0x22, 0xc3, 0x22]],
    [[0x22, 0xed, 0xa0, 0x80, 0x22]],
    [[0xff, 0xfe, 0x7b, 0x00, 0x7d, 0x00]],
  ])('is 400 when it is not UTF-8: %j', async (bytes) => {
    const answer = await sendText('/any', Uint8Array.from(bytes))
    expect(answer.status).toBe(400)
    expect(problemOf(answer).detail).toBe('The body is not valid UTF-8')
  })

  test('is 400 when it nests deeper than anything that walks it can bear', async () => {
    for (const depth of [257, 10_000, 500_000]) {
      const answer = await sendText('/any', '['.repeat(depth) + ']'.repeat(depth))
      expect(answer.status).toBe(400)
      expect(problemOf(answer).detail).toMatch(/nests deeper than 256 levels/)
    }
    expect((await sendText('/any', '['.repeat(256) + ']'.repeat(256))).status).toBe(200)
  })

  test('is not thought deep for its brackets in texts or side by side', async () => {
    expect((await sendText('/any', JSON.stringify('['.repeat(5000)))).status).toBe(200)
    expect((await sendText('/any', JSON.stringify(Array.from({ length: 2000 }, () => [])))).status).toBe(200)
  })
})

describe('a body of the wrong type', () => {
  test.each([
    'text/plain',
    'application/x-www-form-urlencoded',
    'multipart/form-data; boundary=x',
    'application/octet-stream',
    'application/jsonp',
    'json',
    'text/json',
  ])('%s is 415 and tells what is taken', async (type) => {
    const answer = await sendText('/any', '{}', { 'content-type': type })
    expect(answer.status).toBe(415)
    expect(problemOf(answer)).toMatchObject({
      code: 'UNSUPPORTED_MEDIA_TYPE',
      title: 'Unsupported Media Type',
    })
    expect(problemOf(answer).detail).toMatch(/expected application\/json$/)
  })

  test('is 415 when it has none', async () => {
    const answer = await sendText('/any', '{}', {})
    expect(answer.status).toBe(415)
    expect(problemOf(answer).detail).toMatch(/no content-type/)
  })
})

describe('a body that is too large', () => {
  const text = (bytes: number): string => JSON.stringify('x'.repeat(bytes - 2))

  test('is taken up to the very byte of the limit', async () => {
    expect((await sendText('/small', text(100))).json).toBe(98)
    expect((await sendText('/small', text(101))).status).toBe(413)
    expect((await sendText('/any', text(1024 ** 2))).status).toBe(200)
    expect((await sendText('/any', text(1024 ** 2 + 1))).status).toBe(413)
  })

  test('has the limit of its procedure when that has one', async () => {
    expect((await sendText('/big', text(2 * 1024 ** 2))).json).toBe(2 * 1024 ** 2 - 2)
    expect((await sendText('/big', text(3 * 1024 ** 2 + 1))).status).toBe(413)
  })

  test('is 413 by its content-length, before it is sent', async () => {
    const connection = await openRaw(api.port)
    connection.write(
      'POST /small HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 999999999\r\n\r\n',
    )
    const answer = parseRaw(await connection.until((text_) => text_.includes('allowed here')))
    expect(answer.status).toBe(413)
    expect(answer.head.toLowerCase()).toContain('connection: close')
    await connection.closed()
    connection.socket.destroy()
  })

  test('is 413 when it is chunked, and the rest is not read', async () => {
    const pieces = Array.from({ length: 50 }, () => 'x'.repeat(1000))
    const answer = await api.send('POST /small', { headers: JSON_TYPE, body: ['"', ...pieces, '"'] })
    expect(answer.status).toBe(413)
    expect(problemOf(answer)).toMatchObject({
      code: 'PAYLOAD_TOO_LARGE',
      detail: 'The body is larger than the 100 bytes allowed here',
    })
    expect(answer.headers.connection).toBe('close')
  })

  test('gets its 413 through to a client that goes on sending, every time', async () => {
    const body = Array.from({ length: 64 }, () => Buffer.alloc(64 * 1024, 0x20))
    for (let round = 0; round < 20; round++)
      expect((await api.send('POST /small', { headers: JSON_TYPE, body })).status, `round ${round}`).toBe(413)
  })

  test('leaves a server that answers the next one', async () => {
    expect((await sendText('/small', '"ok"')).json).toBe(2)
  })

  test('has the limit of the app, in bytes or in words', async () => {
    for (const bodyLimit of [2048, '2kb'] as const) {
      const { send } = await serve({ any: tree.any }, { bodyLimit })
      expect((await send('POST /any', { body: text(2048), headers: JSON_TYPE })).status).toBe(200)
      expect((await send('POST /any', { body: text(2049), headers: JSON_TYPE })).status).toBe(413)
    }
  })
})

describe('keys the schema does not know', () => {
  test('follow the schema', async () => {
    expect((await sendText('/point', '{"x":1,"more":2}')).json).toEqual({ x: 1, y: 0 })
    expect((await sendText('/strict', '{"a":1,"more":2}')).status).toBe(400)
    expect((await sendText('/loose', '{"a":1,"more":2}')).json).toEqual(['a', 'more'])
  })

  test('include __proto__, which never becomes a prototype', async () => {
    expect((await sendText('/point', '{"x":1,"__proto__":{"polluted":true}}')).json).toEqual({ x: 1, y: 0 })
    expect((await sendText('/strict', '{"a":1,"__proto__":{}}')).status).toBe(400)
    expect((await sendText('/loose', '{"a":1,"__proto__":{"polluted":true}}')).status).toBe(200)
    expect((await sendText('/dictionary', '{"a":1,"__proto__":5}')).status).toBeLessThan(500)
    const whole = await sendText(
      '/any',
      '{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}',
    )
    expect(whole.text).toBe('{"__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}')
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  })
})

test('numbers too large for a number are refused and not rounded to infinity', async () => {
  const answer = await sendText('/point', '{"x":1e999}')
  expect(answer.status).toBe(400)
  expect(problemOf(answer).issues?.[0]?.path).toEqual(['x'])
})

test('a body where none is expected does not disturb the connection', async () => {
  const connection = await openRaw(api.port)
  const get = 'GET /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello'
  connection.write(get + 'POST /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  await connection.closed()
  expect(connection.received().match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 405', 'HTTP/1.1 200'])
})
