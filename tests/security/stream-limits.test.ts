/** How many streams of events there may be: of one caller, and of all. */
import { setTimeout as sleep } from 'node:timers/promises'
import { beforeEach, describe, expect, test } from 'vitest'
import { createProcedure, inline } from 'errand'
import { initTRPC } from '@trpc/server'
import { z } from 'zod'
import { problemOf } from '../support/http.ts'
import { openRaw, parseRaw, type RawConnection } from '../support/raw.ts'
import { serve } from '../support/serve.ts'
import { taskOf } from '../support/tasks.ts'
import { until } from '../support/until.ts'

const base = createProcedure<{ user: string | null }>()
const t = initTRPC.context<{ user: string | null }>().create()

async function* ticks(signal: AbortSignal | undefined) {
  for (let n = 0; ; n++) {
    if (signal?.aborted) return
    yield n
    await sleep(10)
  }
}

const api = await serve(
  {
    ticks: base.subscription({
      input: z.object({ broken: z.boolean().default(false) }),
      output: z.int(),
      handler: ({ input, signal }) => {
        if (input.broken) throw new Error('broken')
        return ticks(signal)
      },
    }),
    three: base.subscription({
      input: z.void(),
      output: z.int(),
      handler: async function* () {
        yield* [1, 2, 3]
      },
    }),
    wait: base.task({
      input: z.void(),
      output: z.void(),
      handler: ({ signal }) => sleep(60_000, undefined, { signal }),
    }),
    plain: t.router({ ticks: t.procedure.subscription(({ signal }) => ticks(signal)) }),
  },
  {
    tasks: inline({ drainGrace: 10 }),
    limits: { streams: 4, streamsPerCaller: 2 },
    createContext: ({ headers }) => ({ user: headers.get('x-user') }),
    owner: ({ user }) => user,
  },
)
const { id } = taskOf(await api.call('/wait/tasks'))

const PATHS = [
  '/ticks',
  '/trpc/ticks?input={}',
  '/plain/ticks',
  '/trpc/plain.ticks',
  `/tasks/${id}/events`,
  `/wait/tasks/${id}/events`,
  `/trpc/wait.watch?input=${encodeURIComponent(JSON.stringify({ id }))}`,
]

const open: RawConnection[] = []

/** The status of a stream; a good one stays open. */
const watch = async (path: string, user: string, method = 'GET'): Promise<number> => {
  const connection = await openRaw(api.port)
  connection.write(
    `${method} ${path} HTTP/1.1\r\nHost: x\r\nAccept: text/event-stream\r\nX-User: ${user}\r\n\r\n`,
  )
  const begins = path.startsWith('/trpc') ? /data: \d|^id: |"httpStatus"/m : /\r\n\r\n/
  const received = await connection.until((text) => begins.test(text))
  // tRPC has begun its stream by then, and tells a failure in it.
  const failed = /"httpStatus":(\d+)/.exec(received)?.[1]
  const status = failed ? Number(failed) : parseRaw(received).status
  if (status === 200) open.push(connection)
  else connection.socket.destroy()
  return status
}

const leave = (): void => {
  for (const { socket } of open.splice(0)) socket.destroy()
}

beforeEach(async () => {
  leave()
  await until('places for all', async () => {
    const statuses = [await watch('/ticks', 'a'), await watch('/ticks', 'a'), await watch('/ticks', 'b')]
    leave()
    return statuses.every((status) => status === 200)
  })
  // What was just let go of is heard of soon.
  await until('places for all of one', async () => {
    const statuses = [await watch('/ticks', 'a'), await watch('/ticks', 'a')]
    const more = [await watch('/ticks', 'b'), await watch('/ticks', 'b')]
    leave()
    await sleep(30)
    return [...statuses, ...more].every((status) => status === 200)
  })
})

describe.each(PATHS)('%s', (path) => {
  test('is one of those that a caller may have, and is given back when he goes', async () => {
    expect([await watch(path, 'a'), await watch(path, 'a'), await watch(path, 'a')]).toEqual([200, 200, 429])
    expect(await watch(path, 'b')).toBe(200)
    leave()
    await until('a place', async () => (await watch(path, 'a')) === 200)
  })

  test('is one of those that all may have', async () => {
    expect([await watch(path, 'a'), await watch(path, 'b')]).toEqual([200, 200])
    expect([await watch(path, 'c'), await watch(path, 'd'), await watch(path, 'e')]).toEqual([200, 200, 503])
  })
})

test('a refusal says when to come back', async () => {
  for (let count = 0; count < 2; count++) await watch('/ticks', 'a')
  const answer = await api.get('/ticks', { 'x-user': 'a' })
  expect(problemOf(answer)).toMatchObject({ status: 429, code: 'TOO_MANY_REQUESTS' })
  expect(answer.headers['retry-after']).toBe('5')
})

test('streams that end, that never begin, that nobody reads and that are cut off give their place back', async () => {
  for (let count = 0; count < 10; count++) {
    expect((await api.get('/three', { 'x-user': 'a' })).status).toBe(200)
    expect((await api.get('/trpc/three', { 'x-user': 'a', accept: 'text/event-stream' })).status).toBe(200)
    expect((await api.call('/ticks', { broken: true }, { 'x-user': 'a' })).status).toBe(500)
    expect((await api.call('/ticks', { broken: 5 }, { 'x-user': 'a' })).status).toBe(400)
    expect((await api.send('HEAD /ticks', { headers: { 'x-user': 'a' } })).status).toBe(200)
    expect((await api.send(`HEAD /tasks/${id}/events`, { headers: { 'x-user': 'a' } })).status).toBe(200)
    const response = await api.app.fetch(new Request('http://x/ticks', { headers: { 'x-user': 'a' } }))
    expect(response.status).toBe(200)
    await response.body?.cancel()
  }
})

test('strangers are counted by where they come from', async () => {
  const statuses = [await watch('/ticks', ''), await watch('/ticks', ''), await watch('/ticks', '')]
  // An empty name is a name; without any header there is none.
  expect(statuses).toEqual([200, 200, 429])
  leave()
  const stranger = async (): Promise<number> => {
    const connection = await openRaw(api.port)
    connection.write('GET /ticks HTTP/1.1\r\nHost: x\r\n\r\n')
    open.push(connection)
    return parseRaw(await connection.until((text) => text.includes('\r\n\r\n'))).status
  }
  expect([await stranger(), await stranger(), await stranger()]).toEqual([200, 200, 429])
})

test('so does one whose answer could not be begun', async () => {
  const items = base.subscription({
    input: z.void(),
    output: z.int(),
    handler: async function* () {
      yield 1
    },
  })
  const { get } = await serve(
    { items },
    {
      limits: { streamsPerCaller: 1 },
      createContext: ({ headers, responseHeaders }) => {
        if (headers.has('x-odd')) responseHeaders.set('x-odd', 'no header can hold this: \u0001')
        return { user: null }
      },
    },
  )
  for (let count = 0; count < 3; count++) expect((await get('/items', { 'x-odd': '1' })).status).toBe(500)
  expect((await get('/items')).status).toBe(200)
})
