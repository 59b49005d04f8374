/**
 * Callers who hold on to a server, or heap up what it must hold: slowly, in crowds, in bulk. It stays up, serves whoever
 * else comes, and in the end holds what it held before. `TEST_CROWD=10000` for the long run.
 */
import { connect, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { serveChild } from '../support/child-server.ts'
import { request } from '../support/http.ts'
import { parseRaw } from '../support/raw.ts'
import { until } from '../support/until.ts'

const CROWD = Number(process.env['TEST_CROWD'] ?? 300)
const MEGABYTE = 1024 ** 2

const server = await serveChild('tests/support/apps/crowded.ts')
const { url, port } = server

const memory = async (): Promise<{ heap: number; rss: number }> =>
  (await request('GET', `${url}/memory`)).json as { heap: number; rss: number }

const isServed = async (): Promise<void> => {
  const answer = await request('POST', `${url}/echo`, { json: { still: 'there' } })
  expect(answer.json).toEqual({ still: 'there' })
}

// What it takes once, for code and caches, is taken before anybody counts.
for (let count = 0; count < 300; count++) await isServed()
const before = await memory()

afterEach(async () => {
  await isServed()
  await until(
    'the memory that there was before',
    async () => (await memory()).heap < before.heap + 12 * MEGABYTE,
    20_000,
  )
  expect(server.errors()).toBe('')
})

/** A connection and what came over it. */
interface Held {
  readonly socket: Socket
  received: string
  ended: boolean
}

const open = (text: string | Uint8Array): Promise<Held> =>
  new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' }, () => {
      socket.write(text)
      socket.off('error', reject)
      socket.on('error', () => (held.ended = true))
      resolve(held)
    })
    const held: Held = { socket, received: '', ended: false }
    socket.setEncoding('latin1')
    socket.once('error', reject)
    socket.on('data', (more: string) => {
      if (held.received.length < 10_000) held.received += more
    })
    socket.once('close', () => (held.ended = true))
  })

/** A crowd of them, some at a time: a backlog is no longer than it is. */
const crowd = async (count: number, text: string): Promise<Held[]> => {
  const all: Held[] = []
  while (all.length < count)
    all.push(
      ...(await Promise.all(Array.from({ length: Math.min(100, count - all.length) }, () => open(text)))),
    )
  return all
}

const statusOf = ({ received }: Held): number => parseRaw(received).status

const POST = 'POST /echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n'

describe('who sends very slowly', () => {
  test.each([
    ['a head', 'GET /quiet HTTP/1.1\r\n', 'X: 1\r\n'],
    ['a body', `${POST}Content-Length: 1000\r\n\r\n[`, '1'],
    ['chunks', `${POST}Transfer-Encoding: chunked\r\n\r\n`, '1\r\n1\r\n'],
  ])('%s, in a crowd, is told that it is enough', { timeout: 60_000 }, async (_, begin, drip) => {
    const all = await crowd(CROWD, begin)
    const dripping = setInterval(() => {
      for (const { socket, ended } of all) if (!ended) socket.write(drip)
    }, 250)
    await isServed()
    await until('the end of all', () => all.every(({ ended }) => ended), 30_000)
    clearInterval(dripping)
    // Who drips on when he is told may not hear it.
    const statuses = new Set(all.map(statusOf))
    statuses.delete(0)
    expect([...statuses]).toEqual([408])
  })
})

test(
  'a crowd that watches, and sees nothing, keeps nobody from being served',
  { timeout: 120_000 },
  async () => {
    const all = await crowd(CROWD, 'GET /quiet HTTP/1.1\r\nHost: x\r\n\r\n')
    await until('the first item of all', () => all.every(({ received }) => received.includes('here')), 60_000)
    for (let count = 0; count < 20; count++) await isServed()
    const during = await memory()
    const perStream = (during.rss - before.rss) / CROWD
    console.log(
      `${CROWD} idle streams: ${Math.round(perStream / 1024)} kB each (rss), heap +${Math.round((during.heap - before.heap) / MEGABYTE)} MB`,
    )
    expect(all.filter(({ ended }) => ended)).toEqual([])
    for (const { socket } of all) socket.destroy()
  },
)

describe('a body of a hundred megabytes', () => {
  const PIECE = Buffer.alloc(MEGABYTE, ' ')
  const PIECES = 100

  /** Sends it for as long as somebody takes it. */
  const pour = async (head: string, wrap: (piece: Buffer) => Uint8Array): Promise<Held> => {
    const held = await open(head)
    const piece = wrap(PIECE)
    for (let count = 0; count < PIECES && !held.ended && held.received === ''; count++) {
      held.socket.write(piece)
      await until('room for more', () => !held.socket.writableNeedDrain || held.ended || held.received !== '')
    }
    await until('an answer', () => held.ended || held.received !== '', 20_000)
    held.socket.destroy()
    return held
  }
  const asIs = (piece: Buffer): Uint8Array => piece
  const chunk = (piece: Buffer): Uint8Array =>
    Buffer.concat([Buffer.from(`${piece.length.toString(16)}\r\n`), piece, Buffer.from('\r\n')])
  const LENGTH = `Content-Length: ${PIECES * MEGABYTE}\r\n\r\n`
  const CHUNKED = 'Transfer-Encoding: chunked\r\n\r\n'
  const to = (path: string, type: string): string =>
    `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}\r\n`

  test.each<[string, string, (piece: Buffer) => Uint8Array, number]>([
    ['that says so', to('/echo', 'application/json') + LENGTH, asIs, 413],
    ['in chunks', to('/echo', 'application/json') + CHUNKED, chunk, 413],
    ['for a task', to('/work/tasks', 'application/json') + CHUNKED, chunk, 413],
    ['over tRPC', to('/trpc/echo', 'application/json') + CHUNKED, chunk, 413],
    ['in a form', to('/form', 'multipart/form-data; boundary=x') + CHUNKED, chunk, 413],
    ['of another type', to('/echo', 'text/plain') + LENGTH, asIs, 415],
    [
      'that is compressed',
      `${to('/echo', 'application/json')}Content-Encoding: gzip\r\n${LENGTH}`,
      asIs,
      415,
    ],
    ['to nowhere', to('/nowhere', 'application/json') + LENGTH, asIs, 404],
  ])('%s is refused long before its end, ten at once', async (_, head, wrap, status) => {
    const all = await Promise.all(Array.from({ length: 10 }, () => pour(head, wrap)))
    await isServed()
    // A connection that ends while somebody pours into it may take the answer with it.
    const statuses = new Set(all.map(statusOf))
    statuses.delete(0)
    expect([...statuses]).toEqual([status])
    for (const { socket } of all) expect(socket.bytesWritten).toBeLessThan(80 * MEGABYTE)
  })
})

describe('JSON that is a hundred thousand levels deep', () => {
  const DEEP = 100_000
  const BODIES = [
    ['lists', '['.repeat(DEEP) + ']'.repeat(DEEP)],
    ['lists without an end', '['.repeat(DEEP)],
    ['objects', '{"a":'.repeat(DEEP) + '1' + '}'.repeat(DEEP)],
    ['both, after something harmless', `{"a":"${'x'.repeat(1000)}","b":${'[{"c":'.repeat(DEEP / 2)}`],
  ] as const

  test.each(BODIES)('of %s is refused by every door', async (_, body) => {
    const headers = { 'content-type': 'application/json' }
    for (const path of [
      '/echo',
      '/work',
      '/work/tasks',
      '/trpc/echo',
      '/trpc/work.start',
      '/trpc/echo,echo?batch=1',
    ])
      expect((await request('POST', url + path, { headers, body })).status, path).toBe(400)
    const form = `--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n${body}\r\n--x--\r\n`
    const type = { 'content-type': 'multipart/form-data; boundary=x' }
    expect((await request('POST', `${url}/form`, { headers: type, body: form })).status).toBeLessThan(500)
  })
})

describe('a megabyte of head', () => {
  const lines = (count: number, size: number): string =>
    Array.from({ length: count }, (_, index) => `X-${index}: ${'x'.repeat(size)}\r\n`).join('')
  test.each<[string, string, readonly number[]]>([
    ['in one header', `GET /echo HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(MEGABYTE)}\r\n\r\n`, [431]],
    ['in many headers', `GET /echo HTTP/1.1\r\nHost: x\r\n${lines(1000, 1000)}\r\n`, [431]],
    ['in very many, very small headers', `GET /echo HTTP/1.1\r\nHost: x\r\n${lines(100_000, 1)}\r\n`, [431]],
    ['in cookies', `GET /echo HTTP/1.1\r\nHost: x\r\nCookie: ${'a=1; '.repeat(200_000)}\r\n\r\n`, [431]],
    ['in its path', `GET /${'x'.repeat(MEGABYTE)} HTTP/1.1\r\nHost: x\r\n\r\n`, [414]],
    ['in its query', `GET /echo?${'a&'.repeat(MEGABYTE / 2)} HTTP/1.1\r\nHost: x\r\n\r\n`, [414]],
    ['in its method', `${'G'.repeat(MEGABYTE)} / HTTP/1.1\r\nHost: x\r\n\r\n`, [400]],
    ['in the name of a header', `GET /echo HTTP/1.1\r\nHost: x\r\n${'x'.repeat(MEGABYTE)}: 1\r\n\r\n`, [431]],
    [
      'after a body, as trailers',
      `${POST}Transfer-Encoding: chunked\r\n\r\n0\r\n${lines(1000, 1000)}\r\n`,
      [200, 400, 431],
    ],
    [
      'in the extension of a chunk',
      `${POST}Transfer-Encoding: chunked\r\n\r\n1;${'x'.repeat(MEGABYTE)}\r\n1\r\n0\r\n\r\n`,
      [413],
    ],
  ])('%s is refused, fifty at once', async (_, text, expected) => {
    const all = await Promise.all(Array.from({ length: 50 }, () => open(text)))
    await until(
      'an answer to all',
      () => all.every(({ ended, received }) => ended || received !== ''),
      20_000,
    )
    // A connection that ends while somebody sends may take the answer with it.
    const statuses = [...new Set(all.map(statusOf))].filter((status) => status !== 0)
    expect(expected).toEqual(expect.arrayContaining(statuses))
    expect(statuses.length).toBeGreaterThan(0)
    for (const { socket } of all) socket.destroy()
  })
})
