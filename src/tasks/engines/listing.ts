/**
 * Lists tasks, newest first. Those that share a status, a procedure, an owner or a tag stand in a line of their own, so
 * that a list looks at no more tasks than the shortest line holds that has all it wants.
 */
import { ProcedureError } from '../../procedures/errors.ts'
import type { TaskStatus } from '../../protocol/task.ts'
import type { TaskQuery } from '../engine.ts'
import { AgeLine, type Place } from './age-line.ts'
import type { Entry } from './entry.ts'

/** One page of entries, newest first. */
export interface EntryPage {
  readonly entries: readonly Entry[]
  readonly nextCursor?: string
}

/** The `expiresAt` of an entry that is no longer in the index. */
export const REMOVED = -Infinity

const isThere = (entry: Entry): boolean => entry.expiresAt !== REMOVED

/** Each once, though it may have been given twice. */
const tagsOf = ({ tags }: Entry): Iterable<string> => (tags ? new Set(tags) : [])

/** A line for each value that some entries share. */
class Lines<T> {
  readonly #lines = new Map<T, AgeLine>()
  readonly #has: (entry: Entry, value: T) => boolean

  constructor(has: (entry: Entry, value: T) => boolean = () => true) {
    this.#has = has
  }

  of(value: T): AgeLine | undefined {
    return this.#lines.get(value)
  }

  join(value: T, entry: Entry): void {
    let line = this.#lines.get(value)
    if (!line) {
      line = new AgeLine((other) => isThere(other) && this.#has(other, value))
      this.#lines.set(value, line)
    }
    line.join(entry)
  }

  leave(value: T): void {
    const line = this.#lines.get(value)
    line?.leave()
    if (line?.size === 0) this.#lines.delete(value)
  }
}

/** Knows entries by their age and by what they share. */
export class Listing {
  readonly #all = new AgeLine(isThere)
  readonly #byStatus = new Lines<TaskStatus>((entry, status) => entry.status === status)
  readonly #byProcedure = new Lines<string>()
  readonly #byOwner = new Lines<string>()
  readonly #byTag = new Lines<string>()

  /** How many there are of a status. */
  count(status: TaskStatus): number {
    return this.#byStatus.of(status)?.size ?? 0
  }

  /** All of a status, newest first. */
  of(status: TaskStatus): Iterable<Entry> {
    return this.#byStatus.of(status)?.newestFirst() ?? []
  }

  add(entry: Entry): void {
    this.#all.join(entry)
    this.#byStatus.join(entry.status, entry)
    this.#byProcedure.join(entry.procedure, entry)
    if (entry.owner !== null) this.#byOwner.join(entry.owner, entry)
    for (const tag of tagsOf(entry)) this.#byTag.join(tag, entry)
  }

  /** Takes out an entry, which is marked as removed. */
  remove(entry: Entry): void {
    entry.expiresAt = REMOVED
    this.#all.leave()
    this.#byStatus.leave(entry.status)
    this.#byProcedure.leave(entry.procedure)
    if (entry.owner !== null) this.#byOwner.leave(entry.owner)
    for (const tag of tagsOf(entry)) this.#byTag.leave(tag)
  }

  /** Gives an entry another status. */
  move(entry: Entry, status: TaskStatus): void {
    if (entry.status === status) return
    const { status: before } = entry
    entry.status = status
    this.#byStatus.leave(before)
    this.#byStatus.join(status, entry)
  }

  /** All entries, newest first. */
  newestFirst(): Generator<Entry, void> {
    return this.#all.newestFirst()
  }

  /** @throws ProcedureError BAD_REQUEST for a cursor that no page gave */
  page({ cursor, limit, ...filter }: TaskQuery, now: number): EntryPage {
    const before = cursor === undefined ? undefined : fromCursor(cursor)
    const entries: Entry[] = []
    for (const entry of this.#shortest(filter)?.newestFirst(before) ?? []) {
      if (entry.expiresAt <= now || !matches(entry, filter)) continue
      // Only one more tells that there is a next page.
      if (entries.length === limit) return { entries, nextCursor: toCursor(entries.at(-1)!) }
      entries.push(entry)
    }
    return { entries }
  }

  /** The shortest line that has all that a filter lets through; undefined when there is none of it. */
  #shortest({ status, procedure, owner, tag }: Filter): AgeLine | undefined {
    const lines = [
      this.#all,
      ...(status === undefined ? [] : [this.#byStatus.of(status)]),
      ...(procedure === undefined ? [] : [this.#byProcedure.of(procedure)]),
      ...(owner === undefined ? [] : [this.#byOwner.of(owner)]),
      ...(tag === undefined ? [] : [this.#byTag.of(tag)]),
    ]
    return lines.reduce((shortest, line) =>
      line && shortest && line.size < shortest.size ? line : line && shortest,
    )
  }
}

type Filter = Omit<TaskQuery, 'limit' | 'cursor'>

const matches = (entry: Entry, { procedure, status, tag, owner }: Filter): boolean =>
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
