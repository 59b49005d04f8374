/** What a server refuses of one connection, one head or one URL, and that it serves everybody else meanwhile. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createApp, procedure, stream, type AppOptions, type DeclarationError } from 'errand'
import { z } from 'zod'
import { problemOf, request } from '../support/http.ts'
import {
  exchange,
  openRaw,
  parseRaw,
  statusesIn,
  type RawAnswer,
  type RawConnection,
} from '../support/raw.ts'
import { serve } from '../support/serve.ts'
import { until } from '../support/until.ts'

const tree = {
  echo: procedure.query({ input: z.unknown(), output: z.unknown(), handler: ({ input }) => input ?? null }),
  note: procedure.mutation({
    input: z.unknown(),
    output: z.unknown(),
    handler: ({ input }) => input ?? null,
  }),
}
const serveTree = (limits: NonNullable<AppOptions['limits']>) => serve(tree, { limits })

const head = (lines: readonly string[], path = '/echo'): string =>
  `GET ${path} HTTP/1.1\r\nHost: x\r\n${lines.map((line) => `${line}\r\n`).join('')}Connection: close\r\n\r\n`

const problemIn = ({ body }: RawAnswer): unknown => JSON.parse(body)

describe('a head', async () => {
  const { port, get } = await serveTree({ url: 200, queryFields: 5, headers: 10, headerSize: 1000 })
  const ask = async (text: string): Promise<RawAnswer> => parseRaw(await exchange(port, text))

  test('of more headers than may be is 431, and of as many is not', async () => {
    const some = (count: number) => Array.from({ length: count - 2 }, (_, index) => `X-${index}: 1`)
    expect((await ask(head(some(10)))).status).toBe(200)
    const answer = await ask(head(some(11)))
    expect(answer.status).toBe(431)
    expect(problemIn(answer)).toMatchObject({ status: 431, code: 'BAD_REQUEST', instance: '/echo' })
    expect((await ask(head(some(100)))).status).toBe(431)
  })

  test('larger than may be is 431, by itself or sent piece by piece, and a problem as any other', async () => {
    const answer = await ask(head([`X: ${'x'.repeat(1000)}`]))
    expect(answer.status).toBe(431)
    expect(answer.head).toContain('application/problem+json')
    expect(problemIn(answer)).toMatchObject({
      status: 431,
      code: 'BAD_REQUEST',
      detail: 'The headers are larger than the 1000 bytes allowed here',
    })
    const connection = await openRaw(port)
    connection.write('GET /echo HTTP/1.1\r\nHost: x\r\n')
    for (let count = 0; count < 60 && connection.received() === ''; count++) {
      connection.write(`X-${count}: ${'x'.repeat(50)}\r\n`)
      await sleep(2)
    }
    await connection.closed()
    expect(parseRaw(connection.received()).status).toBe(431)
  })

  test('of a URL longer than may be is 414, as far as it was read', async () => {
    expect((await get(`/echo?input=${'1'.repeat(150)}`)).status).toBe(200)
    const answer = await get(`/echo?input=${'1'.repeat(200)}`)
    expect(problemOf(answer)).toMatchObject({ status: 414, code: 'BAD_REQUEST', instance: '/echo' })
    expect((await get(`/${'x'.repeat(300)}`)).status).toBe(414)
    expect((await ask(`GET /${'x'.repeat(2000)} HTTP/1.1\r\nHost: x\r\n\r\n`)).status).toBe(414)
  })

  test('of more fields in its query than may be is 414', async () => {
    expect((await get('/echo?a&b&c&d&e')).status).toBe(200)
    expect(problemOf(await get('/echo?a&b&c&d&e&f')).detail).toMatch(/more than the 5 fields/)
    expect((await get('/tasks?a&b&c&d&e&f')).status).toBe(414)
  })

  test('is told in its own words on the tRPC door', async () => {
    const long = '1'.repeat(200)
    expect((await get(`/trpc/echo?input=${long}`)).json).toMatchObject({
      error: { data: { code: 'BAD_REQUEST', httpStatus: 414, path: 'echo' } },
    })
    const batch = await get(`/trpc/echo,echo?batch=1&input=${long}`)
    expect(batch.status).toBe(414)
    expect(batch.json).toMatchObject([
      { error: { data: { httpStatus: 414 } } },
      { error: { data: { httpStatus: 414 } } },
    ])
  })
})

describe('a request that takes too long', async () => {
  const slow = await serveTree({ headersTimeout: 200, requestTimeout: 400 })
  const stillServes = async (): Promise<void> => expect((await slow.get('/echo')).status).toBe(200)

  test('with its head is 408, also when a byte comes now and then, and others are served meanwhile', async () => {
    const connections = await Promise.all(Array.from({ length: 50 }, () => openRaw(slow.port)))
    for (const { write } of connections) write('GET /echo HTTP/1.1\r\n')
    const dripping = setInterval(() => {
      for (const { socket } of connections) if (socket.writable) socket.write('X: 1\r\n')
    }, 50)
    await stillServes()
    await Promise.all(connections.map((connection) => connection.closed(10_000)))
    clearInterval(dripping)
    for (const { received } of connections) expect(parseRaw(received()).status).toBe(408)
    expect(problemIn(parseRaw(connections[0]?.received() as string))).toMatchObject({
      status: 408,
      code: 'TIMEOUT',
    })
    await stillServes()
  })

  test('with its body is 408, and its handler never runs', async () => {
    const connections = await Promise.all(Array.from({ length: 50 }, () => openRaw(slow.port)))
    for (const { write } of connections)
      write(
        'POST /note HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n[',
      )
    const dripping = setInterval(() => {
      for (const { socket } of connections) if (socket.writable) socket.write('1')
    }, 50)
    await stillServes()
    await Promise.all(connections.map((connection) => connection.closed(10_000)))
    clearInterval(dripping)
    for (const { received } of connections) expect(statusesIn(received())).toEqual([408])
    await stillServes()
    expect(slow.logs).toEqual([])
  })

  test('with nothing at all does not keep its connection', async () => {
    const connection = await openRaw(slow.port)
    await connection.closed(10_000)
  })
})

describe('an answer that nobody takes', () => {
  const SIZE = 20 * 1024 ** 2
  const big = {
    text: procedure.query({ input: z.void(), output: z.string(), handler: () => 'x'.repeat(SIZE) }),
    bytes: procedure.query({
      input: z.void(),
      output: stream('text/plain'),
      meta: { rest: { method: 'GET' } },
      handler: async function* () {
        for (let sent = 0; sent < SIZE; sent += 1024 ** 2) yield 'x'.repeat(1024 ** 2)
      },
    }),
    late: procedure.query({
      input: z.void(),
      output: z.string(),
      handler: async () => {
        await sleep(700)
        return 'late'
      },
    }),
  }

  test.each(['/text', '/bytes'])('ends with its connection, on anybody’s server: %s', async (path) => {
    const { app } = await serve(big, { limits: { answerTimeout: 200 } })
    const server = createServer(app.node).listen(0, '127.0.0.1')
    onTestFinished(() => void server.close())
    await once(server, 'listening')
    const connection = await openRaw((server.address() as AddressInfo).port)
    connection.socket.pause()
    connection.write(`GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`)
    const isOpen = () => promisify(server.getConnections.bind(server))()
    await until('a connection', async () => (await isOpen()) === 1)
    await until('its end', async () => (await isOpen()) === 0, 20_000)
    connection.socket.destroy()
  })

  test.each(['/text', '/bytes'])('is not one that is taken slowly: %s', async (path) => {
    const { port } = await serve(big, { limits: { answerTimeout: 1000 } })
    const connection = await openRaw(port)
    connection.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
    for (let turn = 0; turn < 8; turn++) {
      connection.socket.pause()
      await sleep(200)
      connection.socket.resume()
      await sleep(5)
    }
    await connection.closed(30_000)
    expect(connection.received().length).toBeGreaterThan(SIZE)
  })

  test('is not one that is long in coming, nor the next on its connection', async () => {
    const { port } = await serve(big, { limits: { answerTimeout: 200 } })
    const connection = await openRaw(port)
    connection.write('GET /late HTTP/1.1\r\nHost: x\r\n\r\nGET /text HTTP/1.1\r\nHost: x\r\n\r\n')
    await connection.until((text) => text.length > SIZE, 20_000)
    connection.write('GET /late HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
    await connection.closed(20_000)
    expect(statusesIn(connection.received())).toEqual([200, 200, 200])
  })
})

const isServed = (url: string): Promise<boolean> =>
  request('GET', `${url}/echo`).then(
    ({ status }) => status === 200,
    () => false,
  )

test('a connection is kept for its next request as long as was asked for, and no longer', async () => {
  const { port } = await serveTree({ keepAliveTimeout: 50 })
  const connection = await openRaw(port)
  connection.write('GET /echo HTTP/1.1\r\nHost: x\r\n\r\n')
  await connection.until((text) => statusesIn(text).length === 1)
  await connection.closed(10_000)
})

describe('connections', () => {
  const openMany = async (port: number, count: number): Promise<RawConnection[]> => {
    const connections: RawConnection[] = []
    for (let index = 0; index < count; index++) connections.push(await openRaw(port))
    return connections
  }
  const ask = (connection: RawConnection): Promise<string> => {
    connection.write('GET /echo HTTP/1.1\r\nHost: x\r\n\r\n')
    return connection.until((text) => statusesIn(text).length > 0)
  }

  test('too many get a 503 when they ask and are let go of when they don’t; those before them are served', async () => {
    const { port, url } = await serveTree({ connections: 5 })
    const [first, ...others] = await openMany(port, 5)
    const answer = await request('GET', `${url}/echo`)
    expect(problemOf(answer)).toMatchObject({ status: 503, code: 'SERVICE_UNAVAILABLE' })
    expect(answer.headers).toMatchObject({ 'retry-after': '1', connection: 'close' })
    const silent = await openRaw(port)
    await silent.closed(10_000)
    expect(statusesIn(await ask(first as RawConnection))).toEqual([200])
    for (const { socket } of others) socket.destroy()
    await until('a place', () => isServed(url))
    first?.socket.destroy()
  })

  test('beyond those and some more, nothing is accepted, and that passes', async () => {
    const { port, url } = await serveTree({ connections: 1 })
    const many = await openMany(port, 100)
    const open = await until('the end of most', () => {
      const alive = many.filter(({ socket }) => !socket.destroyed && !socket.readableEnded)
      return alive.length < 50 && alive
    })
    expect(open.length).toBeGreaterThan(0)
    for (const { socket } of many) socket.destroy()
    await until('a place', () => isServed(url))
  })

  test('too many from one address get a 429', async () => {
    const { port, url } = await serveTree({ connectionsPerAddress: 3 })
    const many = await openMany(port, 3)
    const answer = await request('GET', `${url}/echo`)
    expect(problemOf(answer)).toMatchObject({ status: 429, code: 'TOO_MANY_REQUESTS' })
    expect(answer.headers['retry-after']).toBe('1')
    for (const { socket } of many) socket.destroy()
    await until('a place', () => isServed(url))
  })
})

test('wrong limits stop the start, all at once', () => {
  const refusal = (options: object): readonly string[] => {
    try {
      createApp(tree, options)
      return []
    } catch (error) {
      return (error as DeclarationError).complaints.map(({ at, text }) => `${at}: ${text}`)
    }
  }
  expect(refusal({ limits: { url: -1, heders: 5 }, trustProxy: true, rateLimit: '5 a minute' })).toEqual([
    expect.stringMatching(/^options: option rateLimit is "5 a minute", expected a rate/),
    expect.stringMatching(/^options: option trustProxy is true, expected a whole number from 0/),
    expect.stringMatching(/^options: option limits\.url is -1/),
    expect.stringMatching(/^options: option limits\.heders is unknown/),
  ])
  expect(refusal({ rateLimit: { limit: '1/0s', stor: 1 } })).toEqual([
    expect.stringMatching(/rateLimit\.limit is "1\/0s"/),
    expect.stringMatching(/rateLimit\.stor is unknown, expected one of limit, store/),
  ])
  const secret = 'redis://user:hunter2@/0'
  for (const store of [secret, 'mysql://user:hunter2@x', 5]) {
    const problems = refusal({ rateLimit: { store } })
    expect(problems).toEqual([expect.stringMatching(/option rateLimit\.store/)])
    expect(problems.join(' ')).not.toContain('hunter2')
  }
})
