/** A compressed body was read as if it were text: a 400 that spoke of UTF-8, on a door that takes no compression at all. */
import { gzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { procedure } from 'errand'
import { z } from 'zod'
import { problemOf } from '../support/http.ts'
import { serve } from '../support/serve.ts'

const { app, send, call } = await serve({
  echo: procedure.mutation({
    input: z.unknown(),
    output: z.unknown(),
    handler: ({ input }) => input ?? null,
  }),
  form: procedure.mutation({
    input: z.object({ n: z.number().optional() }),
    output: z.unknown(),
    meta: { rest: { body: 'form' } },
    handler: ({ input }) => input,
  }),
})

const headers = (encoding: string, type = 'application/json') => ({
  'content-type': type,
  'content-encoding': encoding,
})

test.each(['gzip', 'GZIP', 'br', 'deflate', 'zstd', 'compress', 'gzip, identity', 'made-up'])(
  'a body in %s is refused with 415',
  async (encoding) => {
    const answer = await send('POST /echo', { headers: headers(encoding), body: gzipSync('{"a":1}') })
    expect(answer.status).toBe(415)
    expect(problemOf(answer).detail).toContain(encoding)
  },
)

test('so is a bomb, which is a thousand times its size in memory and passes every limit on the wire', async () => {
  const bomb = gzipSync(Buffer.alloc(100 * 1024 ** 2))
  expect(bomb.length).toBeLessThan(200_000)
  for (const path of ['/echo', '/form', '/trpc/echo'])
    expect((await send(`POST ${path}`, { headers: headers('gzip'), body: bomb })).status, path).toBe(415)
})

test('so is a form, a batch, and what comes by Fetch', async () => {
  const type = 'application/x-www-form-urlencoded'
  expect((await send('POST /form', { headers: headers('gzip', type), body: 'n=1' })).status).toBe(415)
  const batch = await send('POST /trpc/echo,echo?batch=1', { headers: headers('gzip'), body: '{}' })
  expect(batch.status).toBe(415)
  expect(batch.json).toMatchObject([
    { error: { data: { code: 'UNSUPPORTED_MEDIA_TYPE' } } },
    { error: { data: { code: 'UNSUPPORTED_MEDIA_TYPE' } } },
  ])
  const request = new Request('http://x/echo', { method: 'POST', headers: headers('gzip'), body: '{}' })
  expect((await app.fetch(request)).status).toBe(415)
})

test('`identity` is no encoding', async () => {
  expect((await call('/echo', { a: 1 }, { 'content-encoding': 'identity' })).json).toEqual({ a: 1 })
})
