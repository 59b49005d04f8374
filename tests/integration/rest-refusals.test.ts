/** What `createApp` refuses, and whether its words are enough to mend it. */
import { initTRPC } from '@trpc/server'
import { describe, expect, test } from 'vitest'
import { createApp, createProcedure, inline, local, procedure, stream } from 'errand'
import { z } from 'zod'

const complaintsOf = (tree: object, options: object = {}): { at: string; text: string }[] => {
  try {
    createApp(tree as never, { tasks: inline(), ...options })
  } catch (error) {
    const { name, message, complaints } = error as Error & { complaints?: { at: string; text: string }[] }
    expect(name, message).toBe('DeclarationError')
    for (const { at, text } of complaints ?? []) expect(message).toContain(`${at}: ${text}`)
    return [...(complaints ?? [])]
  }
  return []
}

const withInput = (input: z.ZodType) => ({
  shop: { order: procedure.mutation({ input, output: z.void(), handler: () => undefined }) },
})
const withOutput = (output: z.ZodType) => ({
  shop: { order: procedure.query({ input: z.void(), output, handler: () => undefined as never }) },
})

class Money {
  readonly amount = 1
}

const DEEP: readonly [string, (schema: z.ZodType) => z.ZodType][] = [
  ['', (schema) => schema],
  ['a.b', (schema) => z.object({ a: z.object({ b: schema }) })],
  ['a[]', (schema) => z.object({ a: z.array(schema.optional()) })],
  ['a[1]', (schema) => z.object({ a: z.tuple([z.string(), schema.nullable()]) })],
  ['a[]', (schema) => z.object({ a: z.tuple([z.string()], schema) })],
  ['a.*', (schema) => z.object({ a: z.record(z.string(), schema) })],
  ['*', (schema) => z.object({}).catchall(schema)],
  ['a', (schema) => z.object({ a: z.union([z.string(), schema]) })],
  [
    'a.x',
    (schema) =>
      z.object({
        a: z.discriminatedUnion('t', [
          z.object({ t: z.literal(1) }),
          z.object({ t: z.literal(2), x: schema }),
        ]),
      }),
  ],
  ['b', (schema) => z.intersection(z.object({ a: z.string() }), z.object({ b: schema }))],
  ['a', (schema) => z.object({ a: z.lazy(() => schema) })],
  ['a', (schema) => z.object({ a: schema.readonly() })],
  ['a', (schema) => z.object({ a: z.nonoptional(schema.optional()) })],
  [
    'next.a',
    (schema) => {
      const node = z.object({
        get next() {
          return z.object({ a: schema, back: node.optional() })
        },
      })
      return node
    },
  ],
]

const REFUSED: readonly [string, z.ZodType, RegExp, RegExp][] = [
  ['z.date()', z.date(), /z\.date\(\), which JSON can't hold/, /z\.codec\(z\.iso\.datetime\(\)/],
  ['z.bigint()', z.bigint(), /z\.bigint\(\)/, /codec over a string/],
  ['z.int64()', z.int64(), /z\.bigint\(\)/, /codec over a string/],
  ['z.map()', z.map(z.string(), z.string()), /z\.map\(\)/, /z\.record\(\)/],
  ['z.set()', z.set(z.string()), /z\.set\(\)/, /z\.array\(\)/],
  ['z.symbol()', z.symbol(), /z\.symbol\(\)/, /z\.enum\(\)/],
  ['z.nan()', z.nan(), /z\.nan\(\)/, /z\.number\(\)/],
  ['z.custom()', z.custom<string>(() => true), /z\.custom\(\)/, /z\.codec\(/],
  ['z.instanceof()', z.instanceof(Money), /z\.custom\(\)/, /z\.instanceof\(…\)/],
  ['z.promise()', z.promise(z.string()), /z\.promise\(\)/, /the value itself/],
  ['z.function()', z.function(), /z\.function\(\)/, /leave it out/],
  ['a literal of a bigint', z.literal(5n), /literal.*JSON can't hold/, /string/],
  ['a literal of undefined', z.literal(undefined), /literal.*JSON can't hold/, /\.optional\(\)/],
]

const INSIDE_ONLY: readonly [string, z.ZodType, RegExp, RegExp][] = [
  ['z.void()', z.void(), /z\.void\(\)/, /\.optional\(\)/],
  ['z.undefined()', z.undefined(), /z\.undefined\(\)/, /\.optional\(\)/],
]

describe.each([
  ['input', withInput],
  ['output', withOutput],
] as const)('an %s', (side, make) => {
  describe.each(REFUSED)('with %s is refused', (_, schema, problem, cure) => {
    test.each(DEEP.map(([path, wrap], index) => [index, path, wrap] as const))(
      'at any depth (%i: %s), with the place and the cure',
      (_index, path, wrap) => {
        const [complaint, ...rest] = complaintsOf(make(wrap(schema)))
        expect(complaint?.at).toBe('shop.order')
        expect(complaint?.text).toMatch(
          new RegExp(
            `^${[side, path]
              .filter(Boolean)
              .join('.')
              .replace(/[.*[\]]/g, '\\$&')} is `,
          ),
        )
        expect(complaint?.text).toMatch(problem)
        expect(complaint?.text).toMatch(cure)
        expect(rest).toEqual([])
      },
    )
  })

  test.each(INSIDE_ONLY)('with %s is refused inside and taken whole', (_, schema, problem, cure) => {
    expect(complaintsOf(make(schema))).toEqual([])
    for (const [path, wrap] of DEEP.slice(1)) {
      const [complaint] = complaintsOf(make(wrap(schema)))
      expect(complaint?.text, path).toMatch(problem)
      expect(complaint?.text).toMatch(cure)
    }
  })

  test('with two schemas of one id is refused', () => {
    const one = z.object({ a: z.string() }).meta({ id: `Same-${side}` })
    const two = z.object({ b: z.string() }).meta({ id: `Same-${side}` })
    expect(complaintsOf(make(z.object({ one, two: z.array(two) })))).toMatchObject([
      {
        at: 'shop.order',
        text: expect.stringMatching(
          /two\[\] is a second schema with the id "Same-.*"; give each schema its own/,
        ),
      },
    ])
    expect(complaintsOf(make(z.object({ one, again: one.optional() })))).toEqual([])
  })

  test('with a key that JSON objects do not have is refused', () => {
    expect(complaintsOf(make(z.record(z.symbol(), z.string())))[0]?.text).toMatch(/z\.symbol\(\)/)
  })

  test('that is no schema of zod 4 is refused', () => {
    for (const wrong of [undefined, null, {}, 'string', { parse: () => 1 }])
      expect(complaintsOf(make(wrong as never))[0]?.text).toMatch(
        new RegExp(`^${side} is .*, expected a zod 4 schema: use z\\.void\\(\\) for none`),
      )
  })
})

describe('every problem', () => {
  test('is told at once', () => {
    const tree = {
      one: procedure.query({
        input: z.object({ a: z.date(), b: z.set(z.bigint()) }),
        output: z.map(z.string(), z.date()),
        handler: () => undefined as never,
      }),
      'bad-name': procedure.query({ input: z.void(), output: z.void(), handler: () => undefined }),
    }
    expect(complaintsOf(tree, { prefix: 'api', nonsense: 1 }).map(({ at }) => at)).toEqual([
      'options',
      'options',
      'one',
      'one',
      'one',
      'bad-name',
    ])
  })

  test('is told in one message that is fit to read', () => {
    expect(() => createApp(withInput(z.date()))).toThrow(
      "createApp can't serve this:\n  - shop.order: input is z.date(), which JSON can't hold; use a codec: z.codec(z.iso.datetime(), z.date(), { decode: (s) => new Date(s), encode: (d) => d.toISOString() })",
    )
  })
})

describe('an output that can not be encoded', () => {
  test.each<[string, z.ZodType, string, RegExp]>([
    [
      'a transform',
      z.object({ a: z.string().transform((text) => text.length) }),
      'output.a',
      /one-way transform.*z\.codec/,
    ],
    ['two transforms', z.string().transform(Number).transform(String), 'output', /one-way transform/],
    [
      'a transform further down a pipe',
      z.string().pipe(z.transform((text: string) => text.length).pipe(z.number())),
      'output',
      /preprocess step/,
    ],
    ['a bare transform', z.object({ a: z.transform(() => 1) }), 'output.a', /transform/],
    [
      'a preprocess step',
      z.array(z.preprocess((value) => value, z.string())),
      'output[]',
      /preprocess step.*in the handler/,
    ],
    [
      'a pipe into another type',
      z.object({ at: z.string().pipe(z.coerce.date()) }),
      'output.at',
      /z\.date\(\)/,
    ],
  ])('is refused: %s', (_, schema, path, text) => {
    const [complaint] = complaintsOf(withOutput(schema))
    expect(complaint?.text).toMatch(new RegExp(`^${path.replace(/[[\]]/g, '\\$&')} is `))
    expect(complaint?.text).toMatch(text)
  })

  test('is fine as an input', () => {
    const shapes = [
      z.string().transform(Number).transform(String),
      z.preprocess((value) => value, z.string()),
      z.string().pipe(z.coerce.number()),
    ]
    for (const schema of shapes) expect(complaintsOf(withInput(schema))).toEqual([])
  })

  test('includes the data of errors and the progress of tasks', () => {
    const tree = {
      p: procedure.query({
        input: z.void(),
        output: z.void(),
        errors: { BAD: { status: 400, data: z.object({ at: z.date() }) } },
        handler: () => undefined,
      }),
      t: procedure.task({
        input: z.void(),
        output: z.void(),
        progress: z.object({ left: z.bigint() }),
        handler: () => undefined,
      }),
    }
    expect(complaintsOf(tree).map(({ at, text }) => `${at}: ${text.split(' ')[0]}`)).toEqual([
      'p: errors.BAD.data.at',
      't: progress.left',
    ])
  })
})

describe('what JSON holds', () => {
  test.each<[string, z.ZodType]>([
    [
      'codecs',
      z.object({
        at: z.codec(z.iso.datetime(), z.date(), {
          decode: (s) => new Date(s),
          encode: (d) => d.toISOString(),
        }),
        yes: z.stringbool(),
      }),
    ],
    [
      'defaults',
      z.object({ a: z.string().default('x'), b: z.string().prefault('x'), c: z.string().catch('x') }),
    ],
    ['unknown things', z.object({ a: z.unknown(), b: z.any(), c: z.json() })],
    [
      'strings of every kind',
      z.object({
        a: z.uuid(),
        b: z.templateLiteral(['v', z.number()]),
        c: z.base64(),
        d: z.string().trim().toLowerCase(),
      }),
    ],
    ['literals and enums', z.object({ a: z.literal(['x', 1, true, null]), b: z.enum(['x']), c: z.null() })],
    ['brands and refinements', z.object({ a: z.string().brand('id'), b: z.number().refine((n) => n > 1) })],
    [
      'records',
      z.object({
        a: z.record(z.enum(['x', 'y']), z.number()),
        b: z.partialRecord(z.enum(['x']), z.number()),
        c: z.record(z.number(), z.string()),
      }),
    ],
    ['never', z.object({ a: z.never().optional() })],
  ])('is taken, in and out: %s', (_, schema) => {
    expect(complaintsOf(withInput(schema))).toEqual([])
    expect(complaintsOf(withOutput(schema))).toEqual([])
  })
})

describe('files and streams', () => {
  test('are a whole output or none of it', () => {
    expect(complaintsOf(withOutput(z.file()))).toEqual([])
    expect(complaintsOf(withOutput(stream('text/csv') as never))).toEqual([])
    expect(complaintsOf(withOutput(z.object({ file: z.file() })))[0]?.text).toMatch(
      /^output\.file is .*whole output/,
    )
    expect(complaintsOf(withOutput(z.array(z.file())))[0]?.text).toMatch(/^output\[\] is .*whole output/)
    expect(complaintsOf(withOutput(z.object({ rows: stream('text/csv') as never })))[0]?.text).toMatch(
      /^output\.rows is /,
    )
  })

  test('are no input but files in a form', () => {
    expect(complaintsOf(withInput(z.object({ file: z.file() })))).toEqual([])
    expect(complaintsOf(withInput(z.object({ files: z.array(z.file()) })))).toEqual([])
    expect(complaintsOf(withInput(stream('text/csv') as never))[0]?.text).toMatch(
      /^input is .*stream\(\).*z\.file\(\)/,
    )
  })

  test('can not be in a task, whose input and output are kept as JSON', () => {
    const task = (input: z.ZodType, output: z.ZodType) => ({
      thumb: procedure.task({ input, output, handler: () => undefined as never }),
    })
    for (const tree of [
      task(z.object({ f: z.file() }), z.void()),
      task(z.void(), z.file()),
      task(z.void(), stream('x/y') as never),
    ])
      expect(complaintsOf(tree)).toMatchObject([
        {
          at: 'thumb',
          text: expect.stringMatching(/files and streams can not be in them; use base64 text or a URL/),
        },
      ])
  })

  test('have a content type that HTTP can carry', () => {
    expect(() => stream('text/csv; charset=utf-8')).not.toThrow()
    for (const wrong of ['', 'csv', 'text/csv\r\nx: y', 'text/☃'])
      expect(() => stream(wrong)).toThrow(/is not a media type/)
  })
})

describe('a name', () => {
  const p = procedure.query({ input: z.void(), output: z.void(), handler: () => undefined })

  test.each(['then', 'call', 'apply', 'client', 'constructor', 'prototype', 'createCaller'])(
    '%s is reserved, at any depth',
    (name) => {
      expect(complaintsOf({ [name]: p })).toMatchObject([
        { at: name, text: `the name "${name}" is reserved: rename it` },
      ])
      expect(complaintsOf({ a: { [name]: p } })).toMatchObject([{ at: `a.${name}` }])
      expect(complaintsOf({ [name]: { p } })).toMatchObject([{ at: name }])
    },
  )

  test.each(['bad-name', '1st', '_hidden', 'with space', 'a.b', 'a/b', 'é', '', '$x'])(
    '%j is not one',
    (name) => {
      expect(complaintsOf({ [name]: p })).toMatchObject([
        { text: expect.stringMatching(/must match .*: rename it$/) },
      ])
    },
  )

  test('tasks is taken when there are tasks, and free when there are none', () => {
    const t = procedure.task({ input: z.void(), output: z.void(), handler: () => undefined })
    expect(complaintsOf({ tasks: { p }, t })).toMatchObject([
      { at: 'tasks.p', text: expect.stringMatching(/the name "tasks" is taken by trpc\.tasks.*rename it/) },
    ])
    expect(complaintsOf({ tasks: { p } })).toEqual([])
  })

  test('makes an operationId that nothing else makes', () => {
    expect(complaintsOf({ users: { create: p }, usersCreate: p })).toMatchObject([
      {
        at: 'usersCreate',
        text: expect.stringMatching(/operationId usersCreate is also that of users\.create: rename one/),
      },
    ])
    const t = procedure.task({ input: z.void(), output: z.void(), handler: () => undefined })
    expect(complaintsOf({ report: t, startReport: p })).toMatchObject([
      { at: 'startReport', text: expect.stringMatching(/startReport is also that of report/) },
    ])
    expect(complaintsOf({ listTasks: p, t })).toMatchObject([{ at: 'listTasks' }])
  })
})

describe('a value that is no procedure', () => {
  test('is told how to become one when it is a declaration', () => {
    const bare = { input: z.void(), output: z.void(), handler: () => undefined }
    expect(complaintsOf({ a: { b: bare } })).toEqual([
      { at: 'a.b', text: expect.stringMatching(/wrap it in procedure\.query/) as string },
    ])
  })

  test.each<[string, unknown, string]>([
    ['undefined', undefined, 'missing'],
    ['null', null, 'null'],
    ['a function', () => 1, 'a function'],
    ['a number', 5, 'a number'],
  ])('is told with its place: %s', (_, value, words) => {
    expect(complaintsOf({ a: { b: value } })).toEqual([
      { at: 'a.b', text: `expected a procedure or a record of procedures, and it is ${words}` },
    ])
  })
})

describe('an option that nobody knows', () => {
  const base = { input: z.void(), output: z.void(), handler: () => undefined }

  test('of a procedure is refused, with the kind', () => {
    expect(complaintsOf({ p: procedure.query({ ...base, retries: 3 } as never) })).toEqual([
      {
        at: 'p',
        text: 'unknown option "retries" of a query, expected one of input, output, errors, meta, handler',
      },
    ])
    expect(complaintsOf({ p: procedure.mutation({ ...base, retry: {} } as never) })[0]?.text).toBe(
      'unknown option "retry" of a mutation, expected one of input, output, errors, meta, handler',
    )
    expect(complaintsOf({ p: procedure.task({ ...base, retries: 3 } as never) })[0]?.text).toMatch(
      /^unknown option "retries" of a task, expected one of input, .*, retry, timeout/,
    )
  })

  test('of the app is refused, with those there are', () => {
    expect(complaintsOf({}, { taks: 1 })[0]).toMatchObject({
      at: 'options',
      text: expect.stringMatching(/^unknown option "taks", expected one of module, tasks/),
    })
    expect(complaintsOf({}, { routes: { doc: false } })[0]?.text).toMatch(
      /^unknown option routes\.doc, expected one of tasks, docs/,
    )
    expect(complaintsOf({}, { cors: { origins: '*' } })[0]?.text).toMatch(
      /^unknown option cors\.origins, expected one of origin/,
    )
    expect(complaintsOf({}, { openapi: { tittle: 'x' } })[0]?.text).toMatch(
      /^unknown option openapi\.tittle, expected one of title/,
    )
  })

  test('of meta.rest is refused, with those there are', () => {
    const rest = (
      value: object,
      input: z.ZodType = z.object({ id: z.string() }),
      output: z.ZodType = z.string(),
    ) =>
      complaintsOf({
        p: procedure.query({ input, output, meta: { rest: value }, handler: () => '' }),
      })[0]?.text
    expect(rest({ methd: 'GET' })).toMatch(/^unknown option meta\.rest\.methd, expected one of method, path/)
    expect(rest({ method: 'get' })).toMatch(
      /^meta\.rest\.method is "get", expected one of GET, POST, PUT, PATCH, DELETE/,
    )
    expect(rest({ status: 404 })).toMatch(/^meta\.rest\.status is 404, expected .* 200 to 299/)
    expect(rest({ status: 204 })).toMatch(/^meta\.rest\.status is 204, which has no body/)
    expect(rest({ status: 204 }, z.void(), z.void())).toBeUndefined()
    expect(rest({ body: 'xml' })).toMatch(/^meta\.rest\.body is "xml", expected "json" or "form"/)
    expect(rest({ path: 'users/{id}' })).toMatch(/must begin with "\/"/)
    expect(rest({ path: '/users/{userId}' })).toMatch(
      /^meta\.rest takes "userId" from .*no such field: add it, or rename the parameter/,
    )
    expect(rest({ path: '/users/{id}.json' })).toMatch(/a parameter takes a whole segment/)
    expect(rest({ path: '/users/{id' })).toMatch(/a parameter takes a whole segment/)
    expect(rest({ path: '/users/{id}/{id}' })).toMatch(/"id" twice/)
    expect(rest({ path: '/größe' })).toMatch(/as it is sent, percent-encoded/)
    expect(rest({ path: '/a?b=1' })).toMatch(/meta\.rest\.path/)
    expect(rest({ in: { id: 'body:id' } })).toMatch(/expected header:name, cookie:name or query:name/)
    expect(rest({ in: { token: 'header:x-token' } })).toMatch(/"token".*no such field/)
    expect(rest({ path: '/{id}' }, z.string())).toMatch(/no such field/)
  })
})

describe('a value of an option', () => {
  test.each<[object, RegExp]>([
    [{ prefix: 'api' }, /^prefix is "api", expected a path like "\/api"/],
    [{ prefix: '/api/' }, /^prefix is "\/api\/"/],
    [{ prefix: '/größe' }, /^prefix is "\/größe"/],
    [{ prefix: '/{tenant}' }, /^prefix is /],
    [{ routes: { tasks: 'tasks' } }, /^routes\.tasks is "tasks", expected a path like "\/_tasks", or false/],
    [{ routes: { docs: true } }, /^routes\.docs is true/],
    [{ profile: 'prod' }, /^profile is "prod", which is no profile: did you mean production\?/],
    [{ module: '/app.ts' }, /^module is "\/app\.ts", expected a file: URL: pass import\.meta\.url/],
    [{ bodyLimit: '10gb' }, /^bodyLimit "10gb" is not a size/],
    [{ bodyLimit: -1 }, /^bodyLimit -1 is not a size/],
    [{ bodyLimit: Number.NaN }, /^bodyLimit .* is not a size/],
  ])('is checked: %j', (options, text) => {
    expect(complaintsOf({}, options)).toMatchObject([{ at: 'options', text: expect.stringMatching(text) }])
  })

  test('of a procedure is checked, and the procedure named', () => {
    const p = procedure.query({
      input: z.void(),
      output: z.void(),
      meta: { bodyLimit: 'much' as never },
      handler: () => undefined,
    })
    expect(complaintsOf({ p })).toEqual([
      { at: 'p', text: 'bodyLimit "much" is not a size: give bytes or a text like \'10mb\'' },
    ])
    const e = procedure.query({
      input: z.void(),
      output: z.void(),
      errors: { ODD: { status: 200 } },
      handler: () => undefined,
    })
    expect(complaintsOf({ e })).toEqual([
      { at: 'e', text: 'errors.ODD.status is 200, expected an HTTP status from 400 to 599' },
    ])
    const h = procedure.query({ input: z.void(), output: z.void(), handler: undefined as never })
    expect(complaintsOf({ h })[0]?.text).toMatch(/^handler is missing, expected a function/)
  })

  test('of a task is checked, and the task named', () => {
    const task = (options: object) =>
      complaintsOf({
        t: procedure.task({
          input: z.void(),
          output: z.void(),
          handler: () => undefined,
          ...options,
        }),
      })
    for (const options of [
      { timeout: '10 minutes' },
      { retry: { attempts: 0 } },
      { retry: { backoff: 'slow' } },
      { priority: 101 },
      { concurrency: 0 },
      { runOn: 'cloud' },
      { mode: 'never' },
      { keep: -1 },
      { onCrash: 'panic' },
      { retry: { tries: 3 } },
    ])
      expect(task(options), JSON.stringify(options)).toMatchObject([
        { at: 't', text: expect.stringMatching(new RegExp(Object.keys(options)[0] as string)) },
      ])
  })
})

describe('tasks', () => {
  const t = procedure.task({ input: z.void(), output: z.void(), handler: () => undefined })

  test('that run in workers need the module that workers import', () => {
    expect(complaintsOf({ a: { t } }, { tasks: local({ store: 'memory' }) })).toEqual([
      {
        at: 'a.t',
        text: 'a task runs in a worker, which imports the module of this app: give createApp { module: import.meta.url }',
      },
    ])
  })

  test('that run on the event loop do not', () => {
    const here = procedure.task({
      input: z.void(),
      output: z.void(),
      runOn: 'inline',
      handler: () => undefined,
    })
    expect(complaintsOf({ here }, { tasks: local({ store: 'memory' }) })).toEqual([])
    expect(complaintsOf({ t }, { tasks: inline() })).toEqual([])
  })
})

describe('a router made by plain tRPC', () => {
  const t = initTRPC.create()
  const doubled = t.procedure.input(z.object({ n: z.number() })).query(({ input }) => input.n * 2)

  test('is taken whole, or inside the record', () => {
    expect(complaintsOf(t.router({ doubled }))).toEqual([])
    expect(complaintsOf({ old: t.router({ doubled }) })).toEqual([])
  })

  test('with a transformer is refused, with the cure', () => {
    const transformed = initTRPC.create({
      transformer: { serialize: (value) => [value], deserialize: (value) => value },
    })
    const router = transformed.router({ p: transformed.procedure.query(() => 1) })
    expect(complaintsOf(router)).toMatchObject([
      { at: '(the router)', text: expect.stringMatching(/has a transformer.*Use zod codecs/) },
    ])
    expect(complaintsOf({ old: router })).toMatchObject([{ at: 'old' }])
  })
})

test('createApp opens nothing, so that it can be called anywhere', () => {
  const before = process.getActiveResourcesInfo().length
  createApp(
    { t: createProcedure().task({ input: z.void(), output: z.void(), handler: () => undefined }) },
    { module: import.meta.url },
  )
  expect(process.getActiveResourcesInfo().length).toBe(before)
})
