/** An app whose tasks belong to somebody, on each engine, and callers of four kinds. */
import { createProcedure, inline, local, procedure, type AppOptions } from 'errand'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { FleetEngine } from '../../src/tasks/engines/fleet/fleet-engine.ts'
import { MemoryPlace, MemoryQueue } from './fleet/memory-queue.ts'
import { serve, type Served } from './serve.ts'
import { taskOf } from './tasks.ts'
import { tempDir } from './temp.ts'

/** What a request says of its caller. */
export const CALLERS = {
  anonymous: {},
  ada: { 'x-user': 'ada' },
  bob: { 'x-user': 'bob' },
  admin: { 'x-user': 'root', 'x-admin': 'yes' },
} as const satisfies Record<string, Record<string, string>>

export type CallerName = keyof typeof CALLERS

interface Context {
  readonly user: string | null
  readonly admin: boolean
}

const base = createProcedure<Context>()

const tree = {
  hello: procedure.query({ input: z.void(), output: z.string(), handler: () => 'hello' }),
  // Ends as it is told to, or waits to be stopped.
  work: base.task({
    input: z.object({ secret: z.string(), as: z.enum(['success', 'failure', 'never']) }),
    output: z.string(),
    retry: { attempts: 1 },
    runOn: 'inline',
    handler: async ({ input, signal }) => {
      if (input.as === 'never') await sleep(60_000, undefined, { signal })
      if (input.as === 'failure') throw new Error(`it failed over ${input.secret}`)
      return `the result of ${input.secret}`
    },
  }),
}

type Tasks = NonNullable<AppOptions['tasks']>

const fleet = (): Tasks => ({
  ...inline({ drainGrace: 1 }),
  kind: 'fleet',
  multiHost: true,
  create: () =>
    Promise.resolve(new FleetEngine({ queue: new MemoryQueue(new MemoryPlace()), queueLimit: 1000 })),
})

/** The engines, each with what it needs. */
export const ENGINES: readonly (readonly [string, () => Promise<Tasks>])[] = [
  ['inline', () => Promise.resolve(inline({ drainGrace: 1 }))],
  ['local', async () => local({ dir: await tempDir(), drainGrace: 1 })],
  ['fleet', () => Promise.resolve(fleet())],
]

/** How a task ends. */
export type Ending = 'success' | 'failure' | 'never'

/** A served app, and a way to start tasks in it. */
export interface Owned extends Served {
  /** Starts a task of somebody, and waits until it has ended or runs. */
  begin(caller: CallerName, as: Ending): Promise<string>
}

/** Serves it. */
export const serveOwned = async (
  tasks: Tasks,
  options: Partial<AppOptions<Context>> = {},
): Promise<Owned> => {
  const api = await serve(tree, {
    tasks,
    module: import.meta.url,
    profile: 'production',
    createContext: ({ headers }): Context => ({
      user: headers.get('x-user'),
      admin: headers.get('x-admin') === 'yes',
    }),
    owner: ({ user }) => user,
    admin: ({ admin }) => admin,
    ...options,
  })
  const begin = async (caller: CallerName, as: Ending): Promise<string> => {
    const { id } = taskOf(
      await api.call('/work/tasks', { secret: `secret of ${caller}`, as }, CALLERS[caller]),
    )
    for (;;) {
      const { status } = taskOf(
        await api.get(`/tasks/${id}${as === 'never' ? '' : '?wait=10'}`, CALLERS[caller]),
      )
      if (status !== 'queued' && (as === 'never' || status !== 'running')) return id
      await sleep(5)
    }
  }
  return { ...api, begin }
}
