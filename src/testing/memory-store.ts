/**
 * Records in memory that outlive an engine, as a file outlives a process, and that can be out of reach for a while.
 * Time plays no part: an ended record goes when the engine forgets it.
 */
import { EngineUnavailable } from '../tasks/engine.ts'
import type { StoreCapabilities, TaskStore } from '../tasks/store.ts'
import type { StoredTask } from '../tasks/stored-task.ts'
import { decodeEnvelope, encodeEnvelope } from '../tasks/stores/record-codec.ts'
import type { Pulse } from './pulse.ts'
import { turn } from './real-time.ts'

/** What is kept: texts, as no two may share a part. */
export class Records {
  readonly rows = new Map<string, string>()
  isDown = false
}

const toTask = (text: string): StoredTask => decodeEnvelope(text).value as StoredTask

const never = new Promise<never>(() => {})

/** One engine's way to the records. */
export class MemoryStore implements TaskStore {
  readonly name = 'memory'
  readonly capabilities: StoreCapabilities = { durable: 'process' }
  readonly #records: Records
  readonly #pulse: Pulse
  #isDead = false

  constructor(records: Records, pulse: Pulse) {
    this.#records = records
    this.#pulse = pulse
  }

  /** Its process is killed: what it asks for is never answered. */
  die(): void {
    this.#isDead = true
  }

  async open(): Promise<void> {
    await this.#access(() => undefined)
  }

  async *loadAll(): AsyncGenerator<StoredTask, void> {
    yield* await this.#access(() => [...this.#records.rows.values()].map(toTask))
  }

  async put(task: StoredTask): Promise<void> {
    const text = encodeEnvelope({ value: task })
    await this.#access(() => this.#records.rows.set(task.id, text))
  }

  async putMany(tasks: readonly StoredTask[]): Promise<void> {
    await Promise.all(tasks.map((task) => this.put(task)))
  }

  async get(id: string): Promise<StoredTask | undefined> {
    const text = await this.#access(() => this.#records.rows.get(id))
    return text === undefined ? undefined : toTask(text)
  }

  async delete(id: string): Promise<void> {
    await this.#access(() => this.#records.rows.delete(id))
  }

  async close(): Promise<void> {}

  /** Takes a turn of the event loop, as whatever is stored elsewhere does. */
  async #access<T>(act: () => T): Promise<T> {
    if (this.#isDead) return never
    if (this.#records.isDown) throw new EngineUnavailable('The task store is down: the test said so')
    const result = act()
    await this.#pulse.during(turn)
    return this.#isDead ? never : result
  }
}
