/** One worker as its host sees it: what it was sent, what it says, how it ends. */
import type { HostRequest } from '../../procedures/task-call.ts'
import type { Outcome } from '../executor.ts'
import { clock, LEASE } from '../worker/lease.ts'
import {
  fromBatch,
  inWords,
  toSentError,
  type AskMessage,
  type FromCall,
  type FromWorker,
  type Job,
  type ReadyMessage,
  type SentError,
  type ToWorker,
} from '../worker/messages.ts'
import { Outbox } from '../worker/outbox.ts'
import type { CallHolder, PooledCall } from './pooled-call.ts'
import type { Link, Runtime } from './runtime.ts'
import type { Life } from './safe-pool.ts'

/** What a worker tells its pool. */
export interface WorkerListener {
  ready(): void
  /** It ended some calls, so it can take others. */
  freed(): void
  /** It did not begin these calls and never will; they have no holder now. */
  gaveBack(calls: readonly PooledCall[]): void
  /** It died. `wasTold`: a call of it was lost and knows why, or somebody meant it to. */
  ended(worker: PooledWorker, reason: string, wasTold: boolean): void
}

/** What a worker is made of. */
export interface PooledWorkerOptions {
  readonly module: string
  readonly runtime: Runtime
  readonly startTimeout: number
  readonly listener: WorkerListener
  start(job: Job, options: Link['runOptions']): Life
}

/** How many calls may wait in a worker behind the one it runs. */
const LOOK_AHEAD = 8
/** A call that took less milliseconds lets others be sent ahead. */
const QUICK = 2
/** After so many milliseconds without an end, no call is sent ahead. */
const STALE = 5

/** A worker, from the host's side. */
export class PooledWorker implements CallHolder {
  readonly #options: PooledWorkerOptions
  readonly #link: Link
  readonly #life: Life
  readonly #outbox: Outbox<ToWorker>
  readonly #calls = new Map<number, PooledCall>()
  readonly #startTimer: NodeJS.Timeout
  readonly #born = clock()
  #state: 'starting' | 'ready' | 'gone' = 'starting'
  #pid = 0
  #lastId = 0
  #sharesClock = false
  #hasServed = false
  #isQuick = false
  #lastEnd = 0
  #uncaught: SentError | undefined

  constructor(options: PooledWorkerOptions) {
    const { module, runtime, startTimeout, start } = options
    this.#options = options
    this.#link = runtime.openLink()
    this.#outbox = new Outbox(this.#link.post)
    this.#link.listen((batch) => this.#receive(batch))
    this.#life = start({ module, host: process.pid, ...this.#link.job }, this.#link.runOptions)
    void this.#life.ended.then((reason) =>
      this.#end(this.#uncaught ? `uncaught ${inWords(this.#uncaught)}` : reason),
    )
    this.#startTimer = setTimeout(() => this.#giveUpStart(startTimeout), startTimeout)
  }

  get isReady(): boolean {
    return this.#state === 'ready'
  }

  get isStarting(): boolean {
    return this.#state === 'starting'
  }

  /** Whether it has ever begun a call. */
  get hasServed(): boolean {
    return this.#hasServed
  }

  /** How many calls it has, the running one included. */
  get load(): number {
    return this.#calls.size
  }

  /** How many calls it may have now: more than one only while it goes through them quickly. */
  room(now: number): number {
    if (this.#state !== 'ready') return 0
    return this.#sharesClock && this.#isQuick && now - this.#lastEnd < STALE ? 1 + LOOK_AHEAD : 1
  }

  /** Throws a TypeError when the call's input is not JSON. */
  send(call: PooledCall): void {
    const now = clock()
    const isIdle = this.#calls.size === 0
    const until = isIdle ? undefined : now + LEASE
    const id = this.#lastId + 1
    this.#outbox.add({ kind: 'call', id, call: call.call, ...(until ? { until } : {}) })
    this.#lastId = id
    this.#calls.set(id, Object.assign(call, { id, until, holder: this }))
    if (isIdle) this.#lastEnd = now
    // An idle worker waits for it; a busy one gets all that comes up in this turn at once.
    this.#outbox.flushSoon(isIdle ? 'microtask' : 'turn')
  }

  abort(call: PooledCall, reason: string): void {
    call.isWithdrawn = true
    this.#outbox.add({ kind: 'abort', id: call.id, reason })
    this.#outbox.flushSoon('microtask')
  }

  kill(call: PooledCall, reason: string): void {
    if (!call.isLent) return this.end(reason)
    call.doom = reason
    this.abort(call, reason)
  }

  /** Ends the worker now, and with it the call that runs. */
  end(reason: string): void {
    this.#stop(`it was ended (${reason})`, true)
  }

  #stop(words: string, isMeant = false): void {
    // First, as the pool makes no worker for a run that comes while this one still has its place.
    this.#life.end()
    this.#end(words, isMeant)
    if (this.#pid) this.#options.runtime.end(this.#pid)
  }

  get hasLent(): boolean {
    return this.#lent().length > 0
  }

  #lent(): PooledCall[] {
    return [...this.#calls.values()].filter((call) => call.isLent)
  }

  /** Takes calls back that were lent for long enough. */
  async recall(): Promise<void> {
    const now = clock()
    const overdue = this.#lent().filter(({ until = Infinity }) => until < now)
    if (overdue.length === 0) return
    // By id: what is read now may give a call back, and the pool lend it anew.
    const ids = overdue.map(({ id }) => id)
    await this.#link.drain()
    this.#giveBack(this.#lent().filter(({ id }) => ids.includes(id)))
  }

  #giveBack(calls: readonly PooledCall[]): void {
    for (const call of calls) {
      this.#calls.delete(call.id)
      call.leave()
      if (call.isWithdrawn) call.end({ kind: 'returned' })
    }
    this.#options.listener.gaveBack(calls.filter((call) => !call.isWithdrawn))
  }

  #giveUpStart(limit: number): void {
    const hint = 'Does it wait for something at its top level?'
    this.#stop(`${this.#options.module} was not imported within ${limit} ms. ${hint}`)
  }

  #receive(batch: string): void {
    const before = this.#calls.size
    for (const message of fromBatch<FromWorker>(batch)) this.#take(message)
    if (this.#calls.size < before) this.#noteEnds()
  }

  #noteEnds(): void {
    const now = clock()
    this.#isQuick = now - this.#lastEnd < QUICK
    this.#lastEnd = now
    this.#options.listener.freed()
  }

  #take(message: FromWorker): void {
    if (message.kind === 'ready') this.#becomeReady(message)
    else if (message.kind === 'unusable')
      this.#stop(`${this.#options.module} can't be used: ${inWords(message.error)}`)
    else if (message.kind === 'dying') this.#uncaught = message.error
    else this.#takeFromCall(message)
  }

  #becomeReady(message: ReadyMessage): void {
    if (this.#state !== 'starting') return
    clearTimeout(this.#startTimer)
    this.#state = 'ready'
    this.#pid = message.pid
    this.#sharesClock = this.#born <= message.clock && message.clock <= clock()
    this.#options.listener.ready()
  }

  #takeFromCall(message: FromCall): void {
    const call = this.#calls.get(message.id)
    if (!call) return
    if (message.kind === 'outcome') this.#finish(call, message.outcome)
    else if (message.kind === 'started') this.#begin(call)
    else if (message.kind === 'declined') this.#giveBack([call])
    else if (message.kind === 'progress') call.events.progress(message.progress)
    else if (message.kind === 'log') call.events.log(message.log)
    else void this.#answer(call, message)
  }

  #begin(call: PooledCall): void {
    this.#hasServed = true
    call.begin()
    if (call.doom) this.end(call.doom)
  }

  #finish(call: PooledCall, outcome: Outcome): void {
    this.#calls.delete(call.id)
    // A handler that caught its worker's last error in time is well again.
    this.#uncaught = undefined
    call.end(outcome)
  }

  async #answer(call: PooledCall, { request, body }: AskMessage): Promise<void> {
    try {
      this.#outbox.add({ kind: 'answer', request, value: await askHost(call, body) })
    } catch (thrown) {
      this.#outbox.add({ kind: 'refusal', request, error: toSentError(thrown) })
    }
    this.#outbox.flushSoon('turn')
  }

  #end(reason: string, isMeant = false): void {
    if (this.#state === 'gone') return
    this.#state = 'gone'
    clearTimeout(this.#startTimer)
    void this.#link.drain()
    this.#link.close()
    const calls = [...this.#calls.values()]
    this.#calls.clear()
    const lost = calls.filter((call) => this.#isLost(call))
    for (const call of calls)
      call.end(
        lost.includes(call) ? { kind: 'lost', reason: `The worker died: ${reason}` } : { kind: 'returned' },
      )
    this.#options.listener.ended(this, reason, isMeant || lost.length > 0)
  }

  // A worker that died before it began anything would do so to the next call too: that must end some time.
  #isLost(call: PooledCall): boolean {
    return call.hasBegun || !this.#hasServed
  }
}

const askHost = async (call: PooledCall, body: HostRequest): Promise<unknown> => call.events.start(body)
