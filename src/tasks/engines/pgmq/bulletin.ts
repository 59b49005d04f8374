/**
 * Tells other hosts what happened, in the order in which it did, in transactions of their own: at once, and what is said
 * while the last telling is under way goes together into the next. A notification that is lost is made up for by looking.
 */
import type { StoredTask } from '../../stored-task.ts'
import { toArray } from './arrays.ts'
import type { Database } from './database.ts'
import { newsOf } from './news.ts'
import { toPayloads, toText, type Notice } from './notices.ts'
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
  /** Whether this host runs tasks of a procedure itself. */
  works(procedure: string): boolean
}

/** How long (ms) what nobody waits for may wait for something to go with: an attempt that begins has mostly ended by then. */
const PATIENCE = 10

/** How long (ms) the host that has a new task may keep it to itself: it is likely to take it. */
const HEAD_START = 5

/** More than so many notices are a flood: the oldest are dropped. */
const MOST = 20_000

/** Says things in the order in which they are told to it. */
export class Bulletin {
  readonly #parts: BulletinParts
  #unsaid: string[] = []
  /** Procedures with tasks to take, which this host may take itself. */
  readonly #offers = new Map<string, NodeJS.Timeout>()
  /** What is unsaid already and need not be said twice. */
  readonly #pending = new Set<string>()
  #saying: Promise<void> | undefined
  /** Something unsaid may not wait. */
  #isUrgent = false
  #patience: NodeJS.Timeout | undefined

  constructor(parts: BulletinParts) {
    this.#parts = parts
  }

  say(notice: Notice): void {
    if (!this.#parts.hasAudience()) return
    const key = keyOf(notice)
    if (key !== undefined && this.#pending.has(key)) return
    if (key !== undefined) this.#pending.add(key)
    this.#unsaid.push(toText(notice))
    if (this.#unsaid.length > MOST) this.#unsaid.shift()
    if (isPatient(notice)) this.#patience ??= setTimeout(() => this.#hurry(), PATIENCE)
    else this.#hurry()
  }

  /** A record was written so. */
  changed(task: StoredTask): void {
    if (this.#parts.hasAudience()) this.say({ type: 'changed', id: task.id, news: newsOf(task) })
  }

  /** There are tasks to take. Where this host may take them, others hear of it a moment later, unless `taken` comes first. */
  offer(procedure: string): void {
    if (!this.#parts.works(procedure)) return this.say({ type: 'available', procedure })
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
    this.#hurry()
    while (this.#saying) await this.#saying
  }

  #hurry(): void {
    this.#isUrgent = true
    this.#saying ??= this.#say()
  }

  /** Never rejects. */
  async #say(): Promise<void> {
    while (this.#isUrgent) {
      await new Promise(setImmediate)
      const texts = this.#unsaid
      this.#unsaid = []
      this.#isUrgent = false
      clearTimeout(this.#patience)
      this.#patience = undefined
      this.#pending.clear()
      await this.#send(texts)
    }
    this.#saying = undefined
  }

  async #send(texts: readonly string[]): Promise<void> {
    if (texts.length === 0) return
    const { database, sql, channel, host } = this.#parts
    try {
      await database.query(sql.notify, [channel, toArray(toPayloads(host, texts))])
    } catch {
      // Whoever has to know looks by itself; and what made this fail is told by what else fails of it.
    }
  }
}

/** Nobody waits for the beginning of an attempt, nor for what it says meanwhile. */
const isPatient = (notice: Notice): boolean =>
  notice.type === 'changed'
    ? notice.news?.status === 'running'
    : notice.type === 'progress' || notice.type === 'log' || notice.type === 'look'

/** Of notices that say nothing but their subject, one is enough. */
const keyOf = (notice: Notice): string | undefined =>
  notice.type === 'available'
    ? notice.procedure
    : notice.type === 'changed' && !notice.news
      ? notice.id
      : undefined
