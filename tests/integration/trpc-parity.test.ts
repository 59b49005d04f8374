/** The tRPC door answers with the bytes that tRPC's own adapter would, for good requests and bad ones alike. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { initTRPC } from '@trpc/server'
import { createHTTPHandler } from '@trpc/server/adapters/standalone'
import { createApp, createProcedure, ProcedureError } from 'errand'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { z } from 'zod'

const base = createProcedure<{ user: string }>()
const t = initTRPC.create()

const procedures = {
  add: base.query({
    input: z.object({ a: z.number(), b: z.number() }),
    output: z.number(),
    handler: ({ input }) => input.a + input.b,
  }),
  who: base
    .use(({ ctx, next }) => next({ ctx: { loud: ctx.user.toUpperCase() } }))
    .query({ input: z.void(), output: z.string(), handler: ({ ctx }) => ctx.loud }),
  note: base.mutation({
    input: z.object({ text: z.string().min(2), tags: z.array(z.string()).default([]) }),
    output: z.object({
      text: z.string(),
      tags: z.array(z.string()),
      at: z.codec(z.iso.datetime(), z.date(), { decode: (s) => new Date(s), encode: (d) => d.toISOString() }),
    }),
    handler: ({ input }) => ({ ...input, at: new Date(0) }),
  }),
  nothing: base.mutation({ input: z.void(), output: z.void(), handler: () => undefined }),
  shop: {
    order: base.mutation({
      input: z.object({ sku: z.string() }),
      output: z.object({ id: z.string() }),
      errors: {
        OUT_OF_STOCK: { status: 409, data: z.object({ sku: z.string() }) },
        GONE: { status: 410 },
        NOT_FOUND: { status: 404 },
      },
      handler: ({ input, errors }) => {
        if (input.sku === 'out') throw errors.OUT_OF_STOCK({ sku: input.sku })
        if (input.sku === 'gone') throw errors.GONE()
        if (input.sku === 'none') throw errors.NOT_FOUND()
        if (input.sku === 'teapot') throw new ProcedureError('FORBIDDEN', 'not you', { data: { why: 'é' } })
        if (input.sku === 'crash') throw new Error('secret')
        return { id: input.sku }
      },
    }),
    broken: base.query({ input: z.void(), output: z.number(), handler: () => 'no number' as never }),
    anything: base.query({ input: z.unknown(), output: z.unknown(), handler: ({ input }) => input ?? null }),
  },
  plain: t.router({ echo: t.procedure.input(z.string()).query(({ input }) => input) }),
}

const app = createApp(procedures, {
  createContext: () => ({ user: 'ann' }),
  profile: 'production',
  logger: silent(),
})

function silent() {
  return { error: () => undefined, warn: () => undefined, info: () => undefined }
}

const reference = createServer(
  createHTTPHandler({ router: app.router, basePath: '/trpc/', createContext: () => ({ user: 'ann' }) }),
)
let ours: string
let theirs: string

beforeAll(async () => {
  ours = (await app.listen({ port: 0 })).url
  await new Promise<void>((resolve) => reference.listen(0, '127.0.0.1', resolve))
  theirs = `http://127.0.0.1:${(reference.address() as AddressInfo).port}`
})
afterAll(async () => {
  await app.close()
  reference.close()
  reference.closeAllConnections()
})

interface Recorded {
  readonly method: string
  readonly path: string
  readonly body?: string
  readonly type?: string
}

const HEADERS = ['content-type', 'vary', 'allow']

const send = async (url: string, { method, path, body, type }: Recorded) => {
  const init: RequestInit = { method, ...(body === undefined ? {} : { body }) }
  if (type !== undefined) init.headers = { 'content-type': type }
  const response = await fetch(url + path, init)
  const headers = HEADERS.map((name) => [name, response.headers.get(name)])
  return { status: response.status, headers, body: await response.text() }
}

const JSON_TYPE = 'application/json'
const PATHS = [
  'add',
  'who',
  'note',
  'nothing',
  'shop.order',
  'shop.broken',
  'shop.anything',
  'plain.echo',
  'shop',
  'unknown',
  'add.more',
  '',
  '__proto__',
  'constructor',
  'add%2Cwho',
  '%',
  'tasks.list',
]
const INPUTS = [
  undefined,
  '{"a":1,"b":2}',
  '{"a":"1","b":2}',
  '{}',
  '[]',
  'null',
  '1',
  '"text"',
  '{"text":"hello"}',
  '{"text":""}',
  '{"sku":"in"}',
  '{"sku":"out"}',
  '{"sku":"gone"}',
  '{"sku":"none"}',
  '{"sku":"teapot"}',
  '{"sku":"crash"}',
  '{"__proto__":{"x":1},"a":1,"b":2}',
  '{',
  '',
  '{"a":1e999,"b":1}',
  '"\\ud800"',
  '{"text":"ünïcödé 🎉"}',
]
const BATCH_INPUTS = [
  undefined,
  '{"0":{"a":1,"b":2},"1":{"a":2,"b":3}}',
  '{"0":{"a":1,"b":2}}',
  '{"0":{"a":"x"},"1":{"a":1,"b":1}}',
  '[]',
  '{"0":{"text":"ok"},"1":{"sku":"out"}}',
  '{"0":{"sku":"in"},"1":{"sku":"gone"}}',
  'nonsense',
]
const BATCH_PATHS = [
  'add,add',
  'add,who',
  'add,note',
  'note,shop.order',
  'shop.order,shop.order',
  'add,unknown',
  'who',
  ',',
  'add,',
]

const query = (input: string | undefined, batch: boolean): string => {
  const search = new URLSearchParams()
  if (batch) search.set('batch', '1')
  if (input !== undefined) search.set('input', input)
  return search.size === 0 ? '' : `?${search}`
}

const singles = (): Recorded[] =>
  PATHS.flatMap((path) =>
    INPUTS.flatMap((input): Recorded[] => [
      { method: 'GET', path: `/trpc/${path}${query(input, false)}` },
      {
        method: 'POST',
        path: `/trpc/${path}`,
        type: JSON_TYPE,
        ...(input === undefined ? {} : { body: input }),
      },
    ]),
  )

const batches = (): Recorded[] =>
  BATCH_PATHS.flatMap((path) =>
    BATCH_INPUTS.flatMap((input): Recorded[] => [
      { method: 'GET', path: `/trpc/${path}${query(input, true)}` },
      {
        method: 'POST',
        path: `/trpc/${path}?batch=1`,
        type: JSON_TYPE,
        ...(input === undefined ? {} : { body: input }),
      },
    ]),
  )

const odd = (): Recorded[] => [
  { method: 'POST', path: '/trpc/note', body: '{"text":"hi"}', type: 'text/plain' },
  { method: 'POST', path: '/trpc/note', body: '{"text":"hi"}', type: 'application/json; charset=utf-8' },
  { method: 'POST', path: '/trpc/note', body: '{"text":"hi"}', type: 'APPLICATION/JSON' },
  { method: 'POST', path: '/trpc/note', body: 'text=hi', type: 'application/x-www-form-urlencoded' },
  { method: 'GET', path: '/trpc/add?input=%7B%22a%22%3A1%2C%22b%22%3A2%7D&input=1' },
  { method: 'GET', path: '/trpc/add?batch=2&input=%7B%22a%22%3A1%2C%22b%22%3A2%7D' },
  { method: 'GET', path: '/trpc/add?' },
  { method: 'GET', path: '/trpc/who?input=' },
]

describe('the tRPC door', () => {
  test.each([
    ['single calls', singles()],
    ['batches', batches()],
    ['odd content types and queries', odd()],
  ])('answers %s as tRPC does, byte for byte', async (_name, requests) => {
    for (const request of requests) {
      const [mine, reference_] = await Promise.all([send(ours, request), send(theirs, request)])
      expect({ request, ...mine }).toEqual({ request, ...reference_ })
    }
    expect(requests.length).toBeGreaterThan(5)
  })

  test('says nothing of an error that was not meant for callers', async () => {
    const { status, body } = await send(ours, {
      method: 'POST',
      path: '/trpc/shop.order',
      type: JSON_TYPE,
      body: '{"sku":"crash"}',
    })
    expect(status).toBe(500)
    expect(body).not.toContain('secret')
  })

  test('refuses a body that is too large in the shape a tRPC client reads', async () => {
    const body = JSON.stringify({ text: 'x'.repeat(2 ** 20) })
    const { status, body: text } = await send(ours, {
      method: 'POST',
      path: '/trpc/note',
      type: JSON_TYPE,
      body,
    })
    expect(status).toBe(413)
    expect(JSON.parse(text).error.data).toEqual({ code: 'PAYLOAD_TOO_LARGE', httpStatus: 413, path: 'note' })
  })
})
