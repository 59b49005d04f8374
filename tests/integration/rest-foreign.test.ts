/** Procedures made by plain tRPC, over REST: they answer there as they do over tRPC. */
import { initTRPC, TRPCError } from '@trpc/server'
import { describe, expect, test } from 'vitest'
import { procedure } from 'errand'
import { z } from 'zod'
import { problemOf } from '../support/http.ts'
import { serve } from '../support/serve.ts'
import { eventsIn } from '../support/sse.ts'

const t = initTRPC.context<{ who: string }>().create()

const guarded = t.procedure.use(({ ctx, next }) => {
  if (ctx.who === 'nobody') throw new TRPCError({ code: 'UNAUTHORIZED', message: 'Who are you?' })
  return next({ ctx: { length: ctx.who.length } })
})

const router = t.router({
  add: t.procedure.input(z.object({ a: z.number(), b: z.number() })).query(({ input }) => input.a + input.b),
  merged: t.procedure
    .input(z.object({ a: z.number() }))
    .input(z.object({ b: z.string() }))
    .query(({ input }) => input),
  nested: t.router({ save: guarded.mutation(({ ctx }) => `${ctx.who} ${ctx.length}`) }),
  undeclared: t.procedure.query(() => ({ at: new Date(0), gone: undefined, list: [1, undefined] })),
  nothing: t.procedure.mutation(() => undefined),
  fails: t.procedure.query(() => {
    throw new Error('secret')
  }),
  refuses: t.procedure.query(() => {
    throw new TRPCError({ code: 'PRECONDITION_FAILED', message: 'Not yet' })
  }),
  wrongOutput: t.procedure.output(z.number()).query(() => 'text' as never),
  items: t.procedure.subscription(async function* () {
    yield 1
    yield 2
  }),
})

const { call, get, logs } = await serve(
  { old: router, mine: procedure.query({ input: z.void(), output: z.string(), handler: () => 'mine' }) },
  { createContext: ({ headers }) => ({ who: headers.get('x-who') ?? 'nobody' }) },
)

describe('a tRPC procedure', () => {
  test('answers POST and GET with the bare output', async () => {
    expect((await call('/old/add', { a: 1, b: 2 })).text).toBe('3')
    expect((await get('/old/add?a=1&b=2')).text).toBe('3')
    expect((await get('/mine')).json).toBe('mine')
  })

  test('has its merged inputs, each refused by its schema', async () => {
    expect((await get('/old/merged?a=1&b=x')).json).toEqual({ a: 1, b: 'x' })
    expect(problemOf(await call('/old/merged', { b: 'x' })).issues?.map(({ path }) => path)).toEqual([['a']])
  })

  test('refuses a bad input with 400 and every issue', async () => {
    const answer = await call('/old/add', { a: 'x' })
    expect(answer.status).toBe(400)
    expect(problemOf(answer).issues?.map(({ path }) => path)).toEqual([['a'], ['b']])
  })

  test('has its own middleware and context', async () => {
    expect((await call('/old/nested/save')).status).toBe(401)
    expect((await call('/old/nested/save', undefined, { 'x-who': 'Ada' })).json).toBe('Ada 3')
  })

  test('gives what JSON makes of an output that nobody declared', async () => {
    expect((await get('/old/undeclared')).json).toEqual({ at: '1970-01-01T00:00:00.000Z', list: [1, null] })
    expect(await call('/old/nothing')).toMatchObject({ status: 204, text: '' })
  })

  test('fails as over tRPC: its own errors told, the others hidden and logged', async () => {
    expect(problemOf(await get('/old/refuses'))).toMatchObject({
      status: 412,
      code: 'PRECONDITION_FAILED',
      detail: 'Not yet',
    })
    for (const path of ['/old/fails', '/old/wrongOutput']) {
      const before = logs.length
      const answer = await get(path)
      expect(answer.status).toBe(500)
      expect(answer.text).not.toContain('secret')
      expect(logs.length).toBe(before + 1)
    }
  })

  test('streams as events', async () => {
    expect(eventsIn((await get('/old/items')).text).map(({ event, data }) => [event, data])).toEqual([
      ['message', 1],
      ['message', 2],
      ['done', null],
    ])
  })

  test('goes on answering tRPC', async () => {
    expect((await get('/trpc/old.add?input=%7B%22a%22%3A1%2C%22b%22%3A2%7D')).json).toEqual({
      result: { data: 3 },
    })
  })
})
