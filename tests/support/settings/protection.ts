/** The settings of what one request, one caller and all of them together may take. */
import { expect } from 'vitest'
import { createApp, createProcedure } from 'errand'
import { z } from 'zod'
import { exchange, openRaw, parseRaw, statusesIn } from '../raw.ts'
import { startRedis } from '../servers/redis.ts'
import { bareApp, served, statusOf, type Effect, type Effects } from './effect.ts'

const KEPT = 'GET /echo HTTP/1.1\r\nHost: x\r\n\r\n'
const GET = KEPT.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n')
const POST = 'POST /note HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n['

/** What a raw request gets. */
const raw = (text: string) => (): Promise<number> =>
  served(async ({ port }) => parseRaw(await exchange(port, text)).status)

const withHeaders = (count: number, length = 1): string =>
  GET.replace(
    'Host',
    `${Array.from({ length: count }, (_, n) => `X-${n}: ${'x'.repeat(length)}\r\n`).join('')}Host`,
  )

/** The status of a second connection beside an open one. */
const besideAnother = (): Promise<number> =>
  served(async ({ port }) => {
    const first = await openRaw(port)
    first.write(KEPT)
    await first.until((text) => text !== '')
    const { status } = parseRaw(await exchange(port, GET))
    first.socket.destroy()
    return status
  })

const ofStream = (): Promise<number> =>
  served(async ({ port }) => {
    const connection = await openRaw(port)
    connection.write('GET /ticks HTTP/1.1\r\nHost: x\r\n\r\n')
    const text = await connection.until((received) => received.includes('\r\n\r\n'))
    connection.socket.destroy()
    return parseRaw(text).status
  })

/** Whether a server ends the connection of somebody who takes nothing. */
const untaken = (): Promise<boolean> =>
  served(async ({ port }) => {
    const connection = await openRaw(port)
    connection.socket.pause()
    connection.write('GET /big HTTP/1.1\r\nHost: x\r\n\r\n')
    const { socket } = connection
    const ended = new Promise<boolean>((resolve) =>
      socket.once('error', () => resolve(true)).once('close', () => resolve(true)),
    )
    // What is written to a connection that has ended comes back as an error; nothing tells us before.
    const poking = setInterval(() => socket.writable && socket.write('x'), 50)
    const result = await ended
    clearInterval(poking)
    return result
  })

const keptAs = (): Promise<string | undefined> =>
  served(async ({ port }) => {
    const connection = await openRaw(port)
    connection.write(KEPT)
    const text = await connection.until((received) => statusesIn(received).length === 1)
    connection.socket.destroy()
    return /keep-alive: (timeout=\d+)/i.exec(text)?.[1]
  })

/** Two calls that block the event loop, and a third after each of them has. */
const whileBusy = (): Promise<boolean> =>
  served(async ({ url }) => {
    const call = async (path: string) => (await fetch(url + path, { method: 'POST' })).status
    const statuses = await Promise.all(Array.from({ length: 12 }, () => call('/burn')))
    return statuses.includes(503)
  })

const twoCalls = async (): Promise<number> => {
  const app = bareApp()
  await app.fetch(new Request('http://x/echo', { method: 'POST' }))
  return statusOf('/echo', { method: 'POST' }, app)
}

const open = createProcedure<{ from: string | null }>()
const whoAsks = (): Promise<unknown> =>
  served(
    async ({ url }) => (await fetch(`${url}/from`, { headers: { 'x-forwarded-for': '203.0.113.7' } })).json(),
    createApp(
      {
        from: open.query({ input: z.void(), output: z.string().nullable(), handler: ({ ctx }) => ctx.from }),
      },
      {
        createContext: ({ remoteAddress }) => ({ from: remoteAddress ?? null }),
        logger: { error: () => {}, warn: () => {}, info: () => {} },
      },
    ) as never,
  )

/** The calls of two processes, as far as a Redis knows. */
const counted = (): Promise<number> =>
  served(() => served(({ url }) => fetch(`${url}/echo`, { method: 'POST' }).then(() => 0))).then(() =>
    served(async ({ url }) => (await fetch(`${url}/echo`, { method: 'POST' })).status),
  )

const limit = (text: string, look: Effect['look'], without: unknown, with_: unknown): Effect => ({
  text,
  look,
  without,
  with: with_,
})

export const PROTECTION: Effects = {
  bodyLimit: limit(
    '10',
    () =>
      statusOf('/note', {
        method: 'POST',
        body: '"longer than ten"',
        headers: { 'content-type': 'application/json' },
      }),
    200,
    413,
  ),
  'limits.url': limit('40', () => statusOf(`/echo?input=${'1'.repeat(10)}&x=${'1'.repeat(40)}`), 200, 414),
  'limits.queryFields': limit('1', () => statusOf('/echo?a=1&b=1'), 200, 414),
  'limits.headers': limit('5', raw(withHeaders(6)), 200, 431),
  'limits.headerSize': {
    ...limit('300', raw(withHeaders(1, 400)), 200, 431),
    beside: { ERRAND_LIMITS_URL: '100' },
  },
  'limits.headersTimeout': { text: '100ms', look: raw('GET /echo HTTP/1.1\r\n'), with: 408 },
  'limits.requestTimeout': {
    text: '200ms',
    beside: { ERRAND_LIMITS_HEADERS_TIMEOUT: '100ms' },
    look: raw(POST),
    with: 408,
  },
  'limits.answerTimeout': { text: '100ms', look: untaken, with: true },
  'limits.keepAliveTimeout': limit('9s', keptAs, 'timeout=5', 'timeout=9'),
  'limits.connections': limit('1', besideAnother, 200, 503),
  'limits.connectionsPerAddress': limit('1', besideAnother, 200, 429),
  'limits.streams': limit('0', ofStream, 200, 503),
  'limits.streamsPerCaller': limit('0', ofStream, 200, 429),
  'limits.eventLoopDelay': { ...limit('50ms', whileBusy, false, true), beside: { NODE_ENV: 'test' } },
  'rateLimit.limit': limit('1/1m', twoCalls, 200, 429),
  'rateLimit.store': {
    text: async () => (await startRedis()).url(),
    beside: { ERRAND_RATE_LIMIT: '1/1m' },
    look: counted,
    without: 200,
    with: 429,
  },
  trustProxy: limit('1', whoAsks, expect.stringContaining('127.0.0.1'), '203.0.113.7'),
}
