/** An app whose tasks do to their workers whatever a handler can, on threads and on processes. */
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { getHeapStatistics } from 'node:v8'
import { parentPort } from 'node:worker_threads'
import { createApp, procedure } from 'errand'
import { z } from 'zod'

/** What workers import. */
export const module = import.meta.url

const Input = z.object({
  /** It misbehaves in so many attempts. */
  times: z.int().default(1000),
})

interface Call {
  readonly signal: AbortSignal
}

const forever = (): Promise<never> => new Promise(() => setInterval(() => {}, 60_000))

const spin = (): never => {
  for (;;);
}

const overflow = (depth: number): number => overflow(depth + 1) + 1

const circular = (): object => {
  const self: Record<string, unknown> = {}
  self['self'] = self
  return self
}

/** Little by little: V8 may abort the whole process of a thread that asks for much at once at the end of its heap. */
const fillMemory = (): never => {
  let hoard: unknown
  for (let n = 0; ; n++) hoard = { hoard, n, more: [n, n, n, n] }
}

const later = (act: () => void): Promise<never> => {
  setTimeout(act, 1)
  return forever()
}

const hurl = (thrown: unknown): never => {
  throw thrown
}

/** What a handler may do that it shouldn't. */
export const DEEDS = {
  exits0: () => process.exit(0),
  exits1: () => process.exit(1),
  throwsUncaught: () => later(() => hurl(new RangeError('thrown in a timer'))),
  throwsUncaughtNull: () => later(() => hurl(null)),
  rejectsUnheard: () => {
    void Promise.reject(new RangeError('rejected unheard'))
    return forever()
  },
  fillsMemory: fillMemory,
  overflows: () => overflow(0),
  throwsNothing: () => hurl(undefined),
  aborts: () => process.abort(),
  givesBigInt: () => 1n,
  givesFunction: () => () => 1,
  givesCircular: circular,
  spins: spin,
  neverSettles: forever,
} as const satisfies Record<string, (call: Call) => unknown>

export type Deed = keyof typeof DEEDS

const misbehaving = (runOn: 'threads' | 'processes', act: (call: Call) => unknown, options: object = {}) =>
  procedure.task({
    input: Input,
    output: z.unknown(),
    runOn,
    retry: { attempts: 2, backoff: 'none' },
    ...options,
    handler: (call) => (call.attempt <= call.input.times ? act(call) : `good at ${call.attempt}`),
  })

const ofKind = (runOn: 'threads' | 'processes') => ({
  ...(Object.fromEntries(
    Object.entries(DEEDS).map(([name, act]) => [name, misbehaving(runOn, act)]),
  ) as Record<Deed, ReturnType<typeof misbehaving>>),

  late: {
    spins: misbehaving(runOn, spin, { timeout: 150, cancelGrace: 50 }),
    neverSettles: misbehaving(runOn, forever, { timeout: 150, cancelGrace: 50 }),
    heeds: misbehaving(runOn, ({ signal }) => sleep(60_000, undefined, { signal }), { timeout: 150 }),
  },
  overdue: {
    spins: misbehaving(runOn, spin, { deadline: 400, cancelGrace: 50 }),
    neverSettles: misbehaving(runOn, forever, { deadline: 400, cancelGrace: 50 }),
    heeds: misbehaving(runOn, ({ signal }) => sleep(60_000, undefined, { signal }), { deadline: 400 }),
  },
  stubborn: {
    spins: misbehaving(runOn, spin, { cancelGrace: 50 }),
    neverSettles: misbehaving(runOn, forever, { cancelGrace: 50 }),
  },

  /** Closes what a worker is reached by, as far as it can get hold of it. */
  closesItsChannel: misbehaving(runOn, async () => {
    parentPort?.close()
    process.disconnect?.()
    await sleep(300)
    return 'it had another'
  }),

  throwsAfterItsEnd: procedure.task({
    input: z.object({ ms: z.int() }),
    output: z.string(),
    runOn,
    handler: ({ input }) => {
      setTimeout(() => hurl(new RangeError('thrown too late')), input.ms)
      return 'fine'
    },
  }),

  floods: procedure.task({
    input: z.object({ times: z.int() }),
    output: z.int(),
    progress: z.object({ n: z.int() }),
    runOn,
    handler: ({ input, progress, log }) => {
      for (let n = 1; n <= input.times; n++) {
        progress({ n })
        log.info(`line ${n}`, { padding: 'x'.repeat(100) })
      }
      return input.times
    },
  }),

  /** Says where it is, and waits. */
  waits: procedure.task({
    input: z.void(),
    output: z.int(),
    progress: z.object({ pid: z.int() }),
    runOn,
    retry: { attempts: 2, backoff: 'none' },
    handler: async ({ attempt, progress }) => {
      progress({ pid: process.pid })
      return attempt === 1 ? forever() : attempt
    },
  }),

  /** Ends when as many are there as are expected: so many workers serve at once. */
  meets: procedure.task({
    input: z.object({ dir: z.string(), me: z.string(), expected: z.int() }),
    output: z.int(),
    runOn,
    retry: { attempts: 1 },
    timeout: '20s',
    handler: async ({ input: { dir, me, expected }, signal }) => {
      writeFileSync(join(dir, me), '')
      while (readdirSync(dir).length < expected) await sleep(5, undefined, { signal })
      return process.pid
    },
  }),

  /** Works for a while beside the others. */
  bystands: procedure.task({
    input: z.object({ dir: z.string() }),
    output: z.int(),
    runOn,
    handler: async ({ input, attempt, signal }) => {
      while (readdirSync(input.dir).length === 0) await sleep(5, undefined, { signal })
      return attempt
    },
  }),

  knows: procedure.task({
    input: z.object({ variable: z.string() }),
    output: z.object({ value: z.string().nullable(), heap: z.number() }),
    runOn,
    handler: ({ input }) => ({
      value: process.env[input.variable] ?? null,
      heap: getHeapStatistics().heap_size_limit / 1024 ** 2,
    }),
  }),
})

/** The procedures, by where they run. */
export const procedures = { threads: ofKind('threads'), processes: ofKind('processes') }

export default createApp(procedures, { module })
