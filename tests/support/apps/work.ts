/** An app module with tasks of every temper: workers import it, tests serve its procedures with options of their own. */
import { setTimeout as sleep } from 'node:timers/promises'
import { createApp, createProcedure, procedure, ProcedureError } from 'errand'
import { z } from 'zod'

/** What workers import. */
export const module = import.meta.url

const Multiply = z.object({ n: z.number(), ms: z.int().min(0).default(0) })

const times = (factor: number, runOn: 'threads' | 'processes' | 'inline') =>
  procedure.task({
    input: Multiply,
    output: z.number(),
    runOn,
    handler: async ({ input, signal }) => {
      await sleep(input.ms, undefined, { signal })
      return input.n * factor
    },
  })

const OUT_OF_LUCK = { status: 418, data: z.object({ luck: z.number() }) }

const base = createProcedure<{ user?: string; admin?: boolean }>()

/** The procedures, at their names. */
export const procedures = {
  ping: procedure.query({ input: z.void(), output: z.string(), handler: () => 'pong' }),

  slow: procedure.task({
    input: Multiply,
    output: z.number(),
    progress: z.object({ step: z.int() }),
    handler: async ({ input, signal, progress, log }) => {
      log.info('begins', { n: input.n })
      for (let step = 1; step <= 3; step++) {
        await sleep(input.ms / 3, undefined, { signal })
        progress({ step })
      }
      return input.n * 2
    },
  }),

  by: { two: times(2, 'threads'), three: times(3, 'processes'), four: times(4, 'inline') },

  fails: procedure.task({
    input: z.object({ text: z.string().default('Intentional error') }),
    output: z.void(),
    retry: { attempts: 2, initial: 10, jitter: 0 },
    handler: ({ input }) => {
      throw new Error(input.text)
    },
  }),

  unlucky: procedure.task({
    input: z.object({ declared: z.boolean() }),
    output: z.void(),
    errors: { OUT_OF_LUCK },
    handler: ({ input, errors }) => {
      if (input.declared) throw errors.OUT_OF_LUCK({ luck: 0 })
      throw new ProcedureError('NOT_FOUND', 'Nothing to work on', { data: { looked: true } })
    },
  }),

  flaky: procedure.task({
    input: z.object({ goodFrom: z.int() }),
    output: z.int(),
    retry: { attempts: 1 },
    handler: ({ input, attempt }) => {
      if (attempt < input.goodFrom) throw new Error(`bad at ${attempt}`)
      return attempt
    },
  }),

  nothing: procedure.task({ input: z.void(), output: z.void(), handler: () => undefined }),

  wrong: procedure.task({
    input: z.void(),
    output: z.number(),
    retry: { attempts: 1 },
    handler: () => 'text' as never,
  }),

  later: procedure.task({
    input: z.object({ n: z.int() }),
    output: z.int(),
    mode: 'always',
    handler: ({ input }) => input.n,
  }),

  // Dies with its worker at the first attempt, and at every one when it is told to.
  dies: procedure.task({
    input: z.object({ always: z.boolean().default(false) }),
    output: z.int(),
    retry: { attempts: 2, initial: 10 },
    handler: async ({ input, attempt }) => {
      if (attempt === 1 || input.always) process.exit(1)
      return attempt
    },
  }),

  // Hears nothing and never ends.
  spins: procedure.task({
    input: z.object({ timeout: z.boolean().default(false) }),
    output: z.void(),
    cancelGrace: 200,
    handler: () => {
      for (;;);
    },
  }),

  late: procedure.task({
    input: z.void(),
    output: z.void(),
    timeout: 100,
    retry: { attempts: 1 },
    handler: ({ signal }) => sleep(10_000, undefined, { signal }),
  }),

  // Ticks into its log for as long as it runs.
  ticks: procedure.task({
    input: z.void(),
    output: z.void(),
    progress: z.object({ tick: z.int() }),
    handler: async ({ signal, progress }) => {
      for (let tick = 1; ; tick++) {
        await sleep(20, undefined, { signal })
        progress({ tick })
      }
    },
  }),

  mine: base
    .use(async ({ ctx, next }) => {
      if (!ctx.user) throw new ProcedureError('UNAUTHORIZED', 'Who are you?')
      return next()
    })
    .task({
      input: z.object({ secret: z.string() }),
      output: z.string(),
      carry: ({ ctx }) => ({ user: ctx.user }),
      handler: ({ input, carried }) => `${carried?.user ?? 'nobody'} has ${input.secret}`,
    }),

  anyones: base.task({
    input: z.object({ ms: z.int().default(0) }),
    output: z.string(),
    handler: ({ input }) => sleep(input.ms, 'done'),
  }),

  keyed: procedure.task({
    input: z.object({ order: z.string(), note: z.string().optional() }),
    output: z.string(),
    idempotencyKey: ({ input }) => input.order,
    handler: ({ input }) => input.order,
  }),

  starter: procedure.mutation({
    input: z.object({ n: z.number() }),
    output: z.object({ id: z.string() }),
    handler: async ({ input, tasks }) => ({ id: (await tasks.start('slow', { n: input.n })).id }),
  }),

  nests: procedure.task({
    input: z.object({ n: z.number() }),
    output: z.number(),
    handler: async ({ input, tasks }) => {
      const inner = await tasks.start('by.four', { n: input.n })
      return ((await inner.result()) as number) + 1
    },
  }),
}

export default createApp(procedures, { module })
