/** Requests that are cheap to send and dear to answer. None may keep the others waiting. */
import { describe, expect, test } from 'vitest'
import { procedure } from 'errand'
import { z } from 'zod'
import { problemOf } from '../support/http.ts'
import { serve } from '../support/serve.ts'

const handler = (): null => null
const output = z.null()
const N = z.object({ n: z.number().optional() })

const { send, get, call } = await serve(
  {
    list: procedure.mutation({ input: z.array(z.number()), output, handler }),
    objects: procedure.mutation({
      input: z.array(z.object({ x: z.number(), y: z.string() })),
      output,
      handler,
    }),
    unions: procedure.mutation({
      input: z.array(z.union([z.object({ a: z.number() }), z.object({ b: z.string() }), z.number()])),
      output,
      handler,
    }),
    strict: procedure.mutation({ input: z.strictObject({}), output, handler }),
    dictionary: procedure.mutation({ input: z.record(z.string(), z.number()), output, handler }),
    any: procedure.mutation({ input: z.unknown(), output, handler }),
    form: procedure.mutation({ input: N, output, meta: { rest: { body: 'form' } }, handler }),
    query: procedure.query({ input: N, output, handler }),
    cookie: procedure.query({
      input: N,
      output,
      meta: { rest: { method: 'GET', in: { n: 'cookie:n' } } },
      handler,
    }),
  },
  // A head as long as Node takes one, so that what looks into it has to.
  { limits: { url: 16_000, queryFields: 100_000 } },
)

/** As much as a body may be. */
const FULL = 1024 ** 2 - 100

const fill = (piece: string, size = FULL): string => piece.repeat(Math.floor(size / piece.length))

const keys = (count: number, write: (key: string) => string): string =>
  Array.from({ length: count }, (_, index) => write(index.toString(36))).join('&')

const JSON_TYPE = 'application/json'
const FORM_TYPE = 'application/x-www-form-urlencoded'
const MULTIPART = 'multipart/form-data; boundary=x'
const PART = '--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\r\n'

const BODIES: readonly (readonly [string, string, string, string])[] = [
  ['a list of nothing but mistakes', '/list', JSON_TYPE, `[${fill('"",')}""]`],
  ['objects of nothing but mistakes', '/objects', JSON_TYPE, `[${fill('{},')}{}]`],
  ['mistakes that fit no member of a union', '/unions', JSON_TYPE, `[${fill('{},')}{}]`],
  [
    'a dictionary of mistakes',
    '/dictionary',
    JSON_TYPE,
    `{${keys(80_000, (key) => `"${key}":""`).replaceAll('&', ',')}}`,
  ],
  ['unknown keys', '/strict', JSON_TYPE, `{${keys(80_000, (key) => `"${key}":1`).replaceAll('&', ',')}}`],
  [
    'brackets as deep as may be, and as many',
    '/any',
    JSON_TYPE,
    `${'['.repeat(250)}${fill('[],')}[]${']'.repeat(250)}`,
  ],
  ['brackets deeper than may be', '/any', JSON_TYPE, fill('[')],
  ['a number of a million digits', '/any', JSON_TYPE, fill('1')],
  ['a text of nothing but escapes', '/any', JSON_TYPE, `"${fill('\\u0041')}"`],
  ['JSON that breaks at its very end', '/any', JSON_TYPE, `[${fill('"a",')}x`],
  ['digits that are no number after all', '/form', FORM_TYPE, `n=${fill('1')}x`],
  ['a form of a hundred thousand fields', '/form', FORM_TYPE, keys(100_000, (key) => key)],
  ['a form of one field, over and over', '/form', FORM_TYPE, fill('n&')],
  ['a form of parts without anything in them', '/form', MULTIPART, `${fill(PART)}--x--\r\n`],
  [
    'a part of nothing but what looks like its end',
    '/form',
    MULTIPART,
    `${PART}${fill('\r\n--')}\r\n--x--\r\n`,
  ],
]

/** In so many ms of processor time, which are the same on a machine that does much else. Server and caller are one process. */
const within = async (ms: number, act: () => Promise<unknown>): Promise<void> => {
  const before = process.cpuUsage()
  await act()
  const { user, system } = process.cpuUsage(before)
  expect((user + system) / 1000).toBeLessThan(ms)
}

describe('a body of a megabyte', () => {
  test.each(BODIES)('is answered soon, and not at length: %s', async (_, path, type, body) => {
    await within(8000, async () => {
      const answer = await send(`POST ${path}`, { headers: { 'content-type': type }, body })
      expect(answer.status).toBeLessThan(500)
      expect(answer.bytes.length).toBeLessThan(4 * 1024 ** 2)
    })
  })
})

describe('a head as long as may be', () => {
  test.each<[string, string, Record<string, string>]>([
    ['digits that are no number after all', `/query?n=${'1'.repeat(15_000)}x`, {}],
    ['thousands of fields', `/query?${keys(3500, (key) => key)}`, {}],
    ['one field, over and over', `/query?${fill('n&', 15_000)}`, {}],
    ['a path of thousands of segments', `/${fill('a/', 15_000)}`, {}],
    ['a path of nothing but encoded letters', `/${fill('%41', 15_000)}`, {}],
    ['thousands of cookies', '/cookie', { cookie: fill('a=;', 15_000) }],
    ['thousands of preferences', '/query', { prefer: fill('a=",', 15_000) }],
    ['thousands of tags', '/query', { 'if-none-match': fill('"a",', 15_000) }],
    ['thousands of calls in a batch', `/trpc/${fill('query,', 12_000)}query?batch=1&input={}`, {}],
  ])('is answered soon: %s', async (_, path, headers) => {
    await within(2000, async () => expect((await get(path, headers)).status).toBeLessThan(500))
  })
})

test('of very many mistakes the first thousand are told, and how many there are', async () => {
  const { issues } = problemOf(
    await call(
      '/list',
      Array.from({ length: 5000 }, () => 'x'),
    ),
  )
  expect(issues).toHaveLength(1001)
  expect(issues?.[999]).toMatchObject({ path: [999] })
  expect(issues?.[1000]).toEqual({ code: 'custom', path: [], message: 'and 4000 more issues' })
  expect(
    problemOf(
      await call(
        '/list',
        Array.from({ length: 1000 }, () => 'x'),
      ),
    ).issues,
  ).toHaveLength(1000)
})
