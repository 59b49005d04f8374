/** JSON too deep for whatever walks it was refused over REST, and over tRPC handed on to tRPC's own code, which took it. */
import { expect, test } from 'vitest'
import { inline, procedure } from 'errand'
import { z } from 'zod'
import { serve } from '../support/serve.ts'

const anything = { input: z.unknown(), output: z.unknown() }

const { send, get, logs } = await serve(
  {
    read: procedure.query({ ...anything, handler: ({ input }) => input ?? null }),
    change: procedure.mutation({ ...anything, handler: ({ input }) => input ?? null }),
    items: procedure.subscription({
      ...anything,
      handler: async function* ({ input }) {
        yield input
      },
    }),
    work: procedure.task({ ...anything, handler: ({ input }) => input ?? null }),
  },
  { tasks: inline(), limits: { url: 60_000, headerSize: 100_000 } },
)

const deep = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
const headers = { 'content-type': 'application/json' }
const STREAM = { 'trpc-accept': 'application/jsonl' }

test.each<[string, string, Record<string, string>]>([
  ['a call', '/trpc/change', {}],
  ['a batch', '/trpc/change,change?batch=1', {}],
  ['a batch stream', '/trpc/change,change?batch=1', STREAM],
  ['a media type with more to it', '/trpc/change', { 'content-type': 'application/json; charset=utf-8' }],
  ['a start', '/trpc/work.start', {}],
  ['a run', '/trpc/work.run', {}],
])('in a body: %s', async (_, path, more) => {
  for (const depth of [257, 5000, 100_000]) {
    const answer = await send(`POST ${path}`, { headers: { ...headers, ...more }, body: deep(depth) })
    expect(answer.status, String(depth)).toBe(400)
    expect(answer.text).toContain('nests deeper than 256 levels')
  }
  expect(logs).toEqual([])
})

test.each<[string, string, Record<string, string>]>([
  ['a call', '/trpc/read?input=', {}],
  ['a call by tRPC’s own code', '/trpc/read?input=', { 'content-type': 'text/plain' }],
  ['a batch', '/trpc/read,read?batch=1&input=', {}],
  ['a batch stream', '/trpc/read,read?batch=1&input=', STREAM],
  ['a subscription', '/trpc/items?input=', {}],
])('in a query: %s', async (_, path, more) => {
  for (const depth of [257, 5000]) {
    const answer = await get(path + deep(depth), more)
    expect(answer.status, String(depth)).toBe(400)
    expect(answer.text).toContain('nests deeper than 256 levels')
  }
  expect(logs).toEqual([])
})

test('what is as deep as may be is taken', async () => {
  const body = deep(255)
  expect((await send('POST /trpc/change', { headers, body })).status).toBe(200)
  expect((await get(`/trpc/read?input=${body}`)).status).toBe(200)
})
