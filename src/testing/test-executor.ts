/** An executor that notes every attempt, and lets go wrong what was said to. */
import { toFailure, type Failure } from '../procedures/failure.ts'
import { sleep } from '../tasks/clock.ts'
import type { Call, CallEvents, Executor, ExecutorCapabilities, Outcome, Running } from '../tasks/executor.ts'
import { TASK_ERROR_CODES } from '../protocol/errors.ts'
import { abortError } from '../tasks/worker/outcomes.ts'
import type { CallLog, OpenCall } from './call-log.ts'
import type { Fault, Faults } from './faults.ts'
import type { Pulse } from './pulse.ts'
import type { TestClock } from './test-clock.ts'

/** What attempts and plain calls share. */
export interface Watch {
  readonly calls: CallLog
  readonly faults: Faults
  readonly clock: TestClock
  readonly pulse: Pulse
}

const LOST: Outcome = { kind: 'lost', reason: 'The test said that its worker dies' }

const failed = (thrown: unknown): Outcome => ({ kind: 'error', error: toFailure(thrown) })

const lostError: Failure = {
  code: 'WORKER_LOST',
  status: TASK_ERROR_CODES.WORKER_LOST,
  message: 'The worker that ran the task died',
}

/** Notes how a call ended. */
const note = (call: OpenCall, outcome: Outcome): void => {
  switch (outcome.kind) {
    case 'value':
      return call.succeeded(outcome.value)
    case 'error':
      return call.failed(outcome.error)
    case 'lost':
      return call.failed(lostError)
    case 'returned':
      return call.withdrawn()
  }
}

/** One attempt. */
class TestRun implements Running {
  readonly outcome: Promise<Outcome>
  readonly procedure: string
  readonly #taskId: string
  readonly #watch: Watch
  readonly #settle: (outcome: Outcome) => void
  #inner: Running | undefined
  #isWaiting = false
  #hasEnded = false

  constructor(call: Call, watch: Watch, begin: () => Running) {
    this.procedure = call.procedure
    this.#taskId = call.taskId
    this.#watch = watch
    const { promise, resolve } = Promise.withResolvers<Outcome>()
    this.outcome = promise
    this.#settle = resolve
    const { calls, pulse, faults } = watch
    const entry = calls.begin(call.procedure, call.input, call.attempt)
    pulse.runs(call.taskId)
    void promise.then((outcome) => {
      note(entry, outcome)
      pulse.rests(call.taskId)
    })
    void this.#go(faults.take(call.procedure), faults.delayOf(call.procedure), begin)
  }

  /** Whether it waits for the clock. */
  get isWaiting(): boolean {
    return this.#isWaiting
  }

  abort(reason: string): void {
    if (this.#inner) this.#inner.abort(reason)
    else this.#end(failed(abortError(reason)))
  }

  kill(reason: string): void {
    this.#inner?.kill(reason)
    this.#end({ kind: 'lost', reason })
  }

  /** Never rejects. */
  async #go(fault: Fault | undefined, delay: number, begin: () => Running): Promise<void> {
    if (delay > 0) await this.#wait(delay)
    // It was stopped while it waited: what is begun now would run for nobody.
    if (this.#hasEnded) return
    if (fault?.kind === 'fail') return this.#end(failed(fault.error))
    this.#inner = begin()
    const outcome = await this.#inner.outcome
    this.#end(fault?.kind === 'lose' && outcome.kind !== 'returned' ? LOST : outcome)
  }

  async #wait(delay: number): Promise<void> {
    const { clock, pulse } = this.#watch
    this.#isWaiting = true
    pulse.rests(this.#taskId)
    await Promise.race([sleep(clock, delay), this.outcome])
    this.#isWaiting = false
    if (!this.#hasEnded) pulse.runs(this.#taskId)
  }

  #end(outcome: Outcome): void {
    this.#hasEnded = true
    this.#settle(outcome)
  }
}

/** Around another executor. */
export class TestExecutor implements Executor {
  readonly name: string
  readonly capabilities: ExecutorCapabilities
  readonly #inner: Executor
  readonly #watch: Watch
  readonly #running = new Map<string, TestRun>()

  constructor(inner: Executor, watch: Watch) {
    this.name = inner.name
    this.capabilities = inner.capabilities
    this.#inner = inner
    this.#watch = watch
  }

  open(): Promise<void> {
    return this.#inner.open()
  }

  run(call: Call, events: CallEvents, started: () => void): Running {
    const { clock } = this.#watch
    const stamped: CallEvents = {
      ...events,
      log: (log) => events.log({ ...log, at: new Date(clock.now()).toISOString() }),
    }
    const run = new TestRun(call, this.#watch, () => this.#inner.run(call, stamped, () => undefined))
    this.#running.set(call.taskId, run)
    void run.outcome.then(() => {
      if (this.#running.get(call.taskId) === run) this.#running.delete(call.taskId)
    })
    // Not before whoever asked holds what it gets.
    queueMicrotask(started)
    return run
  }

  /** Whether a task's attempt runs that waits for nothing but the clock. */
  isWaiting(taskId: string): boolean {
    return this.#running.get(taskId)?.isWaiting ?? false
  }

  /** Ends the attempts that run, of one procedure or all, as a dying worker does. Says how many. */
  lose(path?: string): number {
    const runs = [...this.#running.values()].filter(({ procedure }) => (path ?? procedure) === procedure)
    for (const run of runs) run.kill('The test said that its worker dies')
    return runs.length
  }

  close(): Promise<void> {
    return this.#inner.close()
  }
}
