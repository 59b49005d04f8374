/** No key of an input reaches a prototype, nor gives an object one of its own making, whichever door it comes by. */
import fc from 'fast-check'
import { afterAll, afterEach, describe, expect, test } from 'vitest'
import { createApp, inline, procedure } from 'errand'
import { z } from 'zod'
import { json, RUNS, SEED } from '../support/hostile.ts'

const PLAIN: ReadonlySet<unknown> = new Set([Object.prototype, Array.prototype, null])

/** What is odd in a value: an object whose prototype is no plain one, or that has what it was not given. */
const oddIn = (value: unknown, path = 'input'): string | undefined => {
  if (typeof value !== 'object' || value === null) return undefined
  if (!PLAIN.has(Object.getPrototypeOf(value))) return `${path} has a prototype of its own`
  if ((value as { polluted?: unknown }).polluted !== undefined && !Object.hasOwn(value, 'polluted'))
    return `${path} is polluted`
  for (const [key, item] of Object.entries(value)) {
    const odd = oddIn(item, `${path}.${key}`)
    if (odd) return odd
  }
  return undefined
}

const output = z.string()
const handler = ({ input }: { input: unknown }): string => oddIn(input) ?? 'clean'
const optional = z.unknown().optional()

const app = createApp(
  {
    any: procedure.query({ input: z.unknown(), output, handler }),
    loose: procedure.query({ input: z.looseObject({ a: optional }), output, handler }),
    object: procedure.query({
      input: z.object({ a: optional, b: z.object({ c: optional }).optional() }),
      output,
      handler,
    }),
    record: procedure.query({ input: z.record(z.string(), z.unknown()), output, handler }),
    catchall: procedure.query({ input: z.object({ a: optional }).catchall(z.unknown()), output, handler }),
    both: procedure.query({
      input: z.intersection(z.looseObject({ a: optional }), z.looseObject({ b: optional })),
      output,
      handler,
    }),
    form: procedure.mutation({
      input: z.looseObject({ a: optional }),
      output,
      meta: { rest: { body: 'form' } },
      handler,
    }),
    places: procedure.mutation({
      input: z.looseObject({ id: z.string(), a: z.string().optional() }),
      output,
      meta: { rest: { method: 'PUT', path: '/places/{id}', in: { a: 'header:x-a' } } },
      handler,
    }),
    task: procedure.task({ input: z.unknown(), output, retry: { attempts: 1 }, handler }),
  },
  { tasks: inline(), profile: 'test' },
)
afterAll(() => app.close())

const READERS = ['any', 'loose', 'object', 'record', 'catchall', 'both']

afterEach(() => {
  expect(Object.keys(Object.prototype)).toEqual([])
  expect(Object.keys(Array.prototype)).toEqual([])
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
})

const JSON_TYPE = { 'content-type': 'application/json' }

const ask = async (path: string, init: RequestInit = {}): Promise<string> =>
  (await app.fetch(new Request(`http://x${path}`, init))).text()

const post = (path: string, body: BodyInit, headers: Record<string, string> = JSON_TYPE, method = 'POST') =>
  ask(path, { method, headers, body })

/** An answer is that all is clean, or a refusal; never that something is odd. */
const checkClean = (text: string): void => expect(text).not.toMatch(/has a prototype of its own|is polluted/)

const attack = <T>(arbitrary: fc.Arbitrary<T>, act: (value: T) => Promise<string>): Promise<void> =>
  fc.assert(
    fc.asyncProperty(arbitrary, async (value) => {
      checkClean(await act(value))
    }),
    { numRuns: RUNS, seed: SEED },
  )

/** Text of JSON whose keys are the ones that hurt. */
const text = fc.oneof(
  json.map((value) => JSON.stringify(value) ?? 'null'),
  fc.constantFrom(
    '{"__proto__":{"polluted":1}}',
    '{"__proto__":null}',
    '{"__proto__":[]}',
    '{"constructor":{"prototype":{"polluted":1}}}',
    '{"a":{"__proto__":{"polluted":1}}}',
    '{"b":{"__proto__":{"polluted":1},"c":{"constructor":{"prototype":{"polluted":1}}}}}',
    '[{"__proto__":{"polluted":1}}]',
    '{"\\u005f_proto__":{"polluted":1}}',
    '{"a":1,"__proto__":{"polluted":1},"__proto__":{"polluted":2}}',
    '{"__defineGetter__":1,"hasOwnProperty":1,"toString":1,"valueOf":1,"then":1}',
  ),
)

const field = fc.constantFrom(
  '__proto__',
  '__proto__[polluted]',
  '__proto__.polluted',
  'constructor[prototype][polluted]',
  'constructor.prototype.polluted',
  'a',
  'a[__proto__][polluted]',
  'a.__proto__.polluted',
  'b',
  'toString',
  'hasOwnProperty',
)
const fields = fc.array(fc.tuple(field, fc.constantFrom('1', 'polluted', '{"polluted":1}', '')), {
  maxLength: 6,
})

const encoded = (pairs: readonly (readonly [string, string])[]): string =>
  pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&')

describe.each(READERS)('%s', (name) => {
  test('by a body', () => attack(text, (body) => post(`/${name}`, body)))
  test('by a query', () => attack(fields, (pairs) => ask(`/${name}?${encoded(pairs)}`)))
  test('by JSON in a query', () => attack(text, (body) => ask(`/${name}?input=${encodeURIComponent(body)}`)))
  test('by tRPC', () => attack(text, (body) => ask(`/trpc/${name}?input=${encodeURIComponent(body)}`)))
  test('by tRPC’s own code', () =>
    attack(text, (body) =>
      ask(`/trpc/${name}?input=${encodeURIComponent(body)}`, { headers: { 'content-type': 'text/plain' } }),
    ))
  test('in a batch', () =>
    attack(fc.tuple(text, text), ([one, other]) =>
      ask(
        `/trpc/${name},${name}?batch=1&input=${encodeURIComponent(`{"0":${one},"1":${other},"__proto__":${one}}`)}`,
      ),
    ))
})

test('by a form', () =>
  attack(fields, (pairs) =>
    post('/form', encoded(pairs), { 'content-type': 'application/x-www-form-urlencoded' }),
  ))

test('by a form of parts', () =>
  attack(fields, (pairs) => {
    const form = new FormData()
    for (const [name, value] of pairs) form.append(name, value)
    return ask('/form', { method: 'POST', body: form })
  }))

test('by a body with parts of it elsewhere', () =>
  attack(fc.tuple(text, fc.constantFrom('__proto__', 'constructor', 'x')), ([body, id]) =>
    post(`/places/${id}`, body, { ...JSON_TYPE, 'x-a': '__proto__' }, 'PUT'),
  ))

test('by a task, from its start to its handler and back', () => attack(text, (body) => post('/task', body)))

test('by a start with options', () =>
  attack(fc.tuple(text, text), ([one, other]) =>
    post(
      '/trpc/task.startWith',
      `{"input":${one},"__proto__":${other},"tags":["__proto__"],"constructor":${other}}`,
    ),
  ))

test('what comes by the name of `__proto__` is a value like any other, where the schema takes it', async () => {
  const echo = createApp(
    {
      record: procedure.query({
        input: z.record(z.string(), z.unknown()),
        output: z.array(z.string()),
        handler: ({ input }) => Object.keys(input),
      }),
    },
    { profile: 'test' },
  )
  const body = '{"__proto__":1,"constructor":2}'
  const answer = await echo.fetch(
    new Request('http://x/record', { method: 'POST', headers: JSON_TYPE, body }),
  )
  expect(await answer.json()).toEqual(expect.arrayContaining(['constructor']))
})
