/**
 * Tells other hosts what happened, gathered: one statement for all that was said in a while, in a transaction of its
 * own. A notification that is lost is made up for by looking.
 */
import type { StoredTask } from '../../stored-task.ts'
import type { Database } from './database.ts'
import { newsOf } from './news.ts'
import { shorten, toPayloads, type Notice } from './notices.ts'
import type { Statements } from './statements.ts'

/** What it works with. */
export interface BulletinParts {
  readonly database: Pick<Database, 'query'>
  readonly sql: Pick<Statements, 'notify'>
  readonly channel: string
  /** What this host signs with. */
  readonly host: string
  /** Whether anybody else may be listening. */
  hasAudience(): boolean
}

/** Milliseconds between two tellings: the more is said, the more goes into one. */
const PAUSE = 10

/** How long (ms) the host that has a new task may keep it to itself: it is likely to take it. */
const HEAD_START = 5

/** More than so many notices are a flood: the oldest are dropped. */
const MOST = 20_000

/** Says things in the order in which they are told to it. */
export class Bulletin {
  readonly #parts: BulletinParts
  #unsaid: Notice[] = []
  /** Procedures with tasks to take, which this host may take itself. */
  readonly #offers = new Map<string, NodeJS.Timeout>()
  /** What is unsaid already and need not be said twice. */
  readonly #pending = new Set<string>()
  #saying: Promise<void> | undefined

  constructor(parts: BulletinParts) {
    this.#parts = parts
  }

  say(notice: Notice): void {
    if (!this.#parts.hasAudience()) return
    const key = keyOf(notice)
    if (key !== undefined && this.#pending.has(key)) return
    if (key !== undefined) this.#pending.add(key)
    this.#unsaid.push(shorten(notice))
    if (this.#unsaid.length > MOST) this.#unsaid.shift()
    this.#saying ??= this.#say()
  }

  /** A record was written so. */
  changed(task: StoredTask): void {
    if (this.#parts.hasAudience()) this.say({ type: 'changed', id: task.id, news: newsOf(task) })
  }

  /** There are tasks to take. Others hear of it a moment later, unless `taken` comes first. */
  offer(procedure: string): void {
    if (this.#offers.has(procedure) || !this.#parts.hasAudience()) return
    const timer = setTimeout(() => {
      this.#offers.delete(procedure)
      this.say({ type: 'available', procedure })
    }, HEAD_START)
    this.#offers.set(procedure, timer)
  }

  /** This host took all there were. */
  taken(procedure: string): void {
    clearTimeout(this.#offers.get(procedure))
    this.#offers.delete(procedure)
  }

  /** Says what is left; never rejects. */
  async close(): Promise<void> {
    for (const procedure of this.#offers.keys()) {
      this.taken(procedure)
      this.say({ type: 'available', procedure })
    }
    while (this.#saying) await this.#saying
  }

  /** Never rejects. */
  async #say(): Promise<void> {
    while (this.#unsaid.length > 0) {
      await new Promise(setImmediate)
      const notices = this.#unsaid
      this.#unsaid = []
      this.#pending.clear()
      await this.#send(notices)
      await new Promise((resolve) => setTimeout(resolve, PAUSE))
    }
    this.#saying = undefined
  }

  async #send(notices: readonly Notice[]): Promise<void> {
    const { database, sql, channel, host } = this.#parts
    try {
      for (const payload of toPayloads(host, notices)) await database.query(sql.notify, [channel, payload])
    } catch {
      // Whoever has to know looks by itself; and what made this fail is told by what else fails of it.
    }
  }
}

/** Of notices that say nothing but their subject, one is enough. */
const keyOf = (notice: Notice): string | undefined =>
  notice.type === 'available'
    ? notice.procedure
    : notice.type === 'changed' && !notice.news
      ? notice.id
      : undefined
