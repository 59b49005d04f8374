/** Attempts on the event loop of the host: for work that only waits, and for tests. */
import type {
  Call,
  CallEvents,
  Executor,
  ExecutorCapabilities,
  ExecutorLoad,
  Outcome,
  Running,
} from '../executor.ts'
import { abortError, runTask, unsendable } from '../worker/outcomes.ts'
import type { TaskLookup } from '../worker/registry.ts'

/** Options of the inline executor. */
export interface InlineOptions {
  readonly lookup: TaskLookup
  /** How many run at once. Default 50. */
  readonly slots?: number
}

const DEFAULT_SLOTS = 50

// A value that would not reach a caller from a worker does not from here either.
const checked = (path: string, outcome: Outcome): Outcome => {
  try {
    JSON.stringify(outcome)
    return outcome
  } catch (thrown) {
    return unsendable(path, thrown)
  }
}

/** One attempt: waits for a slot, runs, and ends once. */
class InlineCall implements Running {
  readonly outcome: Promise<Outcome>
  readonly #call: Call
  readonly #events: CallEvents
  readonly #started: () => void
  readonly #controller = new AbortController()
  #state: 'waiting' | 'running' | 'ended' = 'waiting'
  #settle!: (outcome: Outcome) => void

  constructor(call: Call, events: CallEvents, started: () => void) {
    this.#call = call
    this.#events = events
    this.#started = started
    this.outcome = new Promise((resolve) => (this.#settle = resolve))
  }

  get isWaiting(): boolean {
    return this.#state === 'waiting'
  }

  async start(lookup: TaskLookup): Promise<void> {
    this.#state = 'running'
    this.#started()
    const { procedure, input, carried, attempt, taskId, trace } = this.#call
    const outcome = await runTask(procedure, lookup(procedure), {
      input,
      carried,
      attempt,
      taskId,
      trace,
      signal: this.#controller.signal,
      progress: (progress) => this.#isRunning() && this.#events.progress(progress),
      log: (log) => this.#isRunning() && this.#events.log(log),
      start: async (request) => this.#events.start(request),
    })
    this.#end(checked(procedure, outcome))
  }

  abort(reason: string): void {
    if (this.isWaiting) this.#end({ kind: 'returned' })
    else if (this.#isRunning()) this.#controller.abort(abortError(reason))
  }

  /** The handler can't be stopped: it goes on, and nobody listens. */
  kill(reason: string): void {
    this.abort(reason)
    this.#end({
      kind: 'lost',
      reason: `It was given up (${reason}); on the event loop its handler may still run.`,
    })
  }

  #isRunning(): boolean {
    return this.#state === 'running'
  }

  #end(outcome: Outcome): void {
    this.#state = 'ended'
    this.#settle(outcome)
  }
}

class InlineExecutor implements Executor {
  readonly name = 'inline'
  readonly capabilities: ExecutorCapabilities
  readonly #lookup: TaskLookup
  readonly #waiting: InlineCall[] = []
  readonly #running = new Set<InlineCall>()
  #isClosed = false

  constructor({ lookup, slots = DEFAULT_SLOTS }: InlineOptions) {
    this.#lookup = lookup
    this.capabilities = { isolated: false, slots }
  }

  async open(): Promise<void> {}

  run(call: Call, events: CallEvents, started: () => void): Running {
    const running = new InlineCall(call, events, started)
    if (this.#isClosed) running.abort('Closed')
    else this.#waiting.push(running)
    // Not before whoever asked holds what it gets.
    queueMicrotask(() => this.#startNext())
    return running
  }

  #startNext(): void {
    while (this.#running.size < this.capabilities.slots) {
      const next = this.#waiting.shift()
      if (!next) return
      if (next.isWaiting) this.#start(next)
    }
  }

  #start(call: InlineCall): void {
    this.#running.add(call)
    void call.start(this.#lookup)
    void call.outcome.then(() => {
      this.#running.delete(call)
      this.#startNext()
    })
  }

  load(): ExecutorLoad {
    return { workers: this.capabilities.slots, busy: this.#running.size, restarts: 0 }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const call of this.#waiting.splice(0)) call.abort('Closed')
    for (const call of this.#running) call.kill('the executor was closed')
  }
}

/** An executor on the event loop. */
export const createInline = (options: InlineOptions): Executor => new InlineExecutor(options)
