/** All tasks of a local engine in memory: by id, by idempotency key, and by age for listing. */
import { ProcedureError } from '../../procedures/errors.ts'
import type { TaskQuery } from '../engine.ts'
import type { StoredTask } from '../stored-task.ts'
import { toEntry, type Entry } from './entry.ts'

/** One page of entries, newest first. */
export interface EntryPage {
  readonly entries: readonly Entry[]
  readonly nextCursor?: string
}

/** A place in the order of age. */
type Place = Pick<Entry, 'createdAt' | 'id'>

/** An idempotency key that is taken by a task which is still being written. */
export interface Reservation {
  /** Never rejects; the task, or undefined when it could not be written. */
  readonly task: Promise<StoredTask | undefined>
}

type Keyed = Pick<StoredTask, 'owner' | 'procedure' | 'idempotencyKey'>

/** The one task that a key may stand for. */
const scopeOf = ({ owner, procedure, idempotencyKey }: Keyed): string | undefined =>
  idempotencyKey === undefined ? undefined : JSON.stringify([owner, procedure, idempotencyKey])

/** The `expiresAt` of an entry that is no longer in the index. */
const REMOVED = -Infinity

/** Knows which tasks there are; the store knows what is in them. */
export class TaskIndex {
  readonly #byId = new Map<string, Entry>()
  readonly #byKey = new Map<string, Entry | Reservation>()
  /** Oldest first, once sorted. Removed ones stay until there are as many of them as of the others. */
  #byAge: Entry[] = []
  #sorted = true

  get size(): number {
    return this.#byId.size
  }

  add(task: StoredTask): Entry {
    const entry = toEntry(task)
    const twin = this.#byId.get(entry.id)
    if (twin) twin.expiresAt = REMOVED
    this.#byId.set(entry.id, entry)
    this.#insert(entry)
    const scope = scopeOf(entry)
    if (scope !== undefined) this.#byKey.set(scope, entry)
    return entry
  }

  /** When the youngest task was made. */
  get newest(): number {
    this.#sort()
    return this.#byAge.at(-1)?.createdAt ?? 0
  }

  /** A task that is there, now. */
  find(id: string, now: number): Entry | undefined {
    const entry = this.#byId.get(id)
    return entry && entry.expiresAt > now ? entry : undefined
  }

  /** False when it was not there. */
  remove(entry: Entry): boolean {
    if (this.#byId.get(entry.id) !== entry) return false
    this.#byId.delete(entry.id)
    entry.expiresAt = REMOVED
    const scope = scopeOf(entry)
    if (scope !== undefined && this.#byKey.get(scope) === entry) this.#byKey.delete(scope)
    if (this.#byAge.length > 64 && this.#byAge.length > 2 * this.#byId.size) this.#compact()
    return true
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
  list({ cursor, limit, ...filter }: TaskQuery, now: number): EntryPage {
    const entries: Entry[] = []
    this.#sort()
    let place = cursor === undefined ? this.#byAge.length : this.#placeOf(fromCursor(cursor))
    while (place > 0 && entries.length < limit) {
      const entry = this.#byAge[--place]!
      if (entry.expiresAt > now && matches(entry, filter)) entries.push(entry)
    }
    const last = entries.at(-1)
    return last && place > 0 ? { entries, nextCursor: toCursor(last) } : { entries }
  }

  /** Ended tasks whose time is over. */
  *expired(now: number): Generator<Entry> {
    for (const entry of this.#byId.values()) if (entry.expiresAt <= now) yield entry
  }

  /** Tasks that have not ended, oldest first. */
  live(): readonly Entry[] {
    this.#sort()
    return this.#byAge.filter(({ live, expiresAt }) => live && expiresAt !== REMOVED)
  }

  /** Nearly always the newest comes last; from a store, or after the clock was set back, it may not. */
  #insert(entry: Entry): void {
    const newest = this.#byAge.at(-1)
    if (newest && isOlder(entry, newest)) this.#sorted = false
    this.#byAge.push(entry)
  }

  #sort(): void {
    if (!this.#sorted) this.#byAge.sort((a, b) => (isOlder(a, b) ? -1 : 1))
    this.#sorted = true
  }

  /** The first place whose task is not older. */
  #placeOf(place: Place): number {
    let [low, high] = [0, this.#byAge.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (isOlder(this.#byAge[middle]!, place)) low = middle + 1
      else high = middle
    }
    return low
  }

  #compact(): void {
    this.#byAge = this.#byAge.filter(({ expiresAt }) => expiresAt !== REMOVED)
  }
}

const isOlder = (a: Place, b: Place): boolean =>
  a.createdAt < b.createdAt || (a.createdAt === b.createdAt && a.id < b.id)

const matches = (
  entry: Entry,
  { procedure, status, tag, owner }: Omit<TaskQuery, 'limit' | 'cursor'>,
): boolean =>
  (procedure === undefined || entry.procedure === procedure) &&
  (status === undefined || entry.status === status) &&
  (owner === undefined || entry.owner === owner) &&
  (tag === undefined || entry.tags?.includes(tag) === true)

const toCursor = ({ createdAt, id }: Place): string => Buffer.from(`${createdAt}/${id}`).toString('base64url')

const fromCursor = (cursor: string): Place => {
  const [, createdAt, id] = /^(\d+(?:\.\d+)?)\/(.+)$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? []
  if (createdAt !== undefined && id !== undefined) return { createdAt: Number(createdAt), id }
  throw new ProcedureError(
    'BAD_REQUEST',
    `cursor is ${JSON.stringify(cursor)}, expected nextCursor of an earlier page`,
  )
}
