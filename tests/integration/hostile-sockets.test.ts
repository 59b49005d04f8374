/** Connections that don't keep to HTTP: what is not a request is refused, and what is hidden in one is never run. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { procedure } from 'errand'
import { z } from 'zod'
import { exchange, openRaw, parseRaw, statusesIn, type RawConnection } from '../support/raw.ts'
import { serve } from '../support/serve.ts'
import { until } from '../support/until.ts'

const calls: string[] = []

const api = await serve({
  note: procedure.mutation({
    input: z.unknown(),
    output: z.unknown(),
    handler: ({ input }) => {
      calls.push(JSON.stringify(input) ?? 'undefined')
      return input ?? null
    },
  }),
  secret: procedure.mutation({
    input: z.unknown(),
    output: z.string(),
    handler: () => {
      calls.push('SMUGGLED')
      return 'smuggled'
    },
  }),
  after: procedure.query({
    input: z.object({ ms: z.int() }),
    output: z.int(),
    handler: ({ input }) => sleep(input.ms, input.ms),
  }),
})

const post = (body: string, extra = '', path = '/note'): string =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${extra}\r\n${body}`

const SMUGGLED = post('{}', '', '/secret')

afterEach(async () => {
  expect(calls).not.toContain('SMUGGLED')
  calls.length = 0
  expect((await api.get('/after?ms=0')).status).toBe(200)
  expect(api.logs.splice(0)).toEqual([])
})

describe('a length that is not the length', () => {
  test('too long, and the caller is gone: the handler never sees half a body', async () => {
    const connection = await openRaw(api.port)
    connection.write(
      'POST /note HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"a":1}',
    )
    await sleep(30)
    connection.socket.destroy()
    await sleep(50)
    expect(calls).toEqual([])
  })

  test('too long, and the caller has ended his half: refused', async () => {
    const connection = await openRaw(api.port)
    connection.write(
      'POST /note HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"a":1}',
    )
    connection.end()
    await connection.closed()
    connection.socket.destroy()
    expect(calls).toEqual([])
    expect(statusesIn(connection.received()).filter((status) => status < 400)).toEqual([])
  })

  test('too short: what is left over is no request, and the connection ends', async () => {
    const text = await exchange(
      api.port,
      'POST /note HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 7\r\n\r\n{"a":1}GARBAGE\r\n\r\n',
    )
    expect(statusesIn(text).at(-1)).toBe(400)
    expect(calls).toEqual(['{"a":1}'])
  })
})

describe('a request that two servers would cut differently', () => {
  const chunked = (extra: string, body: string): string =>
    `POST /note HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n${extra}\r\n${body}`
  test.each<[string, string]>([
    [
      'both a length and chunks',
      chunked('Content-Length: 4\r\nTransfer-Encoding: chunked\r\n', `0\r\n\r\n${SMUGGLED}`),
    ],
    [
      'chunks and then a length',
      chunked('Transfer-Encoding: chunked\r\nContent-Length: 0\r\n', `5\r\nhello\r\n0\r\n\r\n${SMUGGLED}`),
    ],
    ['two lengths', chunked('Content-Length: 2\r\nContent-Length: 0\r\n', `{}${SMUGGLED}`)],
    ['a list of lengths', chunked('Content-Length: 2, 2\r\n', `{}${SMUGGLED}`)],
    ['a length with a sign', chunked('Content-Length: +2\r\n', `{}${SMUGGLED}`)],
    ['a length below zero', chunked('Content-Length: -1\r\n', SMUGGLED)],
    ['a length in hexadecimal', chunked('Content-Length: 0x2\r\n', `{}${SMUGGLED}`)],
    ['a length beyond all numbers', chunked(`Content-Length: ${'9'.repeat(30)}\r\n`, SMUGGLED)],
    ['an unknown encoding', chunked('Transfer-Encoding: xchunked\r\n', `0\r\n\r\n${SMUGGLED}`)],
    ['chunked, but not last', chunked('Transfer-Encoding: chunked, identity\r\n', `0\r\n\r\n${SMUGGLED}`)],
    [
      'chunked twice',
      chunked('Transfer-Encoding: chunked\r\nTransfer-Encoding: cow\r\n', `0\r\n\r\n${SMUGGLED}`),
    ],
    ['a space before the colon', chunked('Transfer-Encoding : chunked\r\n', `0\r\n\r\n${SMUGGLED}`)],
    ['a folded header', chunked('X: a\r\n b\r\nTransfer-Encoding:\r\n chunked\r\n', `0\r\n\r\n${SMUGGLED}`)],
    ['a chunk size that is none', chunked('Transfer-Encoding: chunked\r\n', `zz\r\n${SMUGGLED}`)],
    ['a chunk size below zero', chunked('Transfer-Encoding: chunked\r\n', `-1\r\n${SMUGGLED}`)],
    [
      'a chunk size beyond all numbers',
      chunked('Transfer-Encoding: chunked\r\n', `fffffffffffffffff\r\n${SMUGGLED}`),
    ],
    [
      'a chunk that is longer than it says',
      chunked('Transfer-Encoding: chunked\r\n', `2\r\n{}XX\r\n0\r\n\r\n${SMUGGLED}`),
    ],
    [
      'line ends of one character',
      `POST /note HTTP/1.1\nHost: x\nContent-Type: application/json\nContent-Length: 0\n\n${SMUGGLED}`,
    ],
    [
      'a carriage return in a header',
      chunked(`X: a\rTransfer-Encoding: chunked\r\n`, `0\r\n\r\n${SMUGGLED}`),
    ],
    ['a zero byte in a header', chunked('X: a\0b\r\n', SMUGGLED)],
    ['the same length twice', chunked('Content-Length: 2\r\nContent-Length: 2\r\n', `{}${SMUGGLED}`)],
    ['a length after a space', chunked('Content-Length : 2\r\n', `{}${SMUGGLED}`)],
    ['a length with a fraction', chunked('Content-Length: 2.0\r\n', `{}${SMUGGLED}`)],
    ['a length with words', chunked('Content-Length: 2 bytes\r\n', `{}${SMUGGLED}`)],
    ['chunks in quotes', chunked('Transfer-Encoding: "chunked"\r\n', `0\r\n\r\n${SMUGGLED}`)],
    [
      'chunks behind a tab that is none',
      chunked('Transfer-Encoding:\x0bchunked\r\n', `0\r\n\r\n${SMUGGLED}`),
    ],
    ['chunks of chunks', chunked('Transfer-Encoding: chunked, chunked\r\n', `0\r\n\r\n${SMUGGLED}`)],
    [
      'a chunk size with a sign',
      chunked('Transfer-Encoding: chunked\r\n', `+2\r\n{}\r\n0\r\n\r\n${SMUGGLED}`),
    ],
    [
      'a chunk size that says hexadecimal',
      chunked('Transfer-Encoding: chunked\r\n', `0x2\r\n{}\r\n0\r\n\r\n${SMUGGLED}`),
    ],
    [
      'a chunk size after a space',
      chunked('Transfer-Encoding: chunked\r\n', ` 2\r\n{}\r\n0\r\n\r\n${SMUGGLED}`),
    ],
    [
      'a chunk size that ends in one character',
      chunked('Transfer-Encoding: chunked\r\n', `2\n{}\r\n0\r\n\r\n${SMUGGLED}`),
    ],
    [
      'a chunk that ends in one character',
      chunked('Transfer-Encoding: chunked\r\n', `2\r\n{}\n0\r\n\r\n${SMUGGLED}`),
    ],
    [
      'a chunk extension with a line end in it',
      chunked('Transfer-Encoding: chunked\r\n', `2;a=b\nx\r\n{}\r\n0\r\n\r\n${SMUGGLED}`),
    ],
    ['a header without a name', chunked(': a\r\n', SMUGGLED)],
    ['a header without a colon', chunked('X\r\n', SMUGGLED)],
    ['a header name with a space', chunked('X Y: a\r\n', SMUGGLED)],
    [
      'a first header that is folded',
      `POST /note HTTP/1.1\r\n Host: x\r\nContent-Length: 0\r\n\r\n${SMUGGLED}`,
    ],
    [
      'a carriage return after the line',
      `POST /note HTTP/1.1\r\r\nHost: x\r\nContent-Length: 0\r\n\r\n${SMUGGLED}`,
    ],
    [
      'HTTP/1.0 with chunks',
      `POST /note HTTP/1.0\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\nContent-Length: 2\r\n\r\n{}${SMUGGLED}`,
    ],
  ])('is refused by the parser: %s', async (_, text) => {
    const answers = statusesIn(await exchange(api.port, text, 2000))
    expect(answers.at(-1)).toBe(400)
    expect(calls).toEqual([])
  })

  test('is none when the body only looks like another request', async () => {
    const text = await exchange(api.port, post(JSON.stringify(SMUGGLED), 'Connection: close\r\n'))
    expect(statusesIn(text)[0]).toBe(200)
    expect(calls).toHaveLength(1)
  })

  test('is none when a GET has a body', async () => {
    const body = SMUGGLED
    const text = await exchange(
      api.port,
      `GET /after?ms=0 HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}GET /after?ms=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`,
    )
    expect(statusesIn(text)).toEqual([200, 200])
  })
})

describe('what is not HTTP', () => {
  test.each<[string, string | Uint8Array, number[]]>([
    ['noise', Uint8Array.from({ length: 500 }, (_, index) => (index * 7919) % 256), [400]],
    ['a TLS hello', Uint8Array.of(0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03), [400]],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', [400, 505]],
    ['HTTP/0.9', 'GET /\r\n\r\n', [400, 404]],
    ['HTTP/3.7', 'GET / HTTP/3.7\r\n\r\n', [400, 505]],
    ['an unknown method', 'BREW /note HTTP/1.1\r\nHost: x\r\n\r\n', [400]],
    ['a method in small letters', 'post /note HTTP/1.1\r\nHost: x\r\n\r\n', [400]],
    ['no host', 'POST /note HTTP/1.1\r\nContent-Length: 0\r\n\r\n', [400]],
    ['a space in the path', 'GET /a b HTTP/1.1\r\nHost: x\r\n\r\n', [400]],
    ['headers larger than any', `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`, [431]],
    ['a path longer than any', `GET /${'x'.repeat(20_000)} HTTP/1.1\r\nHost: x\r\n\r\n`, [414, 431]],
  ])('is refused: %s', async (_, text, statuses) => {
    const { status } = parseRaw(await exchange(api.port, text, 2000))
    expect(statuses).toContain(status)
    expect(calls).toEqual([])
  })

  test('is answered where it is HTTP after all: OPTIONS *, a proxy’s request, TRACE, HTTP/1.0', async () => {
    const ask = async (text: string): Promise<number> =>
      parseRaw((await exchange(api.port, text)).replace('HTTP/1.0', 'HTTP/1.1')).status
    expect(await ask('OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')).toBe(404)
    expect(
      await ask('GET http://x.example/after?ms=0 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'),
    ).toBe(200)
    expect(await ask('GET http://x.example HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')).toBe(404)
    expect(await ask('TRACE /note HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')).toBe(405)
    expect(await ask('GET /after?ms=0 HTTP/1.0\r\n\r\n')).toBe(200)
    expect(
      await ask('POST /note HTTP/1.0\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}'),
    ).toBe(200)
  })

  test('is dropped when it asks for a tunnel, and a WebSocket is none here', async () => {
    expect(
      statusesIn(
        await exchange(api.port, 'CONNECT example.org:443 HTTP/1.1\r\nHost: x\r\n\r\n', 1000),
      ).filter((status) => status < 400),
    ).toEqual([])
    const upgrade =
      'GET /after?ms=0 HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: eHh4eHh4eHh4eHh4eHh4eA==\r\n\r\n'
    expect(parseRaw(await exchange(api.port, upgrade, 500)).status).toBe(200)
  })
})

describe('a request without a body', () => {
  test.each([
    ['without any length', 'POST /note HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'],
    [
      'with a media type and no length',
      'POST /note HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n',
    ],
    [
      'with a length of zero',
      'POST /note HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n',
    ],
    [
      'with no chunks',
      'POST /note HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\n',
    ],
  ])('is answered at once: %s', async (_, text) => {
    expect(parseRaw(await exchange(api.port, text))).toMatchObject({ status: 200, body: 'null' })
    expect(calls).toEqual(['undefined'])
  })
})

describe('many requests on one connection', () => {
  test('of HTTP/1.0 are one, unless they ask to keep it, and then as many as they like', async () => {
    const one = 'GET /after?ms=0 HTTP/1.0\r\n\r\n'
    // What comes after the end is no HTTP, and may be told so before the answer is ready.
    expect(['200', '400']).toContain(statusesIn(await exchange(api.port, one + one)).join())
    const kept = 'GET /after?ms=0 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n'
    const text = await exchange(api.port, kept + kept + one)
    expect(statusesIn(text)).toEqual([200, 200, 200])
    expect(text.match(/^connection: (\S+)/gim)).toEqual([
      'Connection: keep-alive',
      'Connection: keep-alive',
      'Connection: close',
    ])
  })

  test('are not taken after one that is broken', async () => {
    const broken = 'GET /after?ms=0 HTTP/1.1\r\nHost x\r\n\r\n'
    const text = await exchange(api.port, post('1') + broken + SMUGGLED)
    expect(statusesIn(text).at(-1)).toBe(400)
    expect(calls).toEqual(['1'])
  })

  test('sent before any answer come back in their order, slow ones and refused ones among them', async () => {
    const requests = Array.from({ length: 30 }, (_, index) => {
      const last = index === 29 ? 'Connection: close\r\n' : ''
      return index % 3 === 0
        ? `GET /after?ms=${30 - index} HTTP/1.1\r\nHost: x\r\n${last}\r\n`
        : index % 3 === 1
          ? post('{broken', last)
          : post(String(index), last)
    })
    const text = await exchange(api.port, requests.join(''))
    expect(statusesIn(text)).toEqual(Array.from({ length: 30 }, (_, index) => (index % 3 === 1 ? 400 : 200)))
    expect(calls).toEqual(Array.from({ length: 10 }, (_, index) => String(index * 3 + 2)))
  })

  test('end with one whose body is too large, which takes nothing after it', async () => {
    const large = `POST /note HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9999999\r\n\r\n${'x'.repeat(1000)}`
    const text = await exchange(api.port, post('1') + large + SMUGGLED, 3000)
    expect(statusesIn(text)).toEqual([200, 413])
    expect(calls).toEqual(['1'])
  })
})

describe('a slow caller', () => {
  test('gets his answer when his body is complete, and nobody waits for him', async () => {
    const connection = await openRaw(api.port)
    connection.write(
      'POST /note HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\nConnection: close\r\n\r\n',
    )
    for (const letter of '"letters"') {
      connection.write(letter)
      expect((await api.get('/after?ms=0')).status).toBe(200)
      await sleep(5)
    }
    await connection.closed()
    expect(parseRaw(connection.received())).toMatchObject({ status: 200, body: '"letters"' })
  })

  test('who sends his head letter by letter is served too', async () => {
    const connection = await openRaw(api.port)
    for (const letter of 'GET /after?ms=1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n') {
      connection.write(letter)
      await sleep(1)
    }
    await connection.closed()
    expect(parseRaw(connection.received()).status).toBe(200)
  })

  test('who ends his half is taken for one who hung up, as Node takes him', async () => {
    const connection = await openRaw(api.port)
    connection.write('GET /after?ms=80 HTTP/1.1\r\nHost: x\r\n\r\n')
    connection.end()
    await connection.closed()
    connection.socket.destroy()
    expect(connection.received()).toBe('')
  })

  test('who is gone before the answer costs nothing', async () => {
    const connections = await Promise.all(Array.from({ length: 20 }, () => openRaw(api.port)))
    for (const { write } of connections) write('GET /after?ms=50 HTTP/1.1\r\nHost: x\r\n\r\n')
    await sleep(10)
    for (const { socket } of connections) socket.resetAndDestroy()
    await sleep(80)
  })
})

test('hundreds of connections that say nothing keep nobody from being served, nor the server from closing', async () => {
  const { port, get, app } = await serve({
    ping: procedure.query({ input: z.void(), output: z.string(), handler: () => 'pong' }),
  })
  const idle: RawConnection[] = []
  for (let count = 0; count < 300; count++) idle.push(await openRaw(port))
  for (const connection of idle.slice(0, 100)) connection.write('GET /ping HTTP/1.1\r\nHost: x\r\n\r\n')
  await until('the answers', () =>
    idle.slice(0, 100).every((connection) => connection.received().includes('pong')),
  )
  expect((await get('/ping')).json).toBe('pong')
  const before = performance.now()
  await app.close()
  expect(performance.now() - before).toBeLessThan(3000)
  for (const { socket } of idle) socket.destroy()
})

test(
  'a body that never comes does not keep the server from closing for long',
  { timeout: 30_000 },
  async () => {
    const { port, app } = await serve({
      note: procedure.mutation({ input: z.unknown(), output: z.void(), handler: () => undefined }),
    })
    const connection = await openRaw(port)
    connection.write(
      'POST /note HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"a":',
    )
    await sleep(50)
    const before = performance.now()
    await app.close()
    expect(performance.now() - before).toBeLessThan(15_000)
    connection.socket.destroy()
  },
)
