/**
 * Does what is due by the database's clock, whoever started it: delays that are over, deadlines that passed, tasks of lost
 * hosts. Looks every few seconds, and sooner when something is known to come.
 */
import { isFinished } from '../../../protocol/task.ts'
import { expired, recovered, type EndingRules } from '../../lifecycle.ts'
import type { StoredTask } from '../../stored-task.ts'
import { toArray } from './arrays.ts'
import { writeChanges, type Change } from './change.ts'
import type { Query } from './database.ts'
import type { Place } from './place.ts'
import { fromText, toText } from './text.ts'
import { readHeld, readNow } from './rows.ts'

/** What it works with. */
export interface ClockworkParts extends Place {
  /** Milliseconds between two looks, as things are now. */
  interval(): number
  /** After each look. */
  looked(): Promise<void>
}

/** What `look.sql` tells; times in ms from now. */
interface Look {
  readonly ready: readonly string[]
  readonly delay: number | null
  readonly deadline: number | null
  readonly lease: number | null
}

/** A change with the task as it was. */
interface Moved extends Change {
  readonly was: StoredTask
}

/** How many tasks one step moves. */
const MOST = 200

const LOST = 'Its host was not heard of for as long as its lease held'

/** Sooner than this (ms) it does not look again. */
const SOONEST = 5

const moved = (task: StoredTask, now: number, rules: EndingRules): StoredTask =>
  task.status === 'running' ? recovered(task, { now, rules, reason: LOST }) : expired(task, now, rules.keep)

/** One timer. */
export class Clockwork {
  readonly #parts: ClockworkParts
  #procedures: readonly string[] = []
  #timer: NodeJS.Timeout | undefined
  /** On this process's clock (`performance.now`). */
  #nextAt = Infinity
  #looking: Promise<void> | undefined
  #isClosed = false
  #hasReported = false

  constructor(parts: ClockworkParts) {
    this.#parts = parts
  }

  start(): void {
    this.wake(0)
  }

  /** Whose tasks are seen to, and told of when they are ready. */
  work(procedures: readonly string[]): void {
    this.#procedures = procedures.map(toText)
    this.wake(0)
  }

  works(procedure: string): boolean {
    return this.#procedures.includes(toText(procedure))
  }

  /** There is something to do in so many ms. */
  wake(ms: number): void {
    if (!this.#isClosed) this.#set(Math.min(ms, this.#parts.interval()))
  }

  /** Never rejects. */
  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await this.#looking
  }

  /** Only ever makes it sooner: whoever is busy must not put off what is due. */
  #set(ms: number): void {
    const wait = Math.max(SOONEST, ms)
    const at = performance.now() + wait
    if (at >= this.#nextAt) return
    clearTimeout(this.#timer)
    this.#nextAt = at
    this.#timer = setTimeout(() => this.#ring(), wait)
  }

  /** While it looks, whatever is set is for afterwards. */
  #ring(): void {
    this.#nextAt = Infinity
    if (this.#looking) return this.#set(SOONEST)
    this.#looking = this.#round().finally(() => (this.#looking = undefined))
  }

  /** Never rejects. */
  async #round(): Promise<void> {
    let next = this.#parts.interval()
    try {
      next = Math.min(next, await this.#look())
      await this.#parts.looked()
      this.#hasReported = false
    } catch (error) {
      if (!this.#hasReported && !this.#isClosed)
        this.#parts.report('The database can not be asked what is due, and is asked again', error)
      this.#hasReported = true
    }
    if (!this.#isClosed) this.#set(next)
  }

  /** Resolves with the ms until the next thing is due. */
  async #look(): Promise<number> {
    const look = await this.#ask()
    for (const procedure of look.ready) this.#parts.listener.available(fromText(procedure))
    const isDue = (ms: number | null): boolean => ms !== null && ms <= 0
    if (isDue(look.delay)) await this.#promote()
    if (isDue(look.deadline) || isDue(look.lease)) await this.#moveOverdue()
    if ([look.delay, look.deadline, look.lease].some(isDue)) return SOONEST
    return Math.min(look.delay ?? Infinity, look.deadline ?? Infinity)
  }

  async #ask(): Promise<Look> {
    const { database, sql } = this.#parts
    const [row] = await database.query(sql.look, [toArray(this.#procedures)])
    return JSON.parse(row?.['look'] as string) as Look
  }

  async #promote(): Promise<void> {
    const { database, sql, bulletin, listener } = this.#parts
    for (const row of await database.query(sql.promote, [MOST])) {
      const procedure = fromText(row['procedure'] as string)
      bulletin.offer(procedure)
      listener.available(procedure)
    }
  }

  async #moveOverdue(): Promise<void> {
    const { database, queues, bulletin, listener } = this.#parts
    // Known once the tasks are read.
    const procedures: string[] = []
    const changes = await queues.with(procedures, () =>
      database.transaction((query, last) => this.#move(query, last, procedures)),
    )
    for (const { id, was, next } of changes) {
      bulletin.changed(next)
      listener.changed(id)
      listener.wrote(was, next)
      if (!isFinished(next.status)) bulletin.offer(next.procedure)
    }
  }

  async #move(query: Query, last: Query, procedures: string[]): Promise<readonly Moved[]> {
    const { sql, policyOf } = this.#parts
    const rows = await query(sql.overdue, [toArray(this.#procedures), MOST])
    const changes = rows.flatMap((row): Moved[] => {
      const { task, lease } = readHeld(row)
      const rules = policyOf(task.procedure)
      if (!rules) return []
      const before = { attempt: task.attempt, lease }
      return [{ id: task.id, was: task, before, next: moved(task, readNow(row), rules) }]
    })
    if (changes.length === 0) return []
    procedures.push(...changes.map(({ next }) => next.procedure))
    const refused = await writeChanges(last, this.#parts, changes)
    return changes.filter(({ id }) => !refused.has(id))
  }
}
