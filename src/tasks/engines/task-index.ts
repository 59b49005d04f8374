/** All tasks of a local engine in memory: by id, by idempotency key, and in order for lists. */
import type { TaskStatus } from '../../protocol/task.ts'
import type { TaskQuery } from '../engine.ts'
import type { StoredTask } from '../stored-task.ts'
import { byAge } from './age-line.ts'
import { toEntry, type Entry } from './entry.ts'
import { Listing, type EntryPage } from './listing.ts'

/** An idempotency key that is taken by a task which is still being written. */
export interface Reservation {
  /** Never rejects; the task, or undefined when it could not be written. */
  readonly task: Promise<StoredTask | undefined>
}

type Keyed = Pick<StoredTask, 'owner' | 'procedure' | 'idempotencyKey'>

/** The one task that a key may stand for. */
const scopeOf = ({ owner, procedure, idempotencyKey }: Keyed): string | undefined =>
  idempotencyKey === undefined ? undefined : JSON.stringify([owner, procedure, idempotencyKey])

/** Knows which tasks there are; the store knows what is in them. */
export class TaskIndex {
  readonly #byId = new Map<string, Entry>()
  readonly #byKey = new Map<string, Entry | Reservation>()
  readonly #listing = new Listing()

  get size(): number {
    return this.#byId.size
  }

  /** How many tasks have a status. */
  count(status: TaskStatus): number {
    return this.#listing.count(status)
  }

  add(task: StoredTask): Entry {
    return this.#add(toEntry(task))
  }

  /** Many at once, in any order; of two with one id the later counts. */
  async addAll(tasks: AsyncIterable<StoredTask>): Promise<void> {
    const entries: Entry[] = []
    for await (const task of tasks) entries.push(toEntry(task))
    // Each then finds its place at the end of its lines.
    for (const entry of entries.sort(byAge)) this.#add(entry)
  }

  /** When the youngest task was made. */
  get newest(): number {
    const [youngest] = this.#listing.newestFirst()
    return youngest?.createdAt ?? 0
  }

  /** A task that is there, now. */
  find(id: string, now: number): Entry | undefined {
    const entry = this.#byId.get(id)
    return entry && entry.expiresAt > now ? entry : undefined
  }

  /** Gives a task another status. */
  move(entry: Entry, status: TaskStatus): void {
    this.#listing.move(entry, status)
  }

  /** Nothing to do for one that is not there. */
  remove(entry: Entry): void {
    if (this.#byId.get(entry.id) !== entry) return
    this.#byId.delete(entry.id)
    this.#listing.remove(entry)
    const scope = scopeOf(entry)
    if (scope !== undefined && this.#byKey.get(scope) === entry) this.#byKey.delete(scope)
  }

  /** Who holds the idempotency key of a task to come. */
  holder(task: Keyed, now: number): Entry | Reservation | undefined {
    const scope = scopeOf(task)
    const holder = scope === undefined ? undefined : this.#byKey.get(scope)
    return holder && 'expiresAt' in holder && holder.expiresAt <= now ? undefined : holder
  }

  /** Takes the key of a task that is being written. `add` makes it the task's; else it must be given back. */
  reserve(task: Keyed, reservation: Reservation): void {
    const scope = scopeOf(task)
    if (scope !== undefined) this.#byKey.set(scope, reservation)
  }

  release(task: Keyed, reservation: Reservation): void {
    const scope = scopeOf(task)
    if (scope !== undefined && this.#byKey.get(scope) === reservation) this.#byKey.delete(scope)
  }

  /** @throws ProcedureError BAD_REQUEST for a cursor that no page gave */
  list(query: TaskQuery, now: number): EntryPage {
    return this.#listing.page(query, now)
  }

  /** Ended tasks whose time is over. */
  *expired(now: number): Generator<Entry> {
    for (const entry of this.#byId.values()) if (entry.expiresAt <= now) yield entry
  }

  /** Tasks that have not ended, in no order and without a look at the others. */
  *unfinished(): Generator<Entry, void> {
    yield* this.#listing.of('queued')
    yield* this.#listing.of('running')
  }

  /** Tasks that have not ended, oldest first. */
  live(): readonly Entry[] {
    return [...this.#listing.newestFirst()].filter(({ live }) => live).toReversed()
  }

  #add(entry: Entry): Entry {
    const twin = this.#byId.get(entry.id)
    if (twin) this.remove(twin)
    this.#byId.set(entry.id, entry)
    this.#listing.add(entry)
    const scope = scopeOf(entry)
    if (scope !== undefined) this.#byKey.set(scope, entry)
    return entry
  }
}
