/** The one door into tasks: starts them, reads them, stops them, for whoever may. */
import { createHandle } from '../protocol/handle.ts'
import type { TaskAccess } from '../protocol/task-access.ts'
import type { TaskHandle } from '../protocol/task-handle.ts'
import {
  isFinished,
  type TaskEvent,
  type TaskPage,
  type TaskRecord,
  type TaskStatus,
} from '../protocol/task.ts'
import { ProcedureError } from '../procedures/errors.ts'
import type { TaskStarter } from '../procedures/handler.ts'
import type { AnyProcedure, ServerStartOptions, TaskProcedure } from '../procedures/procedure.ts'
import type { Admission, PathOf } from '../procedures/task-call.ts'
import type { Clock } from './clock.ts'
import type { EngineEvent, TaskEngine, TaskPolicy, TaskQuery } from './engine.ts'
import { isTaskId } from './id.ts'
import { joining, shuttingDown, unavailable, unknownTask } from './refusals.ts'
import { revOf, toRecord, type RecordView } from './record.ts'
import { keyReused } from './start-options.ts'
import type { StoredTask } from './stored-task.ts'
import { toSpec, type Caller, type StartRequest } from './task-spec.ts'
import type { TaskTracing } from './tracing.ts'
import { Waits, type Wait } from './waits.ts'

export type { Caller }

/** Code on the server: as good as an admin. */
export const SERVER: Caller = { owner: null, admin: true }

/** A started task. */
export interface Started {
  readonly task: StoredTask
  /** The key stood for it already. */
  readonly replayed: boolean
}

/** What to list. */
export interface ListQuery {
  readonly procedure?: string | undefined
  readonly status?: TaskStatus | undefined
  readonly tag?: string | undefined
  /** 1 to 200. Default 50. */
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
}

/** What `wait` waits for. */
export interface WaitQuery {
  /** Milliseconds. */
  readonly timeout: number
  /** Until it differs from this `rev`; without it, until the task has ended. */
  readonly after?: string | undefined
  readonly signal?: AbortSignal | undefined
}

/** Parts that the app puts together. */
export interface TasksParts {
  readonly clock: Clock
  /** Opens the engine at first use. */
  readonly engine: () => Promise<TaskEngine>
  readonly policies: ReadonlyMap<string, TaskPolicy>
  readonly priorities: ReadonlyMap<string, number>
  /** Refuses a bad input and fills in what the procedure says of its own starts. */
  readonly admit: (procedure: string, input: unknown) => Promise<Admission>
  readonly pathOf: PathOf
  /** Whether tasks have owners; else all callers are one. */
  readonly owned: boolean
  readonly view: (caller: Caller) => RecordView
  readonly tracing: TaskTracing
}

const without = <T extends object>(query: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(query).filter(([, value]) => value !== undefined)) as never

/** Tasks of one app. */
export class Tasks implements TaskStarter<ServerStartOptions> {
  readonly #parts: TasksParts
  readonly #waits: Waits

  constructor(parts: TasksParts) {
    this.#parts = parts
    this.#waits = new Waits(parts.engine, parts.clock)
  }

  /**
   * Starts a task; resolves once it is durable.
   * @throws ProcedureError BAD_REQUEST for an input the schema refuses, SERVICE_UNAVAILABLE when the queue is full
   * @throws TypeError for a `tx` that the engine can't join
   */
  start<I, O, P, E>(
    task: TaskProcedure<I, O, P, E>,
    input: I,
    options?: ServerStartOptions,
  ): Promise<TaskHandle<O, P>>
  start(path: string, input: unknown, options?: ServerStartOptions): Promise<TaskHandle>
  async start(
    task: AnyProcedure | string,
    input: unknown,
    { tx, ...options }: ServerStartOptions = {},
  ): Promise<TaskHandle<never, never>> {
    const procedure = this.#parts.pathOf(task)
    const admission = await this.#parts.admit(procedure, input)
    const request = { procedure, input, options, admission, caller: SERVER, transaction: tx }
    const { task: stored } = await this.submit(request)
    return this.handle<never, never>(stored.id, SERVER)
  }

  /** Starts several; each is durable on its own when this resolves. */
  startMany<I, O, P, E>(
    task: TaskProcedure<I, O, P, E>,
    inputs: readonly I[],
    options?: ServerStartOptions,
  ): Promise<TaskHandle<O, P>[]> {
    return Promise.all(inputs.map((input) => this.start(task, input, options)))
  }

  /** A task's record. Undefined for an unknown id. */
  async get(id: string): Promise<TaskRecord | undefined> {
    const task = await this.find(id, SERVER)
    return task && this.record(task, SERVER)
  }

  /** Records, newest first. */
  async list(query: ListQuery = {}, caller: Caller = SERVER): Promise<TaskPage> {
    const { owned } = this.#parts
    if (owned && !caller.admin && caller.owner === null) return { items: [] }
    const scope = owned && !caller.admin ? { owner: caller.owner as string } : {}
    const full = { limit: 50, ...without(query), ...scope } as TaskQuery
    const page = await this.#use((engine) => engine.list(full))
    const items = page.items.map(({ result: _result, ...task }) => this.record(task as StoredTask, caller))
    return { items, ...(page.nextCursor === undefined ? {} : { nextCursor: page.nextCursor }) }
  }

  /** Asks a task to stop. Undefined for an unknown id. */
  async cancel(
    id: string,
    caller: Caller = SERVER,
  ): Promise<{ record: TaskRecord; settled: boolean } | undefined> {
    if (!(await this.find(id, caller))) return undefined
    const result = await this.#use((engine) => engine.cancel(id))
    return result && { record: this.record(result.task, caller), settled: result.kind === 'settled' }
  }

  /**
   * Runs an ended, not succeeded task again.
   * @throws ProcedureError CONFLICT when it still runs or has succeeded
   */
  async retry(id: string, caller: Caller = SERVER): Promise<TaskRecord | undefined> {
    if (!(await this.find(id, caller))) return undefined
    const result = await this.#use((engine) => engine.retry(id))
    if (result === 'not-ended')
      throw new ProcedureError('CONFLICT', 'The task has not ended yet: cancel it, or wait')
    if (result === 'succeeded')
      throw new ProcedureError('CONFLICT', 'The task succeeded: start a new one instead')
    return result && this.record(result, caller)
  }

  /**
   * Forgets an ended task. False for an unknown id.
   * @throws ProcedureError CONFLICT while it is live
   */
  async remove(id: string, caller: Caller = SERVER): Promise<boolean> {
    if (!(await this.find(id, caller))) return false
    const result = await this.#use((engine) => engine.remove(id))
    if (result === 'not-ended')
      throw new ProcedureError('CONFLICT', 'The task has not ended yet: cancel it first')
    return result === 'removed'
  }

  /** A handle to a task that exists or existed. */
  handle<O = unknown, P = unknown>(id: string, caller: Caller = SERVER): TaskHandle<O, P> {
    return createHandle(this.access(caller), id)
  }

  /** How a handle reaches tasks from inside the server. */
  access(caller: Caller): TaskAccess {
    const wait = async (id: string, query: WaitQuery): Promise<TaskRecord> => {
      const { task, letGo } = await this.#wait(id, query, caller)
      // Whoever asks would ask again at once, and for ever.
      if (letGo) throw shuttingDown(id)
      return this.record(task ?? unknownTask(id), caller)
    }
    return {
      get: ({ id, wait: seconds = 0, after }, signal) => wait(id, { timeout: seconds * 1000, after, signal }),
      ended: async (id, signal) => this.record(await this.#ended(id, caller, signal), caller),
      cancel: async (id) => ((await this.cancel(id, caller)) ?? unknownTask(id)).record,
      watch: ({ id, lastEventId }, signal) => this.watch(id, { after: lastEventId, signal }, caller),
    }
  }

  /** Starts a task whose input and caller were found good. */
  async submit(request: StartRequest): Promise<Started> {
    const { procedure, byTask = false, transaction, trace: parent } = request
    const policy = this.#parts.policies.get(procedure) as TaskPolicy
    const priority = this.#parts.priorities.get(procedure) ?? 0
    const spec = toSpec(request, { policy, priority, now: this.#parts.clock.now() })
    const submitted = await this.#parts.tracing.start(spec, parent, (trace) => {
      const traced = trace === undefined ? spec : { ...spec, trace }
      return this.#use((engine) =>
        transaction === undefined
          ? engine.submit(traced, { byTask })
          : joining(engine).submit(traced, { byTask, transaction }),
      )
    })
    if (submitted.kind === 'conflict') throw keyReused()
    return { task: submitted.task, replayed: submitted.kind === 'replayed' }
  }

  /** A task that the caller may see. */
  async find(id: string, caller: Caller): Promise<StoredTask | undefined> {
    if (!isTaskId(id)) return undefined
    const task = await this.#use((engine) => engine.get(id))
    return task && this.#maySee(task, caller) ? task : undefined
  }

  /** The task once it has ended or changed, or as it is when the time is over or the engine has drained. */
  async wait(id: string, query: WaitQuery, caller: Caller): Promise<StoredTask | undefined> {
    return (await this.#wait(id, query, caller)).task
  }

  /** What happens to a task, with the id of each event; ends with `done`. */
  async *watch(
    id: string,
    { after, signal }: { readonly after?: string | undefined; readonly signal: AbortSignal },
    caller: Caller,
  ): AsyncGenerator<{ id: string; event: TaskEvent }, void> {
    try {
      const engine = await this.#parts.engine()
      for await (const event of engine.events(id, { signal, ...(after === undefined ? {} : { after }) }))
        yield { id: event.seq, event: this.#toEvent(event, caller) }
    } catch (error) {
      unavailable(error)
    }
  }

  /** A stored task as the caller may see it. */
  record(task: StoredTask, caller: Caller): TaskRecord {
    return toRecord(task, this.#parts.view(caller))
  }

  /** `letGo`: the engine has drained, and nothing will happen to the task here. */
  async #wait(
    id: string,
    { timeout, after, signal }: WaitQuery,
    caller: Caller,
  ): Promise<{ readonly task: StoredTask | undefined; readonly letGo: boolean }> {
    const task = await this.find(id, caller)
    const isDone = !task || isFinished(task.status) || (after !== undefined && revOf(task) !== after)
    if (isDone || timeout <= 0) return { task, letGo: false }
    const wait: Wait = { for: after === undefined ? 'end' : 'change', timeout, signal }
    const end = await this.#use(() => this.#waits.until(id, wait, task.revision))
    if (typeof end === 'object') return { task: end, letGo: false }
    const latest = await this.find(id, caller)
    return { task: latest, letGo: end === 'let go' && latest !== undefined && !isFinished(latest.status) }
  }

  /** The task once it has ended, or as it is when the signal aborts. */
  async #ended(id: string, caller: Caller, signal: AbortSignal | undefined): Promise<StoredTask> {
    // Code on the server may see every task; whether there is one the engine tells.
    if (!caller.admin && !(await this.find(id, caller))) unknownTask(id)
    const end = await this.#use(() => this.#waits.until(id, { for: 'end', timeout: Infinity, signal }))
    const task = typeof end === 'object' ? end : ((await this.find(id, caller)) ?? unknownTask(id))
    if (end === 'let go' && !isFinished(task.status)) throw shuttingDown(id)
    return task
  }

  #toEvent(event: EngineEvent, caller: Caller): TaskEvent {
    switch (event.type) {
      case 'state':
      case 'done':
        return { type: event.type, record: this.record(event.task, caller) }
      case 'progress':
        return { type: 'progress', progress: event.progress }
      case 'log':
        return { type: 'log', log: event.log }
      case 'gap':
        return { type: 'gap' }
    }
  }

  #maySee(task: StoredTask, caller: Caller): boolean {
    return !this.#parts.owned || caller.admin || task.owner === null || task.owner === caller.owner
  }

  #use<T>(act: (engine: TaskEngine) => Promise<T>): Promise<T> {
    return this.#parts.engine().then(act).catch(unavailable)
  }
}
