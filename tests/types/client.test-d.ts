/** What an unmodified tRPC client, and Errand's helpers on it, infer from an app. */
import { createTRPCClient } from '@trpc/client'
import { initTRPC } from '@trpc/server'
import { createApp, createProcedure, procedure, type TaskEvent, type TaskHandle } from 'errand'
import {
  attachTask,
  errandLinks,
  errorOf,
  startTask,
  type HandleOf,
  type TaskLog,
  type TaskRecord,
} from 'errand/client'
import { attachTask as attachRest, restTask, startTask as startRest } from 'errand/client/rest'
import { expectTypeOf, test } from 'vitest'
import { z } from 'zod'
import * as sdk from '../../clients/quickstart/index.ts'

const Tree = z.object({
  name: z.string(),
  get children() {
    return z.array(Tree)
  },
})

const isoDate = z.codec(z.iso.datetime(), z.date(), {
  decode: (s) => new Date(s),
  encode: (d) => d.toISOString(),
})
const t = initTRPC.create()

const app = createApp({
  add: procedure.query({
    input: z.object({ a: z.number(), b: z.number() }),
    output: z.number(),
    handler: ({ input }) => input.a + input.b,
  }),
  ping: procedure.query({ input: z.void(), output: z.literal('pong'), handler: () => 'pong' as const }),
  greet: procedure.query({
    input: z.object({ name: z.string().default('World') }),
    output: z.string(),
    handler: ({ input }) => input.name,
  }),
  shape: procedure.mutation({
    input: z.discriminatedUnion('kind', [
      z.object({ kind: z.literal('circle'), r: z.number() }),
      z.object({ kind: z.literal('square'), side: z.number() }),
    ]),
    output: z.object({ area: z.number(), at: isoDate }),
    handler: () => ({ area: 1, at: new Date() }),
  }),
  tree: procedure.query({ input: z.void(), output: Tree, handler: () => ({ name: 'root', children: [] }) }),
  shop: {
    order: procedure.mutation({
      input: z.object({ sku: z.string() }),
      output: z.object({ id: z.string() }),
      errors: { OUT_OF_STOCK: { status: 409, data: z.object({ sku: z.string() }) }, CLOSED: { status: 503 } },
      handler: ({ errors }) => {
        // @ts-expect-error the data is required
        void (() => errors.OUT_OF_STOCK())
        // @ts-expect-error not declared
        void errors.NOPE
        throw errors.OUT_OF_STOCK({ sku: 'x' })
      },
    }),
  },
  ticks: procedure.subscription({
    input: z.object({ n: z.number() }),
    output: z.object({ tick: z.number() }),
    handler: async function* () {
      yield { tick: 1 }
    },
  }),
  countPrimes: procedure.task({
    input: z.object({ below: z.int() }),
    output: z.object({ count: z.int(), largest: z.int() }),
    progress: z.object({ percent: z.number() }),
    errors: { TOO_BIG: { status: 400, data: z.object({ limit: z.number() }) } },
    handler: ({ progress }) => {
      progress({ percent: 1 })
      // @ts-expect-error not what the schema says
      progress({ percentage: 1 })
      return { count: 1, largest: 2 }
    },
  }),
  quiet: procedure.task({ input: z.void(), output: z.void(), handler: () => undefined }),
  plain: t.router({ echo: t.procedure.input(z.string()).query(({ input }) => input) }),
})

const trpc = createTRPCClient<typeof app.router>({ links: errandLinks({ url: 'http://localhost' }) })

test('queries and mutations infer inputs and outputs exactly', async () => {
  expectTypeOf(trpc.add.query).parameter(0).toEqualTypeOf<{ a: number; b: number }>()
  expectTypeOf(trpc.add.query({ a: 1, b: 2 })).resolves.toEqualTypeOf<number>()
  expectTypeOf(trpc.ping.query()).resolves.toEqualTypeOf<'pong'>()
  expectTypeOf(trpc.greet.query).parameter(0).toEqualTypeOf<{ name?: string | undefined }>()
  expectTypeOf(trpc.shape.mutate({ kind: 'circle', r: 1 })).resolves.toEqualTypeOf<{
    area: number
    at: string
  }>()
  expectTypeOf((await trpc.tree.query()).children[0]?.children[0]?.name).toEqualTypeOf<string | undefined>()
  expectTypeOf(trpc.plain.echo.query('x')).resolves.toEqualTypeOf<string>()
})

test('wrong kinds, inputs and names do not compile', () => {
  // @ts-expect-error a query is not a mutation
  void trpc.add.mutate
  // @ts-expect-error text for a number
  void trpc.add.query({ a: '1', b: 2 })
  // @ts-expect-error no such procedure
  void trpc.nope
  // @ts-expect-error a task has no query of its own
  void trpc.countPrimes.query
})

test('a task has its own router of calls', () => {
  expectTypeOf(trpc.countPrimes.run.mutate({ below: 1 })).resolves.toEqualTypeOf<{
    count: number
    largest: number
  }>()
  expectTypeOf(trpc.countPrimes.start.mutate).parameter(0).toEqualTypeOf<{ below: number }>()
  expectTypeOf(trpc.countPrimes.get.query({ id: 'x' })).resolves.toHaveProperty('result')
  expectTypeOf(trpc.tasks.list.query()).resolves.toHaveProperty('items')
})

test('handles are typed by their task', async () => {
  const task = await startTask(trpc.countPrimes, { below: 1 })
  expectTypeOf(task.result()).resolves.toEqualTypeOf<{ count: number; largest: number }>()
  for await (const progress of task.progress()) expectTypeOf(progress).toEqualTypeOf<{ percent: number }>()
  expectTypeOf(attachTask(trpc.countPrimes, 'id')).toEqualTypeOf<typeof task>()
  // @ts-expect-error wrong input
  void startTask(trpc.countPrimes, { above: 1 })
  // @ts-expect-error not a task
  void startTask(trpc.add, { a: 1, b: 2 })
})

test('events are told apart by their type, and carry what the task declares', async () => {
  for await (const event of attachTask(trpc.countPrimes, 'id').events()) {
    expectTypeOf(event.type).toEqualTypeOf<'state' | 'progress' | 'log' | 'gap' | 'done'>()
    if (event.type === 'progress') expectTypeOf(event.progress).toEqualTypeOf<{ percent: number }>()
    else if (event.type === 'log') expectTypeOf(event.log).toEqualTypeOf<TaskLog>()
    else if (event.type === 'gap') expectTypeOf(event).toEqualTypeOf<{ readonly type: 'gap' }>()
    else {
      expectTypeOf(event.record.result).toEqualTypeOf<{ count: number; largest: number } | undefined>()
      expectTypeOf(event.record.progress).toEqualTypeOf<{ percent: number } | undefined>()
    }
    // @ts-expect-error a record is only there in some
    void event.record
  }
})

test('records and cancels are typed by their task', async () => {
  const task = attachTask(trpc.countPrimes, 'id')
  type Record = TaskRecord<{ count: number; largest: number }, { percent: number }>
  expectTypeOf(task.record()).resolves.toEqualTypeOf<Record>()
  expectTypeOf(task.cancel()).resolves.toEqualTypeOf<Record>()
  expectTypeOf(task).toEqualTypeOf<HandleOf<typeof trpc.countPrimes>>()
  expectTypeOf(task.result).toBeCallableWith({ timeout: '5m', signal: new AbortController().signal })
  // @ts-expect-error not a duration
  void task.result({ timeout: 'soon' })
  expectTypeOf(startTask<typeof trpc.countPrimes>)
    .parameter(1)
    .toEqualTypeOf<{ below: number }>()
})

test('a task without progress or output has handles too', async () => {
  const task = await startTask(trpc.quiet, undefined)
  expectTypeOf(task.result()).resolves.toEqualTypeOf<void>()
  expectTypeOf(task.progress()).toEqualTypeOf<AsyncIterable<unknown>>()
})

test('only tasks have handles', () => {
  // @ts-expect-error a query is no task
  void attachTask(trpc.add, 'id')
  // @ts-expect-error a mutation is no task
  void attachTask(trpc.shop.order, 'id')
  // @ts-expect-error a subscription is no task
  void attachTask(trpc.ticks, 'id')
  // @ts-expect-error a procedure of plain tRPC
  void attachTask(trpc.plain.echo, 'id')
  // @ts-expect-error a router is no task
  void attachTask(trpc.shop, 'id')
  // @ts-expect-error an id is a text
  void attachTask(trpc.countPrimes, 7)
  // @ts-expect-error not an option of a start
  void startTask(trpc.countPrimes, { below: 1 }, { retries: 3 })
})

test('handles over a generated client are typed by its operations', async () => {
  const primes = restTask(sdk, 'countPrimes')
  const task = attachRest(primes, 'id')
  expectTypeOf(task.result()).resolves.toEqualTypeOf<{ count: number; largest: number }>()
  for await (const progress of task.progress()) expectTypeOf(progress).toEqualTypeOf<{ percent: number }>()
  for await (const event of task.events()) {
    if (event.type === 'progress') expectTypeOf(event.progress).toEqualTypeOf<{ percent: number }>()
    if (event.type === 'done')
      expectTypeOf(event.record.result).toEqualTypeOf<{ count: number; largest: number } | undefined>()
  }
  expectTypeOf(startRest(primes, { below: 1 })).resolves.toEqualTypeOf<typeof task>()
  // @ts-expect-error wrong input
  void startRest(primes, { above: 1 })
  // @ts-expect-error not a task
  void restTask(sdk, 'add')
  // @ts-expect-error not an operation
  void restTask(sdk, 'nope')
  // @ts-expect-error an operation of a task is none itself
  void restTask(sdk, 'startCountPrimes')
})

test('handles on the server are typed too', () => {
  const task = procedure.task({
    input: z.object({ n: z.number() }),
    output: z.string(),
    progress: z.number(),
    handler: () => 'done',
  })
  expectTypeOf(app.tasks.start(task, { n: 1 })).resolves.toEqualTypeOf<TaskHandle<string, number>>()
  // @ts-expect-error wrong input
  void app.tasks.start(task, { n: '1' })
})

test('errorOf gives a union told apart by code', () => {
  const error = errorOf(trpc.shop.order, new Error('x'))
  expectTypeOf(error?.code).toEqualTypeOf<'OUT_OF_STOCK' | 'CLOSED' | undefined>()
  if (error?.code === 'OUT_OF_STOCK') expectTypeOf(error.data.sku).toEqualTypeOf<string>()
  const taskError = errorOf(trpc.countPrimes, new Error('x'))
  if (taskError?.code === 'TOO_BIG') expectTypeOf(taskError.data.limit).toEqualTypeOf<number>()
})

test('subscriptions infer their items, and watch its events', () => {
  trpc.ticks.subscribe({ n: 1 }, { onData: (item) => expectTypeOf(item).toEqualTypeOf<{ tick: number }>() })
  trpc.countPrimes.watch.subscribe(
    { id: 'x' },
    {
      onData: ({ id, data }) => {
        expectTypeOf(id).toEqualTypeOf<string>()
        expectTypeOf(data.type).toEqualTypeOf<TaskEvent['type']>()
        if (data.type === 'progress') expectTypeOf(data.progress).toEqualTypeOf<{ percent: number }>()
      },
    },
  )
})

test('middleware widens the context, and createContext must fit it', () => {
  const base = createProcedure<{ user: string | null }>()
  const authed = base.use(({ ctx, next }) => next({ ctx: { user: ctx.user ?? 'nobody' } }))
  authed.query({
    input: z.void(),
    output: z.string(),
    handler: ({ ctx }) => {
      expectTypeOf(ctx.user).toEqualTypeOf<string>()
      return ctx.user
    },
  })
})

test('handlers must return what the output says', () => {
  procedure.query({
    input: z.void(),
    output: z.object({ n: z.number() }),
    // @ts-expect-error text for a number
    handler: () => ({ n: 'one' }),
  })
})

test('what a task carries of its caller may be missing, for the server starts tasks without one', () => {
  const common = { input: z.void(), output: z.string() }
  procedure.task({
    ...common,
    carry: () => ({ tenant: 'a' }),
    handler: ({ carried }) => {
      expectTypeOf(carried).toEqualTypeOf<{ tenant: string } | undefined>()
      // @ts-expect-error nobody may have called
      return carried.tenant
    },
  })
  procedure.task({
    ...common,
    handler: ({ carried }) => {
      expectTypeOf(carried).toEqualTypeOf<undefined>()
      return ''
    },
  })
})
