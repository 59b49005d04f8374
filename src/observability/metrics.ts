/** Counts and times what an app does, and writes it for Prometheus. */
import { ERROR_CODES, TASK_ERROR_CODES } from '../protocol/errors.ts'
import type { Call } from '../procedures/call.ts'
import type { CallResult } from '../procedures/failure.ts'
import type { Entry } from '../router/entries.ts'
import type { Happening } from '../tasks/changes.ts'
import type { Census } from '../tasks/engine.ts'
import type { ExecutorLoad } from '../tasks/executor.ts'
import type { StoredTask } from '../tasks/stored-task.ts'
import { createInstruments, type Instruments } from './instruments.ts'
import type { PromClient, Registry } from './prom-client.ts'
import type { Answered } from './request-log.ts'
import { ranFor, waitedFor } from './task-times.ts'

/** What is looked at when somebody asks. */
export interface Looks {
  readonly census: () => Promise<readonly Census[]>
  readonly loads: () => readonly (readonly [kind: string, load: ExecutorLoad])[]
}

const STANDARD_CODES: readonly string[] = [...Object.keys(ERROR_CODES), ...Object.keys(TASK_ERROR_CODES)]

/** The codes that a procedure can end with: those that exist, and those it declares. */
const codesOf = ({ definition }: Entry): ReadonlySet<string> =>
  new Set([...STANDARD_CODES, ...Object.keys(definition.errors)])

const OTHER = 'OTHER'
const SECOND = 1000

/** All metrics of one app. */
export class Metrics {
  readonly #registry: Registry
  readonly #prom: PromClient
  readonly #instruments: Instruments
  readonly #looks: Looks
  readonly #codes: ReadonlyMap<string, ReadonlySet<string>>
  #isOpen = false
  #looking: Promise<void> | undefined

  constructor(prom: PromClient, registry: object | undefined, entries: readonly Entry[], looks: Looks) {
    this.#prom = prom
    this.#registry = (registry as Registry | undefined) ?? new prom.Registry()
    this.#looks = looks
    this.#codes = new Map(entries.map((entry) => [entry.path, codesOf(entry)]))
    this.#instruments = createInstruments(prom, this.#registry, () => this.#look())
  }

  /** Of the text. */
  get contentType(): string {
    return this.#registry.contentType
  }

  /** Everything, as Prometheus reads it. */
  text(): Promise<string> {
    this.#open()
    return this.#registry.metrics()
  }

  /** A procedure whose calls are timed. */
  readonly timed = (entry: Entry): Entry => {
    const { call } = entry
    return call ? { ...entry, call: this.#timedCall(entry, call) } : entry
  }

  /** A request was answered. */
  readonly answered: Answered = ({ match }, { status }) =>
    this.#instruments.requests.add(match?.route.owner ?? 'unknown', status)

  /** Something happened to a task. */
  readonly told = ({ name, task }: Happening): void => {
    if (name === 'progress') return
    const { procedure } = task
    const { taskEvents, waits, runs } = this.#instruments
    taskEvents.inc({ procedure, event: name })
    if (name === 'started') return waits.observe({ procedure }, waitedFor(task) / SECOND)
    if (name === 'queued') return
    const ms = ranFor(task)
    // One that was cancelled while it waited, or was too late, ran no attempt that ends now.
    if (ms !== undefined) runs.observe({ procedure, outcome: name }, ms / SECOND)
    if (name === 'retrying' || name === 'failed') this.#failed(task)
  }

  #failed({ procedure, attempts, error }: StoredTask): void {
    const code = attempts.at(-1)?.error?.code ?? error?.code ?? OTHER
    this.#instruments.taskErrors.inc({ procedure, code: this.#known(procedure, code) })
  }

  #timedCall({ path }: Entry, call: Call): Call {
    const { calls } = this.#instruments
    const finish = (result: CallResult, began: number): CallResult => {
      const code = result.ok ? 'OK' : this.#known(path, result.error.code)
      calls.observe(path, code, (performance.now() - began) / SECOND)
      return result
    }
    return (input, environment) => {
      const began = performance.now()
      const result = call(input, environment)
      return result instanceof Promise ? result.then((done) => finish(done, began)) : finish(result, began)
    }
  }

  /** A code that somebody made up is not a label of its own. */
  #known(procedure: string, code: string): string {
    return this.#codes.get(procedure)?.has(code) ? code : OTHER
  }

  // Once somebody wants it: measuring the event loop costs a little all the time.
  #open(): void {
    if (this.#isOpen) return
    this.#isOpen = true
    // A registry of the user's own may have them by now.
    if (this.#registry.getSingleMetric('process_start_time_seconds')) return
    this.#prom.collectDefaultMetrics({ register: this.#registry })
  }

  /** Once for all who ask together: each metric of a scrape does. */
  #look(): Promise<void> {
    return (this.#looking ??= this.#lookAround().finally(() => (this.#looking = undefined)))
  }

  async #lookAround(): Promise<void> {
    const { workers, restarts } = this.#instruments
    restarts.reset()
    for (const [kind, load] of this.#looks.loads()) {
      workers.set({ kind, state: 'busy' }, load.busy)
      workers.set({ kind, state: 'idle' }, Math.max(0, load.workers - load.busy))
      restarts.inc({ kind }, load.restarts)
    }
    await this.#lookAtTasks()
  }

  async #lookAtTasks(): Promise<void> {
    const { tasks, oldest, engineUp } = this.#instruments
    tasks.reset()
    oldest.reset()
    try {
      for (const { procedure, waited = 0, ...counts } of await this.#looks.census()) {
        for (const [state, count] of Object.entries(counts)) tasks.set({ procedure, state }, count)
        oldest.set({ procedure }, waited / SECOND)
      }
      engineUp.set(1)
    } catch {
      // It says itself what is wrong with it, and the rest is worth to be known.
      engineUp.set(0)
    }
  }
}
