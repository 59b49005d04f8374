/** An app's engine: opened at first use, anew when it lost its tasks to another process, and told once what to work. */
import { EngineUnavailable, type EngineHost, type TaskEngine } from './tasks/engine.ts'
import type { TasksOption } from './tasks/engines/options.ts'

/** What it is made of. */
export interface AppEngineParts {
  /** Makes engines. */
  readonly option: TasksOption
  /** What an engine runs tasks with. `lost` is called when another process has them. */
  readonly createHost: (lost: () => void) => EngineHost
  /** Names of all tasks. */
  readonly names: readonly string[]
}

/** One at a time. */
export class AppEngine {
  readonly #parts: AppEngineParts
  #engine: Promise<TaskEngine> | undefined
  /** One that lost its tasks, while it is being closed. */
  #leaving: Promise<void> | undefined
  /** What this process was told to run. */
  #procedures: readonly string[] | undefined
  /** The engine that was told to. */
  #working: TaskEngine | undefined
  #closed = false

  constructor(parts: AppEngineParts) {
    this.#parts = parts
  }

  /** The open engine. */
  open(): Promise<TaskEngine> {
    // An engine that drains still answers those who wait for its tasks; it refuses new ones itself.
    if (this.#closed && !this.#engine)
      return Promise.reject(new EngineUnavailable('The app is closed', { refuses: true }))
    return (this.#engine ??= this.#create().catch((error: unknown) => {
      // The next call tries again: a store that was away may be back.
      this.#engine = undefined
      throw error
    }))
  }

  /** Opens it and has it run these tasks, as will each that comes after it. */
  async work(procedures: readonly string[]): Promise<void> {
    this.#procedures = procedures
    this.#begin(await this.open())
  }

  /** Takes no new tasks, lets running ones end for as long as the grace says, gives the rest back. */
  async drain(): Promise<void> {
    this.#closed = true
    await (await this.#opened())?.drain(this.#parts.option.drainGrace)
  }

  /** Releases it; what is drained can be read until then. */
  async close(): Promise<void> {
    await (await this.#opened())?.close()
    await this.#leaving
  }

  /** Who opened it was told why it could not be. */
  async #opened(): Promise<TaskEngine | undefined> {
    return this.#engine?.catch(() => undefined)
  }

  async #create(): Promise<TaskEngine> {
    const { option, createHost } = this.#parts
    await this.#leaving
    const engine = await option.create()
    await engine.open(createHost(() => this.#leave(engine)))
    this.#begin(engine)
    return engine
  }

  /** Lets an engine work, once. One of many hosts does only when this process was told to. */
  #begin(engine: TaskEngine): void {
    const { option, names } = this.#parts
    const procedures = this.#procedures ?? (option.multiHost ? [] : names)
    if (procedures.length === 0 || this.#working === engine) return
    this.#working = engine
    engine.work(procedures)
  }

  /** Another process took over: the next call tries to open an engine anew, and will as soon as that one is gone. */
  #leave(engine: TaskEngine): void {
    this.#engine = undefined
    this.#leaving = engine.close().catch(() => {}) // It said itself what went wrong.
  }
}
