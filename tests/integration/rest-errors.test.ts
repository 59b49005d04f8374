/** Errors as a caller sees them, and as the log does. */
import { setTimeout as sleep } from 'node:timers/promises'
import { initTRPC, TRPCError } from '@trpc/server'
import { describe, expect, test } from 'vitest'
import { procedure, ProcedureError, type ErrorCode, type Profile } from 'errand'
import { z } from 'zod'
import { problemOf } from '../support/http.ts'
import { serve, type LogLine } from '../support/serve.ts'

const throwing = (make: () => unknown) =>
  procedure.query({
    input: z.void(),
    output: z.string(),
    handler: () => {
      throw make()
    },
  })

describe('an input that breaks its schema', async () => {
  const { call, logs } = await serve({
    order: procedure.mutation({
      input: z.object({
        sku: z.string().min(3),
        lines: z.array(z.object({ count: z.int().positive(), note: z.string().optional() })).min(1),
        pay: z.discriminatedUnion('by', [
          z.object({ by: z.literal('card'), number: z.string() }),
          z.object({ by: z.literal('cash') }),
        ]),
        amount: z.codec(z.string(), z.bigint().max(100n), { decode: BigInt, encode: String }).optional(),
        custom: z
          .string()
          .refine((text) => text !== 'bad', { params: { big: 5n, fn: () => 1 }, message: 'is bad' })
          .optional(),
      }),
      output: z.void(),
      handler: () => undefined,
    }),
    checked: procedure.mutation({
      input: z.object({
        name: z.string().refine(async (name) => (await sleep(1), name !== 'taken'), 'is taken'),
      }),
      output: z.string(),
      handler: ({ input }) => input.name,
    }),
    blowsUp: procedure.mutation({
      input: z.string().refine(() => {
        throw new Error('a refinement with a bug')
      }),
      output: z.void(),
      handler: () => undefined,
    }),
  })
  const good = { sku: 'abc', lines: [{ count: 1 }], pay: { by: 'cash' } }

  test('is 400 with every issue, each with the path as zod has it', async () => {
    const answer = await call('/order', {
      sku: 'a',
      lines: [{ count: 0 }, { count: 1, note: 5 }],
      pay: { by: 'coins' },
    })
    expect(answer).toMatchObject({ status: 400, type: 'application/problem+json' })
    const problem = problemOf(answer)
    expect(problem).toMatchObject({
      type: 'about:blank',
      title: 'Bad Request',
      status: 400,
      code: 'BAD_REQUEST',
      instance: '/order',
    })
    expect(problem.issues?.map(({ path, code }) => [code, path])).toEqual([
      ['too_small', ['sku']],
      ['too_small', ['lines', 0, 'count']],
      ['invalid_type', ['lines', 1, 'note']],
      ['invalid_union', ['pay', 'by']],
    ])
    expect(problem.detail).toMatch(/^Invalid input: 4 issues, first sku: /)
  })

  test('says a single issue in one sentence', async () => {
    expect(problemOf(await call('/order', { ...good, sku: 5 })).detail).toBe(
      'Invalid input: sku: expected string, received number',
    )
    expect(problemOf(await call('/order')).detail).toBe('Invalid input: expected object, received undefined')
  })

  test('is 400 also where an issue holds what JSON can not, such as the bound of a bigint', async () => {
    const answer = await call('/order', { ...good, amount: '101' })
    expect(answer.status).toBe(400)
    expect(problemOf(answer).issues).toMatchObject([{ code: 'too_big', path: ['amount'], maximum: '100' }])
    const custom = await call('/order', { ...good, custom: 'bad' })
    expect(custom.status).toBe(400)
    expect(problemOf(custom).issues).toMatchObject([{ code: 'custom', path: ['custom'], message: 'is bad' }])
  })

  test('is never repeated: the refused value is not in the answer', async () => {
    expect((await call('/order', { ...good, sku: ['hunter2'] })).text).not.toContain('hunter2')
  })

  test('may be found by an asynchronous refinement', async () => {
    expect((await call('/checked', { name: 'free' })).json).toBe('free')
    expect(problemOf(await call('/checked', { name: 'taken' })).issues).toMatchObject([
      { path: ['name'], message: 'is taken' },
    ])
  })

  test('is not the caller’s fault when the refinement itself throws', async () => {
    expect((await call('/blowsUp', 'x')).status).toBe(500)
    expect(logs.at(-1)?.message).toBe('blowsUp failed: Error: a refinement with a bug')
  })

  test('is nothing for the log', () => {
    expect(logs.filter(({ message }) => !message.includes('a refinement with a bug'))).toEqual([])
  })
})

describe('a declared error', async () => {
  const errors = {
    OUT_OF_STOCK: {
      status: 409,
      data: z.object({
        sku: z.string(),
        until: z.codec(z.iso.date(), z.date(), {
          decode: (s) => new Date(s),
          encode: (d) => d.toISOString().slice(0, 10),
        }),
      }),
    },
    NOT_FOUND: { status: 404, message: 'No such order' },
    BROKEN: { status: 503 },
  } as const
  const { call, get, logs } = await serve({
    order: procedure.mutation({
      input: z.enum(['stock', 'none', 'broken', 'worded', 'badData', 'caused']),
      output: z.void(),
      errors,
      handler: ({ input, errors: make }) => {
        if (input === 'stock') throw make.OUT_OF_STOCK({ sku: 'x', until: new Date(0) })
        if (input === 'none') throw make.NOT_FOUND()
        if (input === 'worded') throw make.NOT_FOUND(undefined, { message: 'Gone for good' })
        if (input === 'badData') throw make.OUT_OF_STOCK({ sku: 5 } as never)
        if (input === 'caused') throw make.BROKEN(undefined, { cause: new Error('the disk is full') })
        throw make.BROKEN()
      },
    }),
  })

  test('has its own code, status and data, encoded by its schema', async () => {
    expect(problemOf(await call('/order', 'stock'))).toEqual({
      type: 'about:blank',
      title: 'Conflict',
      status: 409,
      code: 'OUT_OF_STOCK',
      detail: 'Out of stock',
      data: { sku: 'x', until: '1970-01-01' },
      instance: '/order',
    })
  })

  test('has the message it was declared with, or thrown with', async () => {
    expect(problemOf(await call('/order', 'none'))).toMatchObject({
      status: 404,
      code: 'NOT_FOUND',
      detail: 'No such order',
    })
    expect(problemOf(await call('/order', 'worded')).detail).toBe('Gone for good')
    expect(problemOf(await call('/order', 'broken'))).toMatchObject({
      status: 503,
      code: 'BROKEN',
      detail: 'Broken',
      title: 'Service Unavailable',
    })
  })

  test('with data that breaks its schema is a bug of the handler: 500, told in the log', async () => {
    expect((await call('/order', 'badData')).status).toBe(500)
    expect(logs.at(-1)?.message).toMatch(/errors\.OUT_OF_STOCK: the data does not match its schema: sku: /)
  })

  test('keeps its cause for the log', async () => {
    const answer = await call('/order', 'caused')
    expect(answer.text).not.toContain('disk')
    expect(logs.at(-1)).toMatchObject({ level: 'error', message: 'order failed: Error: the disk is full' })
  })

  test('is told over tRPC by its code, with the tRPC key of its status', async () => {
    const { status, json } = await call('/trpc/order', 'stock')
    expect([status, json]).toEqual([
      409,
      {
        error: {
          message: 'Out of stock',
          code: -32009,
          data: {
            code: 'CONFLICT',
            httpStatus: 409,
            path: 'order',
            error: { code: 'OUT_OF_STOCK', data: { sku: 'x', until: '1970-01-01' } },
          },
        },
      },
    ])
    expect((await get('/trpc/order')).status).toBe(405)
  })
})

describe('a ProcedureError', async () => {
  const { get } = await serve({
    plain: throwing(() => new ProcedureError('FORBIDDEN', 'Not today')),
    silent: throwing(() => new ProcedureError('CONFLICT')),
    withData: throwing(() => new ProcedureError('UNPROCESSABLE_CONTENT', 'No', { data: { field: 'x' } })),
    later: throwing(() => new ProcedureError('TOO_MANY_REQUESTS', 'Slow down', { retryAfter: 1.2 })),
    unserialisable: throwing(() => new ProcedureError('CONFLICT', 'No', { data: { n: 1n } })),
    unknownCode: throwing(() => new ProcedureError('OH_NO' as ErrorCode, 'x')),
    any: procedure.query({
      input: z.object({ code: z.string() }),
      output: z.void(),
      handler: ({ input }) => {
        throw new ProcedureError(input.code as ErrorCode, 'm')
      },
    }),
  })

  test('has the status of its code, its message and its data', async () => {
    expect(problemOf(await get('/plain'))).toMatchObject({
      status: 403,
      code: 'FORBIDDEN',
      title: 'Forbidden',
      detail: 'Not today',
    })
    expect(problemOf(await get('/silent'))).toMatchObject({
      status: 409,
      code: 'CONFLICT',
      detail: 'CONFLICT',
    })
    expect(problemOf(await get('/withData'))).toMatchObject({ status: 422, data: { field: 'x' } })
  })

  test('says when to come back, in whole seconds', async () => {
    expect(await get('/later')).toMatchObject({ status: 429, headers: { 'retry-after': '2' } })
  })

  test.each([
    ['PARSE_ERROR', 400],
    ['BAD_REQUEST', 400],
    ['UNAUTHORIZED', 401],
    ['PAYMENT_REQUIRED', 402],
    ['FORBIDDEN', 403],
    ['NOT_FOUND', 404],
    ['METHOD_NOT_SUPPORTED', 405],
    ['TIMEOUT', 408],
    ['CONFLICT', 409],
    ['PRECONDITION_FAILED', 412],
    ['PAYLOAD_TOO_LARGE', 413],
    ['UNSUPPORTED_MEDIA_TYPE', 415],
    ['UNPROCESSABLE_CONTENT', 422],
    ['PRECONDITION_REQUIRED', 428],
    ['TOO_MANY_REQUESTS', 429],
    ['CLIENT_CLOSED_REQUEST', 499],
    ['INTERNAL_SERVER_ERROR', 500],
    ['NOT_IMPLEMENTED', 501],
    ['BAD_GATEWAY', 502],
    ['SERVICE_UNAVAILABLE', 503],
    ['GATEWAY_TIMEOUT', 504],
  ])('%s is %i', async (code, status) => {
    expect(problemOf(await get(`/any?code=${code}`))).toMatchObject({ status, code })
  })

  test('with a code that tRPC does not have is a bug: 500', async () => {
    expect((await get('/unknownCode')).status).toBe(500)
  })

  test('with data that JSON can not hold is 500, and the server lives', async () => {
    expect((await get('/unserialisable')).status).toBe(500)
    expect((await get('/trpc/unserialisable')).status).toBe(500)
  })
})

const strange = {
  error: () => new Error('the password is hunter2', { cause: new Error('the deeper reason') }),
  type: () => new TypeError('hunter2 is not a function'),
  text: () => 'hunter2',
  nothing: () => undefined,
  null: () => null,
  bare: () => Object.create(null) as object,
  object: () => ({ password: 'hunter2' }),
  symbol: () => Symbol('hunter2'),
  aggregate: () => new AggregateError([new Error('hunter2')], ''),
  rejected: () => Object.assign(new Error('hunter2'), { status: 404, code: 'NOT_FOUND', statusCode: 404 }),
}

describe.each<Profile>(['production', 'test'])(
  'an error nobody expected, in the %s profile',
  async (profile) => {
    const { get, logs } = await serve(
      Object.fromEntries(Object.entries(strange).map(([name, make]) => [name, throwing(make)])),
      { profile },
    )

    test.each(Object.keys(strange))('is 500 with nothing of it on the wire: %s', async (name) => {
      for (const path of [`/${name}`, `/trpc/${name}`]) {
        const before = logs.length
        const answer = await get(path)
        expect(answer.status).toBe(500)
        expect(answer.text).not.toMatch(/hunter2|deeper|at .*\.ts|node_modules/)
        expect(logs.slice(before)).toMatchObject([
          { level: 'error', fields: { path: name, code: 'INTERNAL_SERVER_ERROR' } },
        ])
      }
    })

    test('is a plain problem', async () => {
      expect(problemOf(await get('/error'))).toEqual({
        type: 'about:blank',
        title: 'Internal Server Error',
        status: 500,
        code: 'INTERNAL_SERVER_ERROR',
        detail: 'Internal server error',
        instance: '/error',
      })
    })

    test('is in the log with its message, its stack and what caused it', async () => {
      await get('/error')
      const line = logs.at(-1)
      expect(line?.message).toBe('error failed: Error: the password is hunter2')
      const { err } = (line as LogLine).fields as { err: { stack: string } }
      expect(err.stack).toContain('rest-errors.test.ts')
      expect(err.stack).toContain('the deeper reason')
    })

    test('is in the log even when it is no Error', async () => {
      await get('/object')
      expect(logs.at(-1)?.message).toContain('hunter2')
      await get('/aggregate')
      expect(JSON.stringify(logs.at(-1)?.fields)).toContain('hunter2')
    })
  },
)

test('an error nobody expected shows its words in the development profile', async () => {
  const { get } = await serve({ error: throwing(strange.error) }, { profile: 'development' })
  expect(problemOf(await get('/error'))).toMatchObject({
    status: 500,
    detail: 'Error: the password is hunter2',
  })
  expect((await get('/trpc/error')).json).toMatchObject({
    error: { message: 'Error: the password is hunter2' },
  })
})

test('a logger that throws costs nobody an answer', async () => {
  const fail = (): never => {
    throw new Error('the log is full')
  }
  const { get } = await serve(
    { error: throwing(strange.error) },
    { logger: { error: fail, warn: fail, info: fail } },
  )
  expect((await get('/error')).status).toBe(500)
  expect((await get('/error')).status).toBe(500)
})

describe('a TRPCError thrown by a handler', async () => {
  const t = initTRPC.create()
  const foreign = t.router({
    fails: t.procedure.query(() => {
      throw new Error('the secret of another router')
    }),
  })
  const { get, logs } = await serve({
    teapot: throwing(() => new TRPCError({ code: 'PRECONDITION_FAILED', message: 'Read it first' })),
    wrapped: throwing(
      () => new TRPCError({ code: 'INTERNAL_SERVER_ERROR', cause: new Error('the secret cause') }),
    ),
    caused: throwing(
      () =>
        new TRPCError({
          code: 'BAD_GATEWAY',
          message: 'Try another day',
          cause: new Error('upstream said no'),
        }),
    ),
    passedOn: procedure.query({
      input: z.void(),
      output: z.void(),
      handler: async () => foreign.createCaller({}).fails(),
    }),
  })

  test('means what it means to tRPC', async () => {
    expect(problemOf(await get('/teapot'))).toMatchObject({
      status: 412,
      code: 'PRECONDITION_FAILED',
      detail: 'Read it first',
    })
    expect((await get('/trpc/teapot')).json).toMatchObject({
      error: { data: { code: 'PRECONDITION_FAILED', httpStatus: 412 } },
    })
  })

  test('keeps to itself what tRPC only wrapped', async () => {
    for (const path of ['/wrapped', '/passedOn', '/trpc/wrapped', '/trpc/passedOn']) {
      const answer = await get(path)
      expect(answer.status).toBe(500)
      expect(answer.text).not.toContain('secret')
      expect(logs.at(-1)?.message).toContain('the secret')
    }
  })

  test('has its cause in the log', async () => {
    expect(problemOf(await get('/caused'))).toMatchObject({ status: 502, detail: 'Try another day' })
    expect(logs.at(-1)?.message).toContain('upstream said no')
  })
})

test('an error of a procedure called through app.caller keeps its code and data', async () => {
  const inner = procedure.query({
    input: z.string(),
    output: z.void(),
    errors: { NO_SUCH: { status: 404, data: z.object({ id: z.string() }) } },
    handler: ({ input, errors }) => {
      throw errors.NO_SUCH({ id: input })
    },
  })
  const outer = procedure.query({
    input: z.void(),
    output: z.void(),
    handler: async () => {
      const caller = app.caller({}) as unknown as { inner: (id: string) => Promise<void> }
      await caller.inner('7')
    },
  })
  const { app, get } = await serve({ inner, outer })
  expect(problemOf(await get('/outer'))).toMatchObject({ status: 404, code: 'NO_SUCH', data: { id: '7' } })
})
