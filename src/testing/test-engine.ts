/** The local engine over records in memory, which can be killed and started again. */
import type { Clock } from '../tasks/clock.ts'
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
} from '../tasks/engine.ts'
import type { WatchOptions } from '../tasks/engines/event-hub.ts'
import { LocalEngine } from '../tasks/engines/local-engine.ts'
import type { StoredTask } from '../tasks/stored-task.ts'
import { MemoryStore, type Records } from './memory-store.ts'
import type { Pulse } from './pulse.ts'

/** What it is made of. */
export interface TestEngineParts {
  readonly records: Records
  readonly pulse: Pulse
  readonly queueLimit: number
}

/** From one start to a kill. */
interface Life {
  readonly engine: LocalEngine
  readonly store: MemoryStore
  readonly killed: AbortController
}

/** What a killed process had set rings no more. */
const clockOf = (clock: Clock, { killed: { signal } }: Life): Clock => ({
  now: () => clock.now(),
  setTimer: (ring, ms) => clock.setTimer(() => signal.aborted || ring(), ms),
  clearTimer: (timer) => clock.clearTimer(timer),
})

const hostOf = (host: EngineHost, life: Life, pulse: Pulse): EngineHost => ({
  clock: clockOf(host.clock, life),
  policy: (procedure) => host.policy(procedure),
  slots: (runOn) => host.slots(runOn),
  run: (claim) => {
    // From here on: the first attempt waits for its executor to be loaded.
    pulse.runs(claim.task.id)
    return host.run(claim)
  },
  changed: (before, after) => {
    if (!life.killed.signal.aborted) host.changed?.(before, after)
  },
  report: (message, error) => host.report(message, error),
})

const dead = (): EngineUnavailable =>
  new EngineUnavailable('The process was killed: the test said crash(), and not yet restart()')

/** As the work goes, unless the process is killed first. */
const unlessKilled = <T>(work: Promise<T>, { killed: { signal } }: Life): Promise<T> =>
  new Promise((resolve, reject) => {
    const stop = (): void => reject(dead())
    signal.addEventListener('abort', stop, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })

/** One engine to the app, one after another inside. */
export class TestEngine implements TaskEngine {
  readonly name = 'inline'
  readonly capabilities: EngineCapabilities = {
    durable: 'process',
    multiHost: false,
    transactionalStart: false,
  }
  readonly #parts: TestEngineParts
  #opening: Promise<void> | undefined
  #host: EngineHost | undefined
  #procedures: readonly string[] | undefined
  #life: Life | undefined

  constructor(parts: TestEngineParts) {
    this.#parts = parts
  }

  open(host: EngineHost): Promise<void> {
    this.#host = host
    this.#opening ??= this.#start().catch((error: unknown) => {
      this.#opening = undefined
      throw error
    })
    return this.#opening
  }

  work(procedures: readonly string[]): void {
    this.#procedures = procedures
    this.#alive().engine.work(procedures)
  }

  /** Ends it as SIGKILL ends a process. */
  crash(): void {
    const life = this.#life
    this.#life = undefined
    life?.store.die()
    life?.killed.abort()
  }

  /** Starts over what a killed one left. */
  async restart(): Promise<void> {
    if (!this.#host || this.#life) return
    await this.#start()
    if (this.#procedures) this.work(this.#procedures)
  }

  submit(spec: TaskSpec, options?: SubmitOptions): Promise<Submitted> {
    return this.#use((engine) => engine.submit(spec, options))
  }

  get(id: string): Promise<StoredTask | undefined> {
    return this.#use((engine) => engine.get(id))
  }

  list(query: TaskQuery): Promise<StoredPage> {
    return this.#use((engine) => engine.list(query))
  }

  census(procedures: readonly string[]): Promise<readonly Census[]> {
    return this.#use((engine) => engine.census(procedures))
  }

  async *events(id: string, options: WatchOptions): AsyncGenerator<EngineEvent, void> {
    const { engine, killed } = this.#alive()
    yield* engine.events(id, { ...options, signal: AbortSignal.any([options.signal, killed.signal]) })
  }

  ended(id: string): Promise<StoredTask | undefined> {
    return this.#use((engine) => engine.ended(id))
  }

  cancel(id: string): Promise<CancelResult | undefined> {
    return this.#use((engine) => engine.cancel(id))
  }

  retry(id: string): Promise<StoredTask | 'not-ended' | 'succeeded' | undefined> {
    return this.#use((engine) => engine.retry(id))
  }

  remove(id: string): Promise<'removed' | 'not-ended' | 'unknown'> {
    return this.#use((engine) => engine.remove(id))
  }

  check(): Promise<void> {
    return this.#use((engine) => engine.check())
  }

  async drain(grace: number): Promise<void> {
    await this.#life?.engine.drain(grace)
  }

  async close(): Promise<void> {
    await this.#life?.engine.close()
  }

  async #start(): Promise<void> {
    const { records, pulse, queueLimit } = this.#parts
    const store = new MemoryStore(records, pulse)
    const engine = new LocalEngine({ name: this.name, store, queueLimit })
    const life: Life = { engine, store, killed: new AbortController() }
    await engine.open(hostOf(this.#host as EngineHost, life, pulse))
    this.#life = life
  }

  #alive(): Life {
    if (this.#life) return this.#life
    throw dead()
  }

  async #use<T>(act: (engine: LocalEngine) => Promise<T>): Promise<T> {
    const life = this.#alive()
    return unlessKilled(act(life.engine), life)
  }
}
