/**
 * The app that is used hard for long: every kind of procedure, tasks of some tempers, and a look inside. What it is told by
 * its environment: where tasks live, a file for the ids of requests that it accepted, and how many bytes each is to leak.
 */
import { appendFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { createApp, createProcedure, local } from 'errand'
import { bullmq } from 'errand/bullmq'
import { z } from 'zod'
import { figuresNow, heapNow } from './figures.ts'

const {
  SOAK_DIR: dir,
  SOAK_SERVER: server,
  SOAK_NOTES: notes,
  SOAK_LEAK: leak,
  SOAK_GRACE: grace,
} = process.env

const base = createProcedure<object>()

const echo = base.query({
  input: z.object({ text: z.string(), ms: z.int().default(0) }),
  output: z.object({ text: z.string() }),
  handler: async ({ input: { text, ms } }) => {
    if (ms > 0) await sleep(ms)
    return { text }
  },
})

const order = base.mutation({
  input: z.object({ sku: z.string() }),
  output: z.object({ sku: z.string() }),
  errors: { OUT_OF_STOCK: { status: 409, data: z.object({ sku: z.string() }) } },
  handler: ({ input, errors }) => {
    if (input.sku === 'none') throw errors.OUT_OF_STOCK(input)
    return input
  },
})

const ticks = base.subscription({
  input: z.object({ count: z.int(), ms: z.int() }),
  output: z.int(),
  handler: async function* ({ input, signal }) {
    for (let n = 0; n < input.count && !signal.aborted; n++) {
      await sleep(input.ms)
      yield n
    }
  },
})

const work = (runOn: 'threads' | 'inline') =>
  base.task({
    input: z.object({
      /** How long it works. */
      ms: z.int(),
      /** From which attempt on it is good. */
      goodFrom: z.int().default(1),
      /** Whether it hears when it is told to stop. */
      deaf: z.boolean().default(false),
    }),
    output: z.object({ ms: z.int() }),
    progress: z.object({ step: z.int() }),
    runOn,
    cancelGrace: 100,
    retry: { attempts: 3, backoff: 'fixed', initial: 20, jitter: 0 },
    handler: async ({ input: { ms, goodFrom, deaf }, attempt, signal, progress, log }) => {
      for (let step = 1; step <= 4; step++) {
        await sleep(ms / 4, undefined, deaf ? {} : { signal })
        progress({ step })
      }
      log.info('worked', { ms })
      if (attempt < goodFrom) throw new Error('not yet')
      return { ms }
    },
  })

const told: Record<string, number> = {}
const count = (event: string) => () => void (told[event] = (told[event] ?? 0) + 1)

const figures = base.query({
  input: z.void(),
  output: z.unknown(),
  handler: () => figuresNow(told),
})

/** The heap of a worker. */
const inside = base.task({ input: z.void(), output: z.number(), handler: heapNow })

const leaked: unknown[] = []

const quiet = (): void => {}

export default createApp(
  {
    echo,
    order,
    ticks,
    figures,
    inside,
    threads: { work: work('threads') },
    inline: { work: work('inline') },
  },
  {
    module: import.meta.url,
    profile: 'test',
    // Rests are short, and callers let go first.
    limits: { keepAliveTimeout: '3s' },
    tasks:
      server === undefined
        ? local({ ...(dir === undefined ? {} : { dir }), threads: 2, drainGrace: Number(grace ?? 25_000) })
        : bullmq({ connection: server, threads: 2, drainGrace: Number(grace ?? 25_000) }),
    createContext: ({ headers }) => {
      const id = headers.get('x-request-id')
      if (notes !== undefined && id !== null) appendFileSync(notes, `${id}\n`)
      if (leak !== undefined) leaked.push(Array.from({ length: Number(leak) / 8 }, Math.random))
      return {}
    },
    on: {
      'task:queued': count('task:queued'),
      'task:started': count('task:started'),
      'task:retrying': count('task:retrying'),
      'task:succeeded': count('task:succeeded'),
      'task:failed': count('task:failed'),
      'task:cancelled': count('task:cancelled'),
    },
    logger: {
      error: (_, message) => process.stderr.write(`error: ${message}\n`),
      warn: (_, message) => process.stderr.write(`warn: ${message}\n`),
      info: quiet,
    },
  },
)
