/** Subscriptions over REST: server-sent events. */
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { procedure, ProcedureError } from 'errand'
import { z } from 'zod'
import { problemOf } from '../support/http.ts'
import { serve } from '../support/serve.ts'
import { eventsIn, readEvents } from '../support/sse.ts'
import { until } from '../support/until.ts'

let running = 0
let ended = 0

const api = await serve({
  count: procedure.subscription({
    input: z.object({ to: z.int().min(0).max(1000).default(3) }),
    output: z.object({ n: z.int() }),
    handler: async function* ({ input }) {
      for (let n = 1; n <= input.to; n++) yield { n, hidden: true }
    },
  }),
  fails: procedure.subscription({
    input: z.void(),
    output: z.string(),
    errors: { GONE_BAD: { status: 410, data: z.object({ after: z.int() }) } },
    handler: async function* ({ errors }) {
      yield 'one'
      throw errors.GONE_BAD({ after: 1 })
    },
  }),
  crashes: procedure.subscription({
    input: z.void(),
    output: z.string(),
    handler: async function* () {
      yield 'one'
      throw new Error('the secret reason')
    },
  }),
  refuses: procedure.subscription({
    input: z.void(),
    output: z.string(),
    handler: async function* () {
      throw new ProcedureError('FORBIDDEN', 'Not for you')
    },
  }),
  wrongItem: procedure.subscription({
    input: z.void(),
    output: z.number(),
    handler: async function* () {
      yield 1
      yield 'two' as never
    },
  }),
  notIterable: procedure.subscription({ input: z.void(), output: z.number(), handler: () => 5 as never }),
  lines: procedure.subscription({
    input: z.void(),
    output: z.string(),
    handler: async function* () {
      yield 'a\nb\r\nc\rd\n\nevent: done'
      yield ''
    },
  }),
  dates: procedure.subscription({
    input: z.void(),
    output: z.codec(z.iso.datetime(), z.date(), {
      decode: (s) => new Date(s),
      encode: (d) => d.toISOString(),
    }),
    handler: async function* () {
      yield new Date(0)
    },
  }),
  forever: procedure.subscription({
    input: z.object({ heeds: z.boolean().default(true) }),
    output: z.int(),
    handler: async function* ({ input, signal }) {
      running++
      try {
        for (let n = 0; ; n++) {
          yield n
          await sleep(5, undefined, input.heeds ? { signal } : {})
        }
      } finally {
        running--
        ended++
      }
    },
  }),
})

describe.each([
  ['GET', (path: string) => api.get(path)],
  ['POST', (path: string) => api.call(path, path.startsWith('/count') ? {} : undefined)],
])('over %s', (_, open) => {
  test('each item is a message, as its schema says, and the last event is done', async () => {
    const answer = await open('/count')
    expect(answer).toMatchObject({ status: 200, type: 'text/event-stream' })
    expect(answer.headers).toMatchObject({
      'cache-control': 'no-cache, no-transform',
      'x-accel-buffering': 'no',
    })
    expect(eventsIn(answer.text)).toEqual([
      { event: 'message', id: undefined, data: { n: 1 } },
      { event: 'message', id: undefined, data: { n: 2 } },
      { event: 'message', id: undefined, data: { n: 3 } },
      { event: 'done', id: undefined, data: null },
    ])
  })

  test('a declared error comes as an event with its problem', async () => {
    const [item, error, ...rest] = eventsIn((await open('/fails')).text)
    expect(item).toMatchObject({ data: 'one' })
    expect(error).toEqual({
      event: 'error',
      id: undefined,
      data: {
        type: 'about:blank',
        title: 'Gone',
        status: 410,
        code: 'GONE_BAD',
        detail: 'Gone bad',
        data: { after: 1 },
        instance: '/fails',
      },
    })
    expect(rest).toEqual([])
  })

  test('an error nobody declared comes without its words', async () => {
    const answer = await open('/crashes')
    expect(eventsIn(answer.text).at(-1)).toMatchObject({
      event: 'error',
      data: { status: 500, code: 'INTERNAL_SERVER_ERROR', detail: 'Internal server error' },
    })
    expect(answer.text).not.toContain('secret')
    expect(api.logs.at(-1)).toMatchObject({
      level: 'error',
      message: 'crashes failed: Error: the secret reason',
    })
  })

  test('an error before the first item is an event as well, as the generator runs when it is read', async () => {
    expect(eventsIn((await open('/refuses')).text)).toMatchObject([
      { event: 'error', data: { status: 403, code: 'FORBIDDEN' } },
    ])
  })

  test('an item that breaks the schema ends the stream with OUTPUT_INVALID', async () => {
    expect(eventsIn((await open('/wrongItem')).text)).toMatchObject([
      { data: 1 },
      { event: 'error', data: { status: 500, code: 'OUTPUT_INVALID' } },
    ])
  })

  test('a handler that gives nothing to iterate is 500, and the log says what to write', async () => {
    expect((await open('/notIterable')).status).toBe(500)
    expect(api.logs.at(-1)?.message).toMatch(
      /notIterable is a subscription, so its handler must return an async iterable/,
    )
  })

  test('no text in an item can look like an event', async () => {
    expect(eventsIn((await open('/lines')).text).map(({ event, data }) => [event, data])).toEqual([
      ['message', 'a\nb\r\nc\rd\n\nevent: done'],
      ['message', ''],
      ['done', null],
    ])
  })

  test('items are encoded', async () => {
    expect(eventsIn((await open('/dates')).text)[0]?.data).toBe('1970-01-01T00:00:00.000Z')
  })
})

test('input in the query is read by its types, and bad input is a problem and no stream', async () => {
  expect(eventsIn((await api.get('/count?to=1')).text)).toHaveLength(2)
  const bad = await api.get('/count?to=x')
  expect(bad).toMatchObject({ status: 400, type: 'application/problem+json' })
  expect(problemOf(bad).issues).toMatchObject([{ path: ['to'] }])
})

test('items come as they are made', async () => {
  const response = await fetch(`${api.url}/forever`)
  const events = readEvents(response)
  expect((await events.next()).value).toMatchObject({ data: 0 })
  expect((await events.next()).value).toMatchObject({ data: 1 })
  await events.return()
  await until('the end of the generator', () => running === 0)
})

describe('a caller that hangs up', () => {
  test.each([true, false])('ends the generator, heeding the signal: %s', async (heeds) => {
    const before = ended
    const hangUp = new AbortController()
    const responses = await Promise.all(
      Array.from({ length: 5 }, () => fetch(`${api.url}/forever?heeds=${heeds}`, { signal: hangUp.signal })),
    )
    for (const response of responses) await response.body?.getReader().read()
    expect(running).toBe(5)
    hangUp.abort()
    await until('the end of all generators', () => running === 0 && ended === before + 5)
  })

  test('is no error in the log', async () => {
    const before = api.logs.length
    const hangUp = new AbortController()
    const response = await fetch(`${api.url}/forever`, { signal: hangUp.signal })
    await response.body?.getReader().read()
    hangUp.abort()
    await until('the end of the generator', () => running === 0)
    await sleep(50)
    expect(api.logs.slice(before)).toEqual([])
  })
})

test('a HEAD of a subscription opens no stream', async () => {
  const answer = await api.send('HEAD /forever')
  expect(answer).toMatchObject({ status: 200, type: 'text/event-stream', text: '' })
  await until('the end of the generator', () => running === 0)
})

test('a server that is closed does not wait for subscriptions without an end', async () => {
  const { app, url } = await serve({
    forever: procedure.subscription({
      input: z.void(),
      output: z.int(),
      handler: async function* () {
        for (let n = 0; ; n++) {
          yield n
          await sleep(20)
        }
      },
    }),
  })
  const readers = await Promise.all(
    ['/forever', '/trpc/forever'].map(async (path) =>
      (await fetch(url + path, { headers: { accept: 'text/event-stream' } })).body?.getReader(),
    ),
  )
  for (const reader of readers) await reader?.read()
  const start = performance.now()
  await app.close()
  expect(performance.now() - start).toBeLessThan(5000)
  for (const reader of readers) await reader?.cancel().catch(() => undefined)
})
