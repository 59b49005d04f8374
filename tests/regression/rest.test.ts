/**
 * What once went wrong at the REST door, at its smallest. Each had a way to end the process, hang a caller, or spoil what
 * others see; the files of `tests/integration/rest-*.test.ts` hold the wider themes.
 */
import http from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { TRPCError } from '@trpc/server'
import { describe, expect, test } from 'vitest'
import {
  createApp,
  createProcedure,
  inline,
  local,
  procedure,
  ProcedureError,
  stream,
  type ContextRequest,
} from 'errand'
import { z } from 'zod'
import { module, procedures } from '../support/apps/work.ts'
import { problemOf } from '../support/http.ts'
import { exchange, openRaw, parseRaw } from '../support/raw.ts'
import { serve } from '../support/serve.ts'
import { tempDir } from '../support/temp.ts'
import { until } from '../support/until.ts'

const text = z.string()
const give =
  <T>(value: T) =>
  () =>
    value

test('a POST without a body and without a length, as `curl -X POST` sends it, was never answered', async () => {
  const { port } = await serve({
    nothing: procedure.mutation({ input: z.void(), output: text, handler: give('done') }),
  })
  const answer = parseRaw(
    await exchange(port, 'POST /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n', 2000),
  )
  expect(answer).toMatchObject({ status: 200, body: '"done"' })
})

test('a header with a control character, taken from the input, ended the process', async () => {
  const base = createProcedure<Pick<ContextRequest, 'responseHeaders'>>()
  const echo = base.query({
    input: z.object({ name: text }),
    output: text,
    handler: ({ ctx, input }) => {
      ctx.responseHeaders.set('x-name', input.name)
      return 'done'
    },
  })
  const { get } = await serve({ echo }, { createContext: ({ responseHeaders }) => ({ responseHeaders }) })
  expect((await get('/echo?name=%01')).status).toBe(500)
  expect((await get('/echo?name=a')).status).toBe(200)
})

test('a Response without a status ended the process', async () => {
  const { call } = await serve({
    made: procedure.query({ input: z.void(), output: stream('x/y'), handler: () => Response.error() }),
  })
  expect((await call('/made')).status).toBe(500)
})

test('a test of origins that throws ended the process', async () => {
  const origin = (): never => {
    throw new Error('no')
  }
  const { get } = await serve(
    { ping: procedure.query({ input: z.void(), output: text, handler: give('pong') }) },
    { cors: { origin } },
  )
  expect((await get('/ping', { origin: 'https://a.example' })).status).toBe(500)
})

test('a start in the year 300,000 was written and then broke the list of tasks for everyone', async () => {
  const { call, get } = await serve(
    { t: procedure.task({ input: z.void(), output: z.void(), handler: give(undefined) }) },
    { tasks: inline() },
  )
  for (const delay of ['99999999999999d', '99999999999999999'])
    expect((await call('/t/tasks', undefined, { 'task-delay': delay })).status).toBe(400)
  expect((await call('/trpc/t.startWith', { delay: 1e300 })).status).toBe(400)
  expect((await get('/tasks')).json).toEqual({ items: [] })
})

test('who waited for a task while the server drained was told that the app is closed', async () => {
  const dir = await tempDir()
  const { app, call, get } = await serve(procedures, { module, tasks: local({ dir, threads: 1 }) })
  const waiting = call('/slow', { n: 4, ms: 400 })
  await until(
    'its start',
    async () => ((await get('/tasks?status=running')).json as { items: unknown[] }).items.length > 0,
  )
  await app.close()
  expect(await waiting).toMatchObject({ status: 200, text: '8' })
})

test('a server with an open subscription, or a connection that never spoke, did not close', async () => {
  const { app, port, url } = await serve({
    forever: procedure.subscription({
      input: z.void(),
      output: z.int(),
      handler: async function* ({ signal }) {
        yield 1
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
      },
    }),
  })
  const silent = await openRaw(port)
  const reader = (await fetch(`${url}/forever`)).body?.getReader()
  await reader?.read()
  const before = performance.now()
  await app.close()
  expect(performance.now() - before).toBeLessThan(3000)
  silent.socket.destroy()
})

test('pieces of a stream were kept until its end, so that a download took its size in memory', async () => {
  const SIZE = 64 * 1024
  const PIECES = 4000
  const { url } = await serve({
    long: procedure.query({
      input: z.void(),
      output: stream('x/y'),
      handler: async function* () {
        for (let at = 0; at < PIECES; at++) yield new Uint8Array(SIZE)
      },
    }),
  })
  let most = 0
  await new Promise<void>((resolve) => {
    http
      .request(`${url}/long`, { method: 'POST' }, (response) => {
        response.on('data', () => (most = Math.max(most, process.memoryUsage().arrayBuffers)))
        response.once('end', resolve)
      })
      .end()
  })
  expect(most).toBeLessThan((SIZE * PIECES) / 2)
})

test('a bound that JSON has no word for, as of a bigint, made 500 of a refusal', async () => {
  const input = z.object({
    n: z.codec(z.string().regex(/^\d+$/), z.bigint().max(5n), { decode: BigInt, encode: String }),
  })
  const { call } = await serve({
    p: procedure.mutation({ input, output: z.void(), handler: give(undefined) }),
  })
  expect(problemOf(await call('/p', { n: '6' }))).toMatchObject({
    status: 400,
    issues: [{ path: ['n'], maximum: '5' }],
  })
})

test('a field that the query has by another name was an unknown key to a strict schema', async () => {
  const input = z.strictObject({ page: z.int() })
  const { get } = await serve({
    p: procedure.query({
      input,
      output: z.int(),
      meta: { rest: { method: 'GET', in: { page: 'query:p' } } },
      handler: (args) => args.input.page,
    }),
  })
  expect((await get('/p?p=3')).json).toBe(3)
})

test('one file for a list of files was refused', async () => {
  const input = z.object({ files: z.array(z.file()) })
  const { url } = await serve({
    p: procedure.mutation({ input, output: z.int(), handler: (args) => args.input.files.length }),
  })
  const body = new FormData()
  body.append('files', new File(['x'], 'x'))
  expect(await (await fetch(`${url}/p`, { method: 'POST', body })).json()).toBe(1)
})

test('an empty body with a media type that others send by default was 415', async () => {
  const { send } = await serve({
    p: procedure.mutation({ input: z.void(), output: z.void(), handler: give(undefined) }),
  })
  for (const type of ['application/x-www-form-urlencoded', 'text/plain;charset=UTF-8'])
    expect((await send('POST /p', { body: '', headers: { 'content-type': type } })).status).toBe(204)
})

test('a procedure at trpc.* took its path from the tRPC door', () => {
  const p = procedure.mutation({ input: z.void(), output: z.void(), handler: give(undefined) })
  expect(() => createApp({ trpc: { p }, p })).toThrow(
    /trpc\.p: POST \/trpc\/p is also the route of routes\.trpc/,
  )
})

describe('an error', () => {
  const failing = (make: () => unknown) =>
    procedure.query({
      input: z.void(),
      output: z.void(),
      handler: () => {
        throw make()
      },
    })

  test('that tRPC had wrapped went out with the words of what it wraps', async () => {
    const { get, logs } = await serve({
      p: failing(() => new TRPCError({ code: 'INTERNAL_SERVER_ERROR', cause: new Error('secret') })),
    })
    expect((await get('/p')).text).not.toContain('secret')
    expect(logs[0]?.message).toContain('secret')
  })

  test('was in the log without what caused it', async () => {
    const { get, logs } = await serve({
      p: failing(() => new Error('outer', { cause: new Error('the real reason') })),
    })
    await get('/p')
    expect(JSON.stringify(logs[0]?.fields)).toContain('the real reason')
  })

  test('of a stream that breaks halfway was in no log', async () => {
    const broken = procedure.query({
      input: z.void(),
      output: stream('x/y'),
      handler: async function* () {
        yield 'a'
        throw new Error('halfway')
      },
    })
    const { call, logs } = await serve({ broken })
    await expect(call('/broken')).rejects.toThrow()
    expect(logs[0]?.message).toContain('halfway')
  })

  test('whose logger throws as well ended the process', async () => {
    const fail = (): never => {
      throw new Error('full')
    }
    const { get } = await serve(
      { p: failing(() => new Error('x')) },
      { logger: { error: fail, warn: fail, info: fail } },
    )
    expect((await get('/p')).status).toBe(500)
  })

  test('with the declared data of another call through app.caller lost code and data', async () => {
    const inner = procedure.query({
      input: z.void(),
      output: z.void(),
      errors: { NO_SUCH: { status: 404, data: z.int() } },
      handler: ({ errors }) => {
        throw errors.NO_SUCH(7)
      },
    })
    const outer = procedure.query({
      input: z.void(),
      output: z.void(),
      handler: (): Promise<void> => (app.caller({}) as unknown as { inner(): Promise<void> }).inner(),
    })
    const { app, get } = await serve({ inner, outer })
    expect(problemOf(await get('/outer'))).toMatchObject({ code: 'NO_SUCH', data: 7 })
  })
})

test('a bodyLimit of a procedure held for REST only: over tRPC it was the app’s', async () => {
  const p = procedure.mutation({
    input: text,
    output: z.int(),
    meta: { bodyLimit: '2mb' },
    handler: ({ input }) => input.length,
  })
  const { call } = await serve({ p })
  const large = 'x'.repeat(1_500_000)
  expect((await call('/p', large)).json).toBe(1_500_000)
  expect((await call('/trpc/p', large)).json).toEqual({ result: { data: 1_500_000 } })
  expect((await call('/trpc/p', 'x'.repeat(2_500_000))).status).toBe(413)
})

test('hanging up was logged as an error of the handler', async () => {
  const { url, logs } = await serve({
    p: procedure.mutation({
      input: z.void(),
      output: z.void(),
      handler: ({ signal }) => sleep(5000, undefined, { signal }),
    }),
    refuses: procedure.query({
      input: z.void(),
      output: z.void(),
      handler: () => {
        throw new ProcedureError('CLIENT_CLOSED_REQUEST', 'gone')
      },
    }),
  })
  await expect(fetch(`${url}/p`, { method: 'POST', signal: AbortSignal.timeout(100) })).rejects.toThrow()
  await expect(fetch(`${url}/refuses`)).resolves.toMatchObject({ status: 499 })
  expect(logs).toEqual([])
})
