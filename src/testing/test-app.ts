/** `createTestApp`: an app whose tasks run in this process, whose time is the test's, and that can be made to fail. */
import { buildApp, type App } from '../app.ts'
import type { AppOptions } from '../app-options.ts'
import { definitionOf, type AnyProcedure, type Definition } from '../procedures/procedure.ts'
import { failure, toFailure } from '../procedures/failure.ts'
import type { MaybePromise } from '../procedures/handler.ts'
import { toMilliseconds, type Duration } from '../protocol/duration.ts'
import type { Entry } from '../router/entries.ts'
import type { ContextRequest } from '../router/http.ts'
import { sleep } from '../tasks/clock.ts'
import { inline } from '../tasks/engines/local.ts'
import { CallLog, type CallsOf, type NamedCall, type Named } from './call-log.ts'
import { Faults } from './faults.ts'
import { createTestClient, type TestClient } from './in-process.ts'
import { Records } from './memory-store.ts'
import { Pulse } from './pulse.ts'
import { drain, type DrainOptions } from './rest.ts'
import { TestClock, type Time } from './test-clock.ts'
import { TestEngine } from './test-engine.ts'
import { TestExecutor, type Watch } from './test-executor.ts'

/** Options of `createTestApp`: those of `createApp`, but for where tasks live. */
export interface TestAppOptions<TContext = object> extends Omit<
  AppOptions<TContext>,
  'tasks' | 'module' | 'profile' | 'profiles' | 'config'
> {
  /** What the clock shows at first. Default: the time of day. */
  readonly now?: Time
  /** How long, in real time, `advance` waits for a handler that doesn't end at once. Default 100 ms. */
  readonly patience?: Duration
}

/** An app under test. `await using` closes it. */
export interface TestApp<TTree = unknown, TContext = object>
  extends Omit<App<TTree, TContext>, 'fetch'>, TestClient<TTree, TContext>, AsyncDisposable {
  readonly clock: TestClock
  readonly faults: Faults
  /** A client whose calls have this context, whatever `createContext` makes of others. */
  as(ctx: TContext): TestClient<TTree, TContext>
  /** Every attempt of every task and every plain call, in the order they began. */
  calls(): readonly NamedCall[]
  calls<T extends AnyProcedure>(procedure: T): readonly CallsOf<T>[]
  /**
   * Resolves when no task runs, nor could: one that waits for a later time doesn't count.
   * @throws Error that names the tasks which don't come to rest
   */
  drain(options?: DrainOptions): Promise<void>
  /**
   * Ends the task engine as SIGKILL ends a process, once all is at rest: nothing that happens later is written. Until
   * `restart` tasks are answered with 503. A handler that runs has its signal aborted, and is heard no more.
   */
  crash(): Promise<void>
  /** Starts a new engine over the records that are there. Attempts that ran are lost, and run again. */
  restart(): Promise<void>
}

const CONTEXT = 'x-errand-test-context'

// Loaded by now, so that the first attempt begins as soon as any other.
void import('../tasks/executors/inline.ts')

/** Contexts that were given to `as`, each under the header that stands for it. */
class Contexts {
  readonly #known = new Map<string, unknown>()

  add(ctx: unknown): Readonly<Record<string, string>> {
    const key = String(this.#known.size)
    this.#known.set(key, ctx)
    return { [CONTEXT]: key }
  }

  /** `createContext` for all requests: what `as` gave, else what the app makes. */
  wrap<TContext>(create: ((request: ContextRequest) => MaybePromise<TContext>) | undefined) {
    return (request: ContextRequest): MaybePromise<TContext> => {
      const key = request.headers.get(CONTEXT)
      if (key !== null) return this.#known.get(key) as TContext
      return create ? create(request) : ({} as TContext)
    }
  }
}

/** The procedures of an app by the objects that declared them. */
class Paths {
  readonly #paths = new Map<Definition, string>()

  add({ declared, path }: Entry): void {
    this.#paths.set(declared, path)
  }

  readonly of = (procedure: Named): string => {
    const known = [...this.#paths.values()]
    const path = typeof procedure === 'string' ? procedure : this.#paths.get(definitionOf(procedure))
    if (path !== undefined && known.includes(path)) return path
    throw new TypeError(
      `${typeof procedure === 'string' ? JSON.stringify(procedure) : 'This'} is not a procedure of this app; it has ${known.join(', ')}`,
    )
  }
}

/** A plain call, noted, with what was said to go wrong. */
const watched = (entry: Entry, { calls, faults, clock, pulse }: Watch): Entry => {
  const { call, path, kind } = entry
  if (!call) return entry
  return {
    ...entry,
    call: async (input, environment) => {
      const open = calls.begin(path, input, 1)
      const fault = faults.take(path)
      const delay = faults.delayOf(path)
      pulse.beat()
      if (delay > 0) await sleep(clock, delay)
      const result = fault?.kind === 'fail' ? failure(toFailure(fault.error)) : await call(input, environment)
      pulse.beat()
      if (!result.ok) open.failed(result.error)
      else if (kind !== 'subscription') open.succeeded(result.value)
      return result
    },
  }
}

/**
 * An app for tests: its tasks run on the event loop and are kept in memory, time stands still until the test lets it pass,
 * and no socket is opened.
 *
 * @example await using app = createTestApp({ add, ship }); await app.trpc.add.query({ a: 1, b: 2 })
 */
export const createTestApp = <const TTree extends object, TContext extends object = object>(
  tree: TTree,
  { now = Date.now(), patience = 100, ...options }: TestAppOptions<TContext> = {},
): TestApp<TTree, TContext> => {
  const pulse = new Pulse(toMilliseconds(patience))
  const clock = new TestClock(now, pulse)
  const records = new Records()
  const calls = new CallLog()
  const paths = new Paths()
  const contexts = new Contexts()
  let executor: TestExecutor | undefined
  /** Not before what was asked for has begun. */
  const lose = async (path?: string): Promise<number> => {
    await pulse.arrived()
    return executor?.lose(path) ?? 0
  }
  const faults = new Faults({ records, pathOf: paths.of, loseRunning: lose })
  const watch: Watch = { calls, faults, clock, pulse }
  const settings = inline()
  const engine = new TestEngine({ records, pulse, queueLimit: settings.queueLimit })

  const app = buildApp(
    tree,
    {
      ...options,
      profile: 'test',
      createContext: contexts.wrap(options.createContext),
      tasks: { ...settings, clock, random: () => 0, create: async () => engine },
    },
    {
      sealed: true,
      entry: (entry) => {
        paths.add(entry)
        return watched(entry, watch)
      },
      executor: (made) => (executor = new TestExecutor(made, watch)),
    },
  )
  const client = (sent: Readonly<Record<string, string>> = {}) =>
    createTestClient<TTree, TContext>({ handle: app.fetch, prefix: options.prefix ?? '', sent, pulse })
  const close = (): Promise<void> => {
    const closing = app.close()
    return clock.runUntil(closing).then(() => closing)
  }

  return {
    ...app,
    ...client(),
    clock,
    faults,
    as: (ctx) => client(contexts.add(ctx)),
    calls: (procedure?: AnyProcedure) =>
      (procedure === undefined ? calls.all() : calls.of(paths.of(procedure))) as never,
    drain: (drainOptions) =>
      drain(
        { engine, clock, pulse, isWaiting: (taskId) => executor?.isWaiting(taskId) ?? false },
        drainOptions,
      ),
    crash: async () => {
      await pulse.arrived()
      engine.crash()
      executor?.lose()
    },
    restart: () => engine.restart(),
    listen: async (listenOptions) => {
      const server = await app.listen({ signals: false, ...listenOptions })
      return { ...server, close, [Symbol.asyncDispose]: close }
    },
    close,
    [Symbol.asyncDispose]: close,
  }
}
