/** The engine of many hosts: whatever they share is in a queue, which hands each task to one of them at a time. */
import {
  EngineUnavailable,
  type CancelResult,
  type Census,
  type EngineCapabilities,
  type EngineEvent,
  type EngineHost,
  type StoredPage,
  type Submitted,
  type SubmitOptions,
  type TaskEngine,
  type TaskQuery,
  type TaskSpec,
} from '../../engine.ts'
import { created } from '../../lifecycle.ts'
import type { StoredTask } from '../../stored-task.ts'
import { createAges } from '../age.ts'
import type { WatchOptions } from '../event-hub.ts'
import { rulesOf } from '../rules.ts'
import { closed, draining } from '../unavailable.ts'
import { Fetcher } from './fetcher.ts'
import { QueueLimit } from './queue-limit.ts'
import { Runs } from './runs.ts'
import type { QueueListener, SharedQueue } from './shared-queue.ts'
import { Watching } from './watching.ts'

/** What it is made of. */
export interface FleetEngineParts {
  readonly queue: SharedQueue
  /** How many tasks may be queued, about. */
  readonly queueLimit: number
}

/** What exists once the host is known. */
interface Open {
  readonly host: EngineHost
  readonly watching: Watching
  readonly runs: Runs
  readonly fetcher: Fetcher
}

/** What was submitted, once the host knows of it. */
const told = <T extends Submitted>(host: EngineHost, submitted: T): T => {
  if (submitted.kind === 'created') host.changed?.(undefined, submitted.task)
  return submitted
}

/** One of many that share a queue. */
export class FleetEngine implements TaskEngine {
  readonly name: string
  readonly #queue: SharedQueue
  readonly #limit: QueueLimit
  readonly #ageOf = createAges()
  #open: Open | undefined
  #opening: Promise<void> | undefined
  #draining: Promise<void> | undefined
  #closing: Promise<void> | undefined

  constructor({ queue, queueLimit }: FleetEngineParts) {
    this.name = queue.name
    this.#queue = queue
    this.#limit = new QueueLimit(queue, queueLimit)
  }

  get capabilities(): EngineCapabilities {
    return this.#queue.capabilities
  }

  open(host: EngineHost): Promise<void> {
    this.#opening ??= this.#start(host)
    return this.#opening
  }

  work(procedures: readonly string[]): void {
    this.#opened().fetcher.work(procedures)
    this.#queue.work(procedures)
  }

  async submit(spec: TaskSpec, { transaction, byTask }: SubmitOptions = {}): Promise<Submitted> {
    if (!byTask) this.#serving()
    // Found now: once the start is written, it was taken, though the engine be closed meanwhile.
    const open = this.#opened()
    const { host, fetcher } = open
    const task = created(spec, this.#ageOf(Date.now()))
    // Whether a caller's transaction is committed, nobody here will learn.
    if (transaction !== undefined) {
      await this.#limit.admit()
      return this.#queue.submit(task, transaction)
    }
    const submitTaken = this.#queue.submitTaken?.bind(this.#queue)
    if (submitTaken && this.#canBeginHere(task))
      return fetcher.begin(task.procedure, async () =>
        told(host, await this.#followed(open, task, submitTaken)),
      )
    await this.#limit.admit()
    return told(host, await this.#followed(open, task, (each) => this.#queue.submit(each)))
  }

  async get(id: string): Promise<StoredTask | undefined> {
    this.#opened()
    return this.#queue.get(id)
  }

  async list(query: TaskQuery): Promise<StoredPage> {
    this.#opened()
    return this.#queue.list(query)
  }

  async census(procedures: readonly string[]): Promise<readonly Census[]> {
    this.#opened()
    return this.#queue.census(procedures)
  }

  async *events(id: string, options: WatchOptions): AsyncGenerator<EngineEvent, void> {
    yield* this.#opened().watching.watch(id, options)
  }

  async ended(id: string, signal: AbortSignal): Promise<StoredTask | undefined> {
    return this.#opened().watching.ended(id, signal)
  }

  async cancel(id: string): Promise<CancelResult | undefined> {
    const { host, runs, watching } = this.#opened()
    const task = await this.#queue.get(id)
    const result = task && (await this.#queue.cancel(id, rulesOf(host, task.procedure).keep))
    if (result?.kind === 'requested') runs.stop(id, result.task.attempt)
    watching.changed(id)
    return result
  }

  async retry(id: string): Promise<StoredTask | 'not-ended' | 'succeeded' | undefined> {
    const { host, watching } = this.#serving()
    const task = await this.#queue.get(id)
    if (!task) return undefined
    await this.#limit.admit()
    const { maxAttempts: attempts = 1, deadline } = host.policy(task.procedure) ?? {}
    watching.forget(id)
    const result = await this.#queue.retry(id, { after: task.attempt, attempts, deadline })
    if (typeof result === 'object') host.changed?.(task, result)
    return result
  }

  async remove(id: string): Promise<'removed' | 'not-ended' | 'unknown'> {
    const { watching } = this.#opened()
    const result = await this.#queue.remove(id)
    if (result === 'removed') watching.forget(id)
    return result
  }

  async check(): Promise<void> {
    this.#opened()
    await this.#queue.check()
  }

  drain(grace: number): Promise<void> {
    this.#draining ??= this.#drain(grace)
    return this.#draining
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #start(host: EngineHost): Promise<void> {
    if (this.#closing) throw closed()
    const open = this.#assemble(host)
    try {
      await this.#queue.open(
        this.#listener(open),
        (message, error) => host.report(message, error),
        (procedure) => host.policy(procedure),
      )
    } catch (error) {
      await this.#queue.close().catch(() => {}) // The first error is the one to hear of.
      this.#opening = undefined
      throw error
    }
    this.#open = open
  }

  #assemble(host: EngineHost): Open {
    const watching = new Watching({
      get: (id) => this.#queue.get(id),
      running: (id) => runs.taskOf(id),
      report: (message, error) => host.report(message, error),
    })
    const runs = new Runs({ host, queue: this.#queue, watching, ended: (slot) => fetcher.release(slot) })
    const fetcher = new Fetcher({
      host,
      queue: this.#queue,
      begin: (taken, slot, takenAt) => {
        runs.begin(taken, slot, takenAt)
        watching.changed(taken.task.id, () => taken.task)
      },
    })
    return { host, watching, runs, fetcher }
  }

  /** Whoever starts it mostly waits for it next. */
  #followed<T extends Submitted>(
    { watching }: Open,
    task: StoredTask,
    submit: (task: StoredTask) => Promise<T>,
  ): Promise<T> {
    return this.#queue.tellsAll ? watching.expect(task, () => submit(task)) : submit(task)
  }

  /** Whether the task can begin at once, here, rather than on the way through the queue. */
  #canBeginHere({ procedure, runAt = 0, deadlineAt = Infinity }: StoredTask): boolean {
    const { host, fetcher } = this.#opened()
    const now = host.clock.now()
    // How many may run on all hosts is for the queue to say.
    const isFree = (host.policy(procedure)?.concurrency ?? Infinity) === Infinity
    return isFree && runAt <= now && now < deadlineAt && fetcher.hasRoom(procedure)
  }

  #listener({ host, watching, runs, fetcher }: Open): QueueListener {
    // Watchers of a task that runs here have heard of it.
    const unlessOurs = (id: string, tell: () => void): void => {
      if (!runs.has(id)) tell()
    }
    return {
      available: (procedure) => fetcher.available(procedure),
      changed: (id, renew) => watching.changed(id, renew),
      wrote: (before, after) => host.changed?.(before, after),
      progress: (id, progress) => unlessOurs(id, () => watching.tell(id, { type: 'progress', progress })),
      log: (id, log) => unlessOurs(id, () => watching.tell(id, { type: 'log', log })),
      cancelRequested: (id, attempt) => runs.stop(id, attempt),
      look: () => watching.look(),
      missed: () => watching.missed(),
    }
  }

  async #drain(grace: number): Promise<void> {
    await this.#opening?.catch(() => {}) // Whoever opened it was told.
    if (!this.#open) return
    this.#open.runs.refuse()
    await this.#open.fetcher.stop()
    await this.#open.runs.drain(grace)
    this.#open.watching.close()
  }

  async #close(): Promise<void> {
    await this.drain(0)
    if (this.#open) await this.#queue.close()
  }

  #opened(): Open {
    if (this.#closing) throw closed()
    if (this.#open) return this.#open
    throw new EngineUnavailable(`The ${this.name} engine is not open yet. Call open() first`)
  }

  /** Takes new tasks. */
  #serving(): Open {
    if (this.#draining) throw draining()
    return this.#opened()
  }
}
