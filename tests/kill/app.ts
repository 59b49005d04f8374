/**
 * The app that is killed: tasks of every temper, on every kind of executor. Each handler notes its beginning and its end.
 * Where its tasks live comes from the environment, so that one app serves every engine.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { createApp, procedure } from 'errand'
import { z } from 'zod'
import { note } from './notes.ts'
import { tasksOption } from './subjects.ts'

const Input = z.object({
  /** How long it works. */
  ms: z.int().default(0),
  /** From which attempt on it is good. */
  goodFrom: z.int().default(1),
})
const Output = z.object({ attempt: z.int() })

interface Call {
  readonly input: z.output<typeof Input>
  readonly signal: AbortSignal
  readonly attempt: number
  readonly taskId: string
}

/** A handler that notes its run and says which attempt was its last. */
const noted =
  <C extends Call>(work: (call: C) => unknown) =>
  async (call: C): Promise<{ attempt: number }> => {
    note('begin', call)
    try {
      await work(call)
    } finally {
      note('end', call)
    }
    return { attempt: call.attempt }
  }

const heed = ({ input, signal }: Call): Promise<void> => sleep(input.ms, undefined, { signal })

const spin = ({ input }: Call): void => {
  const end = performance.now() + input.ms
  while (performance.now() < end);
}

const again = { backoff: 'fixed', initial: 30, jitter: 0.5 } as const

const shared = (runOn: 'threads' | 'processes' | 'inline') => {
  const common = { input: Input, output: Output, runOn, retry: { attempts: 4, ...again } }
  return {
    quick: procedure.task({ ...common, handler: noted(() => {}) }),
    slow: procedure.task({
      ...common,
      progress: z.object({ step: z.int() }),
      handler: noted(async (call: Call & { progress(of: { step: number }): void }) => {
        for (let step = 1; step <= 5; step++) {
          await sleep(call.input.ms / 5, undefined, { signal: call.signal })
          call.progress({ step })
        }
      }),
    }),
    retrying: procedure.task({
      ...common,
      handler: noted(async (call) => {
        await heed(call)
        if (call.attempt < call.input.goodFrom) throw new Error(`bad at ${call.attempt}`)
      }),
    }),
    declared: procedure.task({
      ...common,
      errors: { REFUSED: { status: 409 } },
      handler: ({ errors, attempt, taskId }) => {
        note('begin', { attempt, taskId })
        note('end', { attempt, taskId })
        throw errors.REFUSED()
      },
    }),
    hurried: procedure.task({ ...common, deadline: '900ms', handler: noted(heed) }),
    once: procedure.task({ ...common, retry: { attempts: 1 }, handler: noted(heed) }),
    fragile: procedure.task({ ...common, onCrash: 'fail', handler: noted(heed) }),
    parent: procedure.task({
      ...common,
      // Parents that wait must leave a worker to their children.
      concurrency: 1,
      handler: async ({ input, tasks, attempt, taskId }) => {
        note('begin', { attempt, taskId })
        // At least once, and so with a key: however often this runs, there is one child.
        // Before all others: it keeps a worker from them while it waits.
        const options = { idempotencyKey: taskId, tags: [`child-of-${taskId}`], priority: 100 }
        const child = await tasks.start(`${runOn}.quick`, { ms: 0 }, options)
        if (input.ms > 50) await child.result({ timeout: '60s' })
        note('end', { attempt, taskId })
        return { attempt }
      },
    }),
  }
}

/** What only a worker of its own bears. */
const wild = (runOn: 'threads' | 'processes') => {
  const common = { input: Input, output: Output, runOn, retry: { attempts: 3, ...again } }
  return {
    ...shared(runOn),
    busy: procedure.task({ ...common, handler: noted(spin) }),
    late: procedure.task({
      ...common,
      timeout: 60,
      cancelGrace: 40,
      retry: { attempts: 2, ...again },
      handler: noted((call) => (call.attempt === 1 ? new Promise(() => {}) : undefined)),
    }),
    deaf: procedure.task({ ...common, cancelGrace: 300, handler: noted(({ input }) => sleep(input.ms)) }),
    exits: procedure.task({
      ...common,
      handler: noted((call) => {
        if (call.attempt === 1) process.exit(1)
      }),
    }),
  }
}

/** The procedures, by where they run. */
export const procedures = { threads: wild('threads'), processes: wild('processes'), inline: shared('inline') }

const log = (level: string) => (_: object, message: string) =>
  void process.stderr.write(`${JSON.stringify({ level, message })}\n`)

export default createApp(procedures, {
  module: import.meta.url,
  profile: 'test',
  tasks: tasksOption(),
  logger: { error: log('error'), warn: log('warn'), info: log('info') },
})
