/** How tasks come into the engine of one process: one for each idempotency key, and no more than may wait. */
import { EngineUnavailable, type EngineHost, type Submitted, type TaskSpec } from '../engine.ts'
import { created, started } from '../lifecycle.ts'
import type { StoredTask } from '../stored-task.ts'
import { createAges } from './age.ts'
import type { Dispatcher } from './dispatcher.ts'
import type { Entry } from './entry.ts'
import type { Ledger } from './ledger.ts'
import type { Slot } from './slots.ts'
import type { Reservation } from './task-index.ts'
import { full } from './unavailable.ts'

/** What it is made of. */
export interface IntakeParts {
  readonly host: EngineHost
  /** Loaded. */
  readonly ledger: Ledger
  readonly dispatcher: Dispatcher
  /** How many tasks may be queued. */
  readonly queueLimit: number
}

/** Takes tasks. */
export class Intake {
  readonly #parts: IntakeParts
  readonly #ageOf: (now: number) => number
  /** Starts that are being written and will have to wait in the queue. */
  #arriving = 0

  constructor(parts: IntakeParts) {
    const { host, ledger } = parts
    this.#parts = parts
    // Records of a time to come, as a clock that was set back leaves them, don't lead the new ones astray.
    this.#ageOf = createAges(Math.min(ledger.index.newest, host.clock.now() + 1))
  }

  /** Undefined when the task that had the key was gone by the time it was read: ask again. */
  async submit(spec: TaskSpec): Promise<Submitted | undefined> {
    const { host, ledger, dispatcher } = this.#parts
    const now = host.clock.now()
    const holder = ledger.index.holder(spec, now)
    // No `await` between looking and reserving: of many starts with one key, one finds it free.
    if (holder) return this.#replay(holder, spec)
    const queued = created(spec, this.#ageOf(now))
    const slot = dispatcher.takeSlot(queued, now)
    if (!slot) this.admit()
    const create = () => this.#create(queued, slot)
    const task = await (spec.idempotencyKey === undefined ? create() : this.#reserving(spec, create))
    return { kind: 'created', task }
  }

  /** @throws EngineUnavailable when no more may wait */
  admit(): void {
    const { ledger, queueLimit } = this.#parts
    if (ledger.index.count('queued') + this.#arriving >= queueLimit) throw full(queueLimit)
  }

  /** The task that has a key already; undefined when its record was gone by the time it was read. */
  async #replay(holder: Entry | Reservation, spec: TaskSpec): Promise<Submitted | undefined> {
    const { ledger } = this.#parts
    const task = await ('task' in holder ? holder.task : ledger.read(holder))
    if (task) return { kind: task.inputDigest === spec.inputDigest ? 'replayed' : 'conflict', task }
    if ('task' in holder)
      throw new EngineUnavailable('The task of this idempotency key could not be written: try again')
    ledger.index.remove(holder)
    return undefined
  }

  /** Holds the idempotency key while the task is being written. */
  async #reserving(spec: TaskSpec, create: () => Promise<StoredTask>): Promise<StoredTask> {
    const { index } = this.#parts.ledger
    const work = create()
    const reservation: Reservation = { task: work.catch(() => undefined) }
    index.reserve(spec, reservation)
    try {
      return await work
    } finally {
      index.release(spec, reservation)
    }
  }

  /** Writes a task; with a slot it runs at once. Resolves with the task as it was started. */
  async #create(queued: StoredTask, slot: Slot | undefined): Promise<StoredTask> {
    const { host, ledger, dispatcher } = this.#parts
    if (!slot) this.#arriving += 1
    try {
      const entry = await ledger.create(slot ? started(queued, host.clock.now()) : queued)
      host.changed?.(undefined, queued)
      if (slot) dispatcher.begin(entry, slot)
      else dispatcher.schedule(entry)
    } catch (error) {
      if (slot) dispatcher.release(slot)
      throw error
    } finally {
      if (!slot) this.#arriving -= 1
    }
    return queued
  }
}
