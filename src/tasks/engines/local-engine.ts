/** The engine of one process: tasks in memory, every change in a store first. */
import { isFinished } from '../../protocol/task.ts'
import type { Clock } from '../clock.ts'
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
} from '../engine.ts'
import { cancelled, cancelRequested, requeued } from '../lifecycle.ts'
import type { TaskStore } from '../store.ts'
import type { StoredTask } from '../stored-task.ts'
import { takeCensus } from './census.ts'
import { stopReason } from './claim.ts'
import { Dispatcher } from './dispatcher.ts'
import type { Entry } from './entry.ts'
import { EventHub, type WatchOptions } from './event-hub.ts'
import { Intake } from './intake.ts'
import { Ledger } from './ledger.ts'
import { recover } from './recovery.ts'
import { rulesOf } from './rules.ts'
import { Sweeper } from './sweeper.ts'
import { closed, draining } from './unavailable.ts'

/** The id of none: ids of tasks are not so. */
const NO_TASK = 'none'

/** What it is made of. */
export interface LocalEngineParts {
  readonly name: string
  readonly store: TaskStore
  /** How many tasks may be queued. */
  readonly queueLimit: number
}

/** What exists once the host is known. */
interface Open {
  readonly clock: Clock
  readonly host: EngineHost
  readonly ledger: Ledger
  readonly dispatcher: Dispatcher
  readonly intake: Intake
  readonly sweeper: Sweeper
}

/** Owns its store: one engine, one process. */
export class LocalEngine implements TaskEngine {
  readonly name: string
  readonly #store: TaskStore
  readonly #queueLimit: number
  readonly #hub = new EventHub()
  #open: Open | undefined
  #opening: Promise<void> | undefined
  #draining: Promise<void> | undefined
  #closing: Promise<void> | undefined
  /** Another process has the store. */
  #lost: EngineUnavailable | undefined

  constructor({ name, store, queueLimit }: LocalEngineParts) {
    this.name = name
    this.#store = store
    this.#queueLimit = queueLimit
  }

  /** What a store on a server survives is known once it is open. */
  get capabilities(): EngineCapabilities {
    return { durable: this.#store.capabilities.durable, multiHost: false, transactionalStart: false }
  }

  open(host: EngineHost): Promise<void> {
    this.#opening ??= this.#start(host)
    return this.#opening
  }

  work(procedures: readonly string[]): void {
    this.#opened().dispatcher.work(procedures)
  }

  async submit(spec: TaskSpec, options: SubmitOptions = {}): Promise<Submitted> {
    const { intake } = options.byTask ? this.#opened() : this.#serving()
    return (await intake.submit(spec)) ?? this.submit(spec, options)
  }

  async get(id: string): Promise<StoredTask | undefined> {
    const entry = this.#find(id)
    return entry && this.#opened().ledger.read(entry)
  }

  async list(query: TaskQuery): Promise<StoredPage> {
    const { clock, ledger } = this.#opened()
    const { entries, nextCursor } = ledger.index.list(query, clock.now())
    const tasks = await Promise.all(entries.map((entry) => ledger.read(entry)))
    const items = tasks.filter((task) => task !== undefined)
    return nextCursor === undefined ? { items } : { items, nextCursor }
  }

  async census(procedures: readonly string[]): Promise<readonly Census[]> {
    const { clock, ledger } = this.#opened()
    return takeCensus(procedures, ledger.index.unfinished(), clock.now())
  }

  events(id: string, options: WatchOptions): AsyncIterable<EngineEvent> {
    const entry = this.#find(id)
    // The state of a live task is taken and its watching begun in one step, so that nothing falls between.
    return entry?.live ? this.#hub.watch(entry.live.task, options) : this.#eventsOfEnded(entry, options)
  }

  async ended(id: string): Promise<StoredTask | undefined> {
    return this.#find(id)?.live ? this.#hub.ended(id) : this.get(id)
  }

  async cancel(id: string): Promise<CancelResult | undefined> {
    const entry = this.#find(id)
    if (!entry) return undefined
    const { live } = entry
    const { clock, ledger, dispatcher, host } = this.#opened()
    const { keep } = rulesOf(host, entry.procedure)
    const task = await ledger.change(entry, (before) =>
      before.status === 'queued' ? cancelled(before, clock.now(), keep) : cancelRequested(before),
    )
    if (!task) return undefined
    if (!isFinished(task.status)) {
      live?.claim?.stop.abort(stopReason('Cancelled'))
      return { kind: 'requested', task }
    }
    if (live) dispatcher.withdraw(live)
    return { kind: 'settled', task }
  }

  async retry(id: string): Promise<StoredTask | 'not-ended' | 'succeeded' | undefined> {
    const { clock, ledger, dispatcher, host, intake } = this.#serving()
    const entry = this.#find(id)
    if (!entry) return undefined
    intake.admit()
    const { maxAttempts: attempts = 1, deadline } = host.policy(entry.procedure) ?? {}
    let refusal: 'not-ended' | 'succeeded' | undefined
    const task = await ledger.revive(entry, (before) => {
      refusal =
        before.status === 'succeeded' ? 'succeeded' : isFinished(before.status) ? undefined : 'not-ended'
      return refusal ? before : requeued(before, clock.now(), { attempts, deadline })
    })
    if (!task || refusal) return refusal
    dispatcher.schedule(entry)
    return task
  }

  async remove(id: string): Promise<'removed' | 'not-ended' | 'unknown'> {
    const entry = this.#find(id)
    if (!entry) return 'unknown'
    return (await this.#opened().ledger.forget(entry)) ? 'removed' : 'not-ended'
  }

  async check(): Promise<void> {
    this.#opened()
    await this.#store.get(NO_TASK)
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
    const { clock } = host
    const report: EngineHost['report'] = (...told) => host.report(...told)
    const ledger = new Ledger({ host, store: this.#store, hub: this.#hub })
    try {
      await this.#store.open(report, (reason) => this.#lose(host, reason))
      await ledger.load()
      await recover(ledger, host)
      if (this.#lost) throw this.#lost
    } catch (error) {
      await this.#store.close().catch(() => {}) // The first error is the one to hear of.
      this.#opening = undefined
      throw error
    }
    const dispatcher = new Dispatcher({ host, ledger, hub: this.#hub })
    const intake = new Intake({ host, ledger, dispatcher, queueLimit: this.#queueLimit })
    const sweeper = new Sweeper(clock, ledger, report)
    this.#open = { clock, host, ledger, dispatcher, intake, sweeper }
    this.#open.sweeper.start()
    dispatcher.resume(ledger.index.live())
  }

  /** Another process runs the tasks: nothing is claimed, written or answered here any more. */
  #lose(host: EngineHost, reason: EngineUnavailable): void {
    this.#lost = reason
    this.#open?.sweeper.stop()
    this.#open?.dispatcher.abandon()
    this.#hub.close()
    host.report(reason.message, reason)
    host.lost?.(reason)
  }

  async *#eventsOfEnded(entry: Entry | undefined, options: WatchOptions): AsyncGenerator<EngineEvent, void> {
    const task = entry && (await this.#opened().ledger.read(entry))
    if (task) yield* this.#hub.watch(task, options)
  }

  async #drain(grace: number): Promise<void> {
    await this.#opening?.catch(() => {}) // Whoever opened it was told.
    await this.#open?.dispatcher.drain(grace)
    this.#hub.close()
  }

  async #close(): Promise<void> {
    await this.drain(0)
    this.#open?.sweeper.stop()
    // The store waits for it; what is left after all is known to be doubtful to those who started it.
    this.#open?.ledger.retract().catch(() => {})
    if (this.#open) await this.#store.close()
  }

  #find(id: string): Entry | undefined {
    const { clock, ledger } = this.#opened()
    return ledger.index.find(id, clock.now())
  }

  #opened(): Open {
    if (this.#closing) throw closed()
    if (this.#lost) throw this.#lost
    if (this.#open) return this.#open
    throw new EngineUnavailable(`The ${this.name} engine is not open yet. Call open() first`)
  }

  /** Takes new tasks. */
  #serving(): Open {
    if (this.#draining) throw draining()
    return this.#opened()
  }
}
