/** An app's life as a server or as a worker: what opens and closes, and in which order. */
import { setTimeout as sleep } from 'node:timers/promises'
import { checkListenOptions, startServer, type ListenOptions } from './adapters/listen.ts'
import type { OwnServer, RunningServer } from './adapters/listen.ts'
import type { Ending } from './adapters/node.ts'
import type { Serving } from './adapters/server-limits.ts'
import { closeOnSignal } from './adapters/signals.ts'
import type { Logger } from './observability/logger.ts'
import { checkWorkerOptions, type RunningWorker, type WorkerOptions } from './app-worker.ts'
import type { Limits } from './config/limits.ts'
import { toMilliseconds } from './protocol/duration.ts'
import { isInWorker } from './tasks/worker/registry.ts'

/** The tasks of an app, as far as its life goes. */
export interface LivingTasks {
  /** Begins to run these, given by name; rejects when they can't be. */
  open(work: 'all' | 'none' | readonly string[]): Promise<void>
  /** Takes nothing new, and lets what runs end. */
  drain(): Promise<void>
  /** Releases everything. */
  close(): Promise<void>
}

/** What stands before requests, as far as its life goes. */
export interface LivingGuard {
  readonly limits: Limits
  /** Rejects when it could not do its work. */
  open(): Promise<void>
  close(): Promise<void>
}

/** What a process has beside its work, whether it serves or not. */
export interface LivingAside {
  open(): Promise<void>
  close(): Promise<void>
}

/** Milliseconds that requests under way get for their answers, once tasks are drained. */
const ANSWER_GRACE = 10_000

const toldOf = (options: ListenOptions): ListenOptions =>
  Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined))

const inertServer: RunningServer = {
  url: 'http://127.0.0.1:0',
  port: 0,
  close: () => Promise.resolve(),
  [Symbol.asyncDispose]: () => Promise.resolve(),
}

/** What a life is made of. */
export interface AppLifeParts {
  readonly tasks: LivingTasks
  readonly guard: LivingGuard
  readonly aside: LivingAside
  readonly logger: Logger
  /** What holds where `listen()` is not told. */
  readonly listen: ListenOptions
}

/** Opens servers, and closes them with everything behind them. */
export class AppLife {
  readonly #tasks: LivingTasks
  readonly #logger: Logger
  readonly #guard: LivingGuard
  readonly #listen: ListenOptions
  readonly #aside: LivingAside
  readonly #servers = new Set<OwnServer>()
  readonly #draining = new AbortController()
  readonly #drained = new AbortController()
  readonly #closed = Promise.withResolvers<void>()
  #closing: Promise<void> | undefined
  /** Milliseconds in which others learn that it is about to end. */
  #drainDelay = 0
  /** For whoever answers requests. */
  readonly ending: Ending = { draining: this.#draining.signal, closing: this.#drained.signal }

  constructor(parts: AppLifeParts) {
    const { tasks, guard, logger, listen, aside } = parts
    this.#aside = aside
    this.#tasks = tasks
    this.#logger = logger
    this.#guard = guard
    this.#listen = listen
  }

  async listen(serving: Serving, given: ListenOptions): Promise<RunningServer> {
    // A worker imports the app's module for its procedures; it must not serve.
    if (isInWorker()) return inertServer
    checkListenOptions(given)
    const options = { ...this.#listen, ...toldOf(given) }
    const { work = true } = options
    this.#refuseIfClosed()
    await this.#guard.open()
    await this.#aside.open()
    await this.#tasks.open(work ? 'all' : 'none')
    const server = await startServer(serving, options, this.#guard.limits)
    this.#servers.add(server)
    // It was closed while it opened.
    if (this.#closing) await server.close()
    this.#refuseIfClosed()
    this.#drainDelay = toMilliseconds(options.drainDelay ?? 0)
    this.#listenForSignals(options)
    const close = (): Promise<void> => this.close()
    return { ...server, close, [Symbol.asyncDispose]: close }
  }

  /** Runs tasks and serves nothing. */
  async work(options: WorkerOptions): Promise<RunningWorker> {
    const close = (): Promise<void> => this.close()
    const worker = { close, [Symbol.asyncDispose]: close }
    if (isInWorker()) return worker
    checkWorkerOptions(options)
    this.#refuseIfClosed()
    await this.#aside.open()
    await this.#tasks.open(options.only ?? 'all')
    this.#refuseIfClosed()
    this.#listenForSignals({ ...this.#listen, ...options })
    return worker
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close().finally(() => this.#closed.resolve()))
  }

  // The order of docs/guide.md, "Serving and closing". Until the tasks are drained it serves on: who waits for one is
  // answered, who starts one is told to come back.
  async #close(): Promise<void> {
    this.#draining.abort()
    if (this.#drainDelay > 0) await sleep(this.#drainDelay)
    await this.#tasks.drain()
    this.#drained.abort()
    const limit = setTimeout(() => this.#servers.forEach((server) => server.cut()), ANSWER_GRACE)
    await Promise.all([...this.#servers].map((server) => server.close()))
    clearTimeout(limit)
    await this.#tasks.close()
    await this.#guard.close()
    await this.#aside.close()
  }

  #refuseIfClosed(): void {
    if (this.#closing) throw new Error('The app is closed: a new one is made with createApp')
  }

  #listenForSignals({ signals = true }: Pick<ListenOptions, 'signals'>): void {
    if (signals === false) return
    const release = closeOnSignal({
      told: (signal) => {
        this.#logger.info({ signal }, `${signal}: closing, after what is under way`)
        if (typeof signals === 'function') signals(signal)
      },
      close: () => this.close().catch((error: unknown) => this.#closedBadly(error)),
    })
    void this.#closed.promise.then(release)
  }

  #closedBadly(error: unknown): void {
    process.exitCode = 1
    this.#logger.error({ err: error }, 'The app could not be closed well')
  }
}
