/** An app's tasks: what they may do, how a worker finds their procedures, and what their engine gets of the app. */
import { AppEngine } from './app-engine.ts'
import { AppExecutors } from './app-executors.ts'
import type { BaseProfile } from './config/profiles.ts'
import type { AnyAppOptions } from './app-options.ts'
import type { Vitals } from './app-readiness.ts'
import { isTraced } from './observability/opentelemetry.ts'
import { TASK_TRACING, traceAttempt } from './observability/task-tracing.ts'
import type { Observer, TaskObserver } from './observability/observer.ts'
import type { Seams } from './app-seams.ts'
import { definitionOf } from './procedures/procedure.ts'
import {
  compileServerAdmission,
  compileTask,
  type HostRequest,
  type PathOf,
  type TaskFunction,
} from './procedures/task-call.ts'
import type { Complaint, Entry } from './router/entries.ts'
import { compileTaskLinks } from './router/task-links.ts'
import type { TaskDoors } from './router/task-service.ts'
import { systemClock, type Clock } from './tasks/clock.ts'
import type { Census, Claim, EngineHost, TaskPolicy } from './tasks/engine.ts'
import type { TasksOption } from './tasks/engines/options.ts'
import { taskOptionProblems, toPolicy } from './tasks/policy.ts'
import { createHost } from './tasks/task-host.ts'
import { unknownTask } from './tasks/refusals.ts'
import { SERVER, Tasks, type Caller } from './tasks/tasks.ts'
import { registerApp } from './tasks/worker/registry.ts'

/** Parts of the app that tasks need. */
export interface AppTasksParts {
  readonly entries: readonly Entry[]
  readonly options: AnyAppOptions
  /** Where tasks live. */
  readonly option: TasksOption
  readonly seams: Seams
  readonly profile: BaseProfile
  readonly observer: Observer
  readonly complain: (complaint: Complaint) => void
}

const needsModule = (entry: Entry): Complaint => ({
  at: entry.path,
  text: 'a task runs in a worker, which imports the module of this app: give createApp { module: import.meta.url }',
})

const needsFleet = (kind: string): Error =>
  new Error(
    `${kind}() keeps and runs tasks in one process, which can't leave the work to others (listen({ work: false }) or ` +
      'ERRAND_WORK=0). Leave that out, or choose an engine for many processes: bullmq() or pgmq().',
  )

/** The tasks of one app. */
export class AppTasks {
  readonly tasks: Tasks
  readonly doors: TaskDoors
  readonly #parts: AppTasksParts
  readonly #entries: ReadonlyMap<string, Entry>
  readonly #option: TasksOption
  readonly #clock: Clock
  readonly #policies = new Map<string, TaskPolicy>()
  readonly #executors: AppExecutors
  readonly #functions = new Map<string, TaskFunction>()
  readonly #observer: TaskObserver
  readonly #engine: AppEngine

  constructor(parts: AppTasksParts) {
    const { entries, options, option } = parts
    this.#parts = parts
    this.#entries = new Map(entries.filter(({ kind }) => kind === 'task').map((entry) => [entry.path, entry]))
    this.#option = option
    this.#clock = this.#option.clock ?? systemClock
    this.#executors = new AppExecutors({
      option: this.#option,
      module: options.module,
      lookup: (path) => this.#function(path),
      report: (message) => parts.observer.logger.error({}, message),
      around: parts.seams.executor ?? ((executor) => executor),
    })
    this.#readPolicies()
    this.#engine = new AppEngine({
      option,
      createHost: (lost) => this.#createHost(lost),
      names: [...this.#entries.keys()],
    })
    this.doors = this.#createDoors()
    this.tasks = this.doors.tasks
    this.#observer = parts.observer.ofTasks((task) => this.tasks.record(task, SERVER))
  }

  /** Lets workers that import the module find the tasks. */
  register(): void {
    const { module } = this.#parts.options
    if (module && this.#entries.size > 0) registerApp(module, (path) => this.#function(path))
  }

  /**
   * Starts a worker of each kind that is needed, then opens the engine, which takes up what an earlier process left:
   * not before it is known that it can be run. Nothing to do without tasks.
   * @param work names of tasks to run; with `none` this process only starts tasks
   * @throws Error when this engine has one process for everything, and it is to leave the work to others
   */
  async open(work: 'all' | 'none' | readonly string[]): Promise<void> {
    if (this.#entries.size === 0) return
    const procedures = this.#namesOf(work)
    if (procedures.length === 0 && !this.#option.multiHost) throw needsFleet(this.#option.kind)
    await this.#executors.open(procedures.map((path) => (this.#policies.get(path) as TaskPolicy).runOn))
    await this.#engine.work(procedures)
  }

  /** What must be well for tasks to be taken and run here: each rejects with why it isn't. Nothing without tasks. */
  vitals(): Vitals {
    if (this.#entries.size === 0) return {}
    return {
      engine: async () => void (await this.#engine.open()),
      store: async () => (await this.#engine.open()).check(),
      workers: () => this.#executors.check(),
    }
  }

  /** How many tasks have not ended. */
  async census(): Promise<readonly Census[]> {
    if (this.#entries.size === 0) return []
    return (await this.#engine.open()).census([...this.#entries.keys()])
  }

  /** How the workers of this process are doing. */
  loads(): ReturnType<AppExecutors['loads']> {
    return this.#executors.loads()
  }

  /** Takes no new tasks, lets running ones end for as long as `drainGrace` says, gives the rest back, ends the workers. */
  async drain(): Promise<void> {
    await this.#engine.drain()
    await this.#executors.close()
  }

  /** Releases the engine; what is drained can be read until then. */
  async close(): Promise<void> {
    await this.#engine.close()
  }

  #namesOf(work: 'all' | 'none' | readonly string[]): readonly string[] {
    if (work === 'none') return []
    return work === 'all' ? [...this.#entries.keys()] : work.map(this.#pathOf)
  }

  #readPolicies(): void {
    const { complain, options } = this.#parts
    const { runOn, random } = this.#option
    const defaults = { ...(runOn ? { runOn } : {}), ...(random ? { random } : {}) }
    for (const [path, entry] of this.#entries) {
      const { task = {} } = entry.definition
      const problems = taskOptionProblems(task)
      for (const text of problems) complain({ at: path, text })
      if (problems.length > 0) continue
      const policy = toPolicy(task, defaults)
      this.#policies.set(path, policy)
      if (policy.runOn !== 'inline' && !options.module) complain(needsModule(entry))
    }
  }

  #createDoors(): TaskDoors {
    const { options, profile } = this.#parts
    const { owner, admin } = options
    const callerOf = (ctx: unknown): Caller => ({ owner: owner?.(ctx) ?? null, admin: admin?.(ctx) ?? false })
    const { routes = {}, prefix = '' } = options
    const links = compileTaskLinks({
      root: routes.tasks === false ? undefined : prefix + (routes.tasks ?? '/tasks'),
      prefix,
      entries: this.#entries,
    })
    const admissions = new Map(
      [...this.#entries].map(([path, entry]) => [path, compileServerAdmission(entry.definition)]),
    )
    const tasks = new Tasks({
      clock: this.#clock,
      engine: () => this.#engine.open(),
      policies: this.#policies,
      priorities: new Map(
        [...this.#entries].map(([path, { definition }]) => [path, definition.task?.priority ?? 0]),
      ),
      admit: (path, input) => (admissions.get(path) as ReturnType<typeof compileServerAdmission>)(input),
      pathOf: this.#pathOf,
      owned: owner !== undefined,
      tracing: TASK_TRACING,
      view: (caller) => ({
        links,
        reveal: profile === 'development' || caller.admin,
        input: caller.admin,
      }),
    })
    const listable = (caller: Caller): boolean =>
      profile !== 'production' || owner !== undefined || admin !== undefined || caller.admin
    return { tasks, callerOf, listable, links }
  }

  readonly #pathOf: PathOf = (task) => {
    if (typeof task === 'string' && this.#entries.has(task)) return task
    const wanted = typeof task === 'string' ? undefined : definitionOf(task)
    for (const [path, { declared }] of this.#entries) if (declared === wanted) return path
    const name = typeof task === 'string' ? JSON.stringify(task) : 'this procedure'
    throw new TypeError(
      `${name} is not a task of this app; it has ${[...this.#entries.keys()].join(', ') || 'none'}`,
    )
  }

  #function(path: string): TaskFunction | undefined {
    const known = this.#functions.get(path)
    const entry = this.#entries.get(path)
    if (known || !entry) return known
    const { useTask = [] } = this.#parts.options
    const layers = isTraced() ? [traceAttempt, ...useTask] : useTask
    const made = compileTask(path, entry.definition, { pathOf: this.#pathOf, layers })
    this.#functions.set(path, made)
    return made
  }

  #createHost(lost: () => void): EngineHost {
    const { logger } = this.#parts.observer
    return createHost({
      clock: this.#clock,
      policies: this.#policies,
      slots: this.#executors.sizes,
      executor: (runOn) => this.#executors.get(runOn),
      serve: (claim, trace) => (request) => this.#serve(claim, request, trace),
      tracing: TASK_TRACING,
      ...this.#observer,
      report: (message, error, level = 'error') =>
        logger[level](error === undefined ? {} : { err: error }, message),
      lost,
    })
  }

  /** What a running handler asks for: it acts for the owner of its own task. */
  async #serve(
    { task }: Pick<Claim, 'task'>,
    request: HostRequest,
    trace: string | undefined,
  ): Promise<unknown> {
    const caller: Caller = { owner: task.owner, admin: false }
    switch (request.op) {
      case 'start': {
        const procedure = this.#pathOf(request.procedure)
        const admission = await compileServerAdmission((this.#entries.get(procedure) as Entry).definition)(
          request.input,
        )
        const options = request.options ?? {}
        const started = await this.tasks.submit({
          procedure,
          input: request.input,
          options,
          admission,
          caller,
          byTask: true,
          trace,
        })
        return this.tasks.record(started.task, caller)
      }
      case 'get':
        return this.tasks.access(caller).get(request)
      case 'cancel':
        return ((await this.tasks.cancel(request.id, caller)) ?? unknownTask(request.id)).record
    }
  }
}
