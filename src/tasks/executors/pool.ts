/** A pool of workers as an executor: which worker gets which call, and how many workers there are. */
import type { Call, CallEvents, Executor, ExecutorCapabilities, ExecutorLoad, Running } from '../executor.ts'
import { clock } from '../worker/lease.ts'
import { internalError } from '../worker/outcomes.ts'
import { PooledCall, type CallHolder } from './pooled-call.ts'
import { PooledWorker, type WorkerListener } from './pooled-worker.ts'
import type { Runtime, WorkerOptions } from './runtime.ts'
import { SafePool } from './safe-pool.ts'

/** How often calls sent ahead are looked after, in milliseconds. */
const LOOK_INTERVAL = 10
/** Milliseconds without new workers after one could not start, as long as others serve. */
const REST = 1000
const START_TIMEOUT = 60_000
const CLOSED = 'the executor was closed'

// oxlint-disable-next-line no-console -- for a pool that nobody gave a logger
const toStderr = (message: string): void => console.error(`errand: ${message}`)

const endAsReturned = (calls: readonly PooledCall[]): void => {
  for (const call of calls) call.end({ kind: 'returned' })
}

/** Runs calls in workers that are made on demand: the first by `open`, or by the first call. */
export class WorkerPool implements Executor, CallHolder, WorkerListener {
  readonly name: string
  readonly capabilities: ExecutorCapabilities
  readonly #options: WorkerOptions
  readonly #runtime: Runtime
  readonly #report: (message: string) => void
  readonly #workers = new Set<PooledWorker>()
  readonly #waiting: PooledCall[] = []
  #pool: SafePool | undefined
  #opening: PromiseWithResolvers<void> | undefined
  #isClosed = false
  #restarts = 0
  #closed: Promise<void> | undefined
  #lookTimer: NodeJS.Timeout | undefined
  #restTimer: NodeJS.Timeout | undefined

  constructor(runtime: Runtime, options: WorkerOptions) {
    if (!Number.isInteger(options.workers) || options.workers < 1)
      throw new RangeError(
        `${runtime.name}: ${options.workers} workers were asked for; expected a whole number, 1 or more`,
      )
    this.name = runtime.name
    this.capabilities = { isolated: true, slots: options.workers }
    this.#runtime = runtime
    this.#options = options
    this.#report = options.report ?? toStderr
  }

  async open(): Promise<void> {
    if (this.#isClosed) throw new Error(CLOSED)
    if ([...this.#workers].some(({ isReady }) => isReady)) return
    this.#opening ??= Promise.withResolvers<void>()
    if (this.#workers.size === 0) this.#add()
    await this.#opening.promise
  }

  run(call: Call, events: CallEvents, started: () => void): Running {
    const running = new PooledCall(call, events, started)
    if (this.#isClosed) running.end({ kind: 'returned' })
    else this.#enqueue(running)
    return running
  }

  #enqueue(call: PooledCall): void {
    call.holder = this
    this.#waiting.push(call)
    // Behind others it waits with them for a worker to be free.
    if (this.#waiting.length === 1 || this.#canGrow()) this.#dispatch()
  }

  /** A call that waits here is withdrawn. */
  abort(call: PooledCall): void {
    this.#waiting.splice(this.#waiting.indexOf(call), 1)
    call.end({ kind: 'returned' })
  }

  kill(call: PooledCall): void {
    this.abort(call)
  }

  #dispatch(): void {
    this.#fill(() => 1)
    this.#grow()
    if (this.#waiting.length === 0) return
    const now = clock()
    if (this.#fill((worker) => worker.room(now)) > 0) this.#lookLater()
  }

  /** Gives calls to the workers, evenly, until each has as many as it has room for. Says how many. */
  #fill(room: (worker: PooledWorker) => number): number {
    const before = this.#waiting.length
    for (let depth = 0, isFull = false; !isFull && this.#waiting.length > 0; depth += 1) {
      isFull = true
      for (const worker of this.#workers) {
        if (!worker.isReady || room(worker) <= depth) continue
        isFull = false
        if (worker.load <= depth) this.#send(worker)
      }
    }
    return before - this.#waiting.length
  }

  /** Gives a worker the next call that can be sent. */
  #send(worker: PooledWorker): void {
    for (let call = this.#waiting.shift(); call; call = this.#waiting.shift()) {
      try {
        return worker.send(call)
      } catch (thrown) {
        call.end(internalError(thrown))
      }
    }
  }

  #canGrow(): boolean {
    if (this.#workers.size >= this.#options.workers) return false
    return this.#workers.size === 0 || this.#restTimer === undefined
  }

  /** One new worker per waiting call. */
  #grow(): void {
    const starting = [...this.#workers].filter((worker) => worker.isStarting).length
    for (let missing = this.#waiting.length - starting; missing > 0 && this.#canGrow(); missing -= 1)
      this.#add()
  }

  #add(): void {
    const { module, startTimeout = START_TIMEOUT, workers } = this.#options
    const pool = (this.#pool ??= new SafePool({ ...this.#runtime.poolOptions, maxThreads: workers }))
    const worker = new PooledWorker({
      module,
      startTimeout,
      runtime: this.#runtime,
      listener: this,
      start: (job, options) => pool.start(job, options),
    })
    this.#workers.add(worker)
  }

  ready(): void {
    this.#opening?.resolve()
    this.#opening = undefined
    this.#endRest()
    this.#dispatch()
  }

  freed(): void {
    if (this.#waiting.length > 0) this.#dispatch()
  }

  ended(worker: PooledWorker, reason: string, wasTold: boolean): void {
    this.#workers.delete(worker)
    if (this.#isClosed) return
    const failed = worker.hasServed ? [] : this.#takeUnservable()
    for (const call of failed) call.end({ kind: 'lost', reason: `The worker could not start: ${reason}` })
    const isHeard = wasTold || failed.length > 0 || this.#failOpening(reason)
    if (!isHeard) this.#report(`a worker died: ${reason}`)
    if (worker.hasServed) this.#replace()
    this.#dispatch()
  }

  /** Whether somebody waited for a first worker, and now knows that there is none. */
  #failOpening(reason: string): boolean {
    const opening = this.#workers.size === 0 ? this.#opening : undefined
    if (opening) this.#opening = undefined
    opening?.reject(new Error(reason))
    return opening !== undefined
  }

  // At once, so that the next call need not wait for it.
  #replace(): void {
    this.#restarts += 1
    if (this.#canGrow()) this.#add()
  }

  /** The calls that nobody is left to serve, after a failed start. If somebody is, another is tried later. */
  #takeUnservable(): PooledCall[] {
    if (this.#workers.size === 0) return this.#waiting.splice(0)
    this.#restTimer ??= setTimeout(() => {
      this.#endRest()
      this.#dispatch()
    }, REST)
    return []
  }

  #endRest(): void {
    clearTimeout(this.#restTimer)
    this.#restTimer = undefined
  }

  #lookLater(): void {
    this.#lookTimer ??= setTimeout(() => this.#look(), LOOK_INTERVAL)
  }

  #look(): void {
    this.#lookTimer = undefined
    for (const worker of this.#workers) void worker.recall()
    if ([...this.#workers].some((worker) => worker.hasLent)) this.#lookLater()
  }

  gaveBack(calls: readonly PooledCall[]): void {
    if (this.#isClosed) return endAsReturned(calls)
    for (const call of calls) call.holder = this
    this.#waiting.unshift(...calls)
    if (calls.length > 0) this.#dispatch()
  }

  load(): ExecutorLoad {
    const busy = [...this.#workers].filter(({ isReady, load }) => isReady && load > 0).length
    return { workers: this.#options.workers, busy, restarts: this.#restarts }
  }

  close(): Promise<void> {
    return (this.#closed ??= this.#close())
  }

  async #close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#lookTimer)
    this.#endRest()
    this.#opening?.reject(new Error(CLOSED))
    endAsReturned(this.#waiting.splice(0))
    for (const worker of this.#workers) worker.end(CLOSED)
    await this.#pool?.close()
  }
}
