/**
 * Lists tasks by an index in memory, which is made when it is first asked for and kept up by events. It only says which
 * ids to read: what is listed is read from BullMQ.
 */
import type { StoredPage, TaskQuery } from '../../engine.ts'
import type { StoredTask } from '../../stored-task.ts'
import { TaskIndex } from '../task-index.ts'
import type { JobBook } from './job-book.ts'
import type { JobRef, JobState, Place } from './place.ts'

export interface ListingParts {
  readonly place: Place
  readonly book: JobBook
  /** Those that have queues now, on whichever host. */
  procedures(): Promise<readonly string[]>
}

const ALL: readonly JobState[] = ['waiting', 'prioritized', 'delayed', 'active', 'completed', 'failed']

/** Records read at once. */
const BATCH = 500

/** Milliseconds after which an index that nobody asks is let go. */
const IDLE = 600_000

/** An index and what is known of its completeness. */
interface Made {
  readonly index: TaskIndex
  /** Procedures whose tasks are in it. */
  readonly procedures: Set<string>
  /** Tasks that changed since they were indexed. */
  readonly stale: Map<string, JobRef>
  /** The last of its changes: they are made one after the other, or a list would see half of one. */
  last: Promise<void>
}

export class Listing {
  readonly #parts: ListingParts
  #made: Made | undefined
  #idle: NodeJS.Timeout | undefined

  constructor(parts: ListingParts) {
    this.#parts = parts
  }

  async list(query: TaskQuery): Promise<StoredPage> {
    const index = await this.#current()
    const { entries, nextCursor } = index.list(query, Date.now())
    const readings = await this.#parts.book.readAll(entries)
    const { status } = query
    const items = readings.flatMap(({ task, isOver }) =>
      isOver || (status !== undefined && task.status !== status) ? [] : [task],
    )
    return nextCursor === undefined ? { items } : { items, nextCursor }
  }

  /** A task is new, changed or gone. */
  changed({ procedure, id }: JobRef): void {
    this.#made?.stale.set(id, { procedure, id })
  }

  /** Changes may have been missed: the next list makes the index anew. */
  reset(): void {
    clearTimeout(this.#idle)
    this.#made = undefined
  }

  async #current(): Promise<TaskIndex> {
    clearTimeout(this.#idle)
    this.#idle = setTimeout(() => this.reset(), IDLE).unref()
    // From now on changes are noted: what happens while it is made comes on top.
    const made = (this.#made ??= newMade())
    try {
      await (made.last = made.last.then(() => this.#update(made)))
      return made.index
    } catch (error) {
      if (this.#made === made) this.reset()
      throw error
    }
  }

  async #update({ index, procedures, stale }: Made): Promise<void> {
    for (const procedure of await this.#parts.procedures()) {
      if (procedures.has(procedure)) continue
      const ids = await this.#parts.place.ids(procedure, ALL, 0, -1)
      await this.#addAll(
        index,
        ids.map((id) => ({ procedure, id })),
      )
      procedures.add(procedure)
    }
    const changed = [...stale.values()]
    stale.clear()
    await this.#addAll(index, changed)
  }

  async #addAll(index: TaskIndex, refs: readonly JobRef[]): Promise<void> {
    for (let from = 0; from < refs.length; from += BATCH) {
      const batch = refs.slice(from, from + BATCH)
      const readings = await this.#parts.book.readAll(batch)
      const found = new Set(readings.map(({ task }) => task.id))
      for (const { id } of batch) if (!found.has(id)) forget(index, id)
      for (const { task, isOver } of readings)
        if (isOver) forget(index, task.id)
        else index.add(slim(task))
    }
  }
}

const newMade = (): Made => ({
  index: new TaskIndex(),
  procedures: new Set(),
  stale: new Map(),
  last: Promise.resolve(),
})

const forget = (index: TaskIndex, id: string): void => {
  const entry = index.find(id, -Infinity)
  if (entry) index.remove(entry)
}

/** What an index needs: inputs and results stay where they are. */
const slim = ({ idempotencyKey: _key, ...task }: StoredTask): StoredTask => ({
  ...task,
  input: undefined,
  attempts: [],
  carried: undefined,
  progress: undefined,
  result: undefined,
})
