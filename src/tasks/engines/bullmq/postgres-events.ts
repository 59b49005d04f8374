/**
 * What happens in all queues, from BullMQ's event table: one connection listens, and a read fetches what is new.
 *
 * Numbers of events are given out before their transactions commit, so that a later one can be seen first: a number
 * that was passed over is looked for again for a while. And BullMQ leaves out a notification when another transaction
 * is about to send one: each is followed by a second look.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Client, Notification, Pool } from '../../peers/pg.ts'
import type { Report } from '../../store.ts'
import { GOODBYE, within } from '../deadline.ts'
import type { PlaceListener } from './place.ts'
import { SQL } from './postgres-sql.ts'

export interface PostgresEventsParts {
  readonly pool: Pool
  readonly report: Report
  readonly where: string
  connect(): Client
}

const JOBS = 'bullmq_jobs'
const EVENTS = 'bullmq_events'

/** Rows of one read. */
const MOST = 1000

/** Milliseconds after which a number that was passed over is nobody's: its transaction was undone. */
const GAP_LIFE = 3000

/** The most numbers that are looked for at once. */
const MOST_GAPS = 1000

/** Milliseconds between reads while things happen: what comes after a silence is read at once, the rest together. */
const REST = 10

/** Milliseconds until a second look, and between looks when nothing is heard. */
const SOON = 50
const IDLE = 1000

/** Milliseconds between tries to listen. */
const PAUSE = 500

interface EventRow {
  readonly id: string
  readonly queue: string
  readonly event: string
  readonly data: Readonly<Record<string, unknown>>
}

export class PostgresEvents {
  readonly #parts: PostgresEventsParts
  /** Procedures by the names of their queues. */
  #queues: ReadonlyMap<string, string> = new Map()
  readonly #gaps = new Map<number, number>()
  #seen: number | undefined
  #listener: PlaceListener | undefined
  #line: Client | undefined
  #reading: Promise<void> | undefined
  #isStale = false
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor(parts: PostgresEventsParts) {
    this.#parts = parts
  }

  /** Whether notifications arrive at all: not through a pooler that lends a connection for each transaction. */
  async works(): Promise<boolean> {
    const line = this.#parts.connect()
    line.on('error', () => {})
    const channel = `errand_${crypto.randomUUID().replaceAll('-', '')}`
    const heard = Promise.withResolvers<boolean>()
    try {
      await line.connect()
      line.on('notification', () => heard.resolve(true))
      await line.query(`LISTEN ${channel}`)
      await this.#parts.pool.query('SELECT pg_notify($1, $2)', [channel, ''])
      return await Promise.race([heard.promise, sleep(3000, false, { ref: false })])
    } finally {
      await line.end().catch(() => {})
    }
  }

  async listen(queues: ReadonlyMap<string, string>, listener: PlaceListener): Promise<void> {
    const isFirst = !this.#listener
    this.#queues = queues
    this.#listener = listener
    if (!isFirst) return
    const { rows } = await this.#parts.pool.query<{ last: string }>(SQL.lastEvent)
    this.#seen = Number(rows[0]?.last ?? 0)
    await this.#connect()
    this.#look(IDLE)
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#reading
    if (!this.#line) return
    // It may be broken already, or its server stands still.
    await within(GOODBYE, 'Hanging up', this.#line.end()).catch(() => {})
  }

  async #connect(): Promise<void> {
    const line = this.#parts.connect()
    line.on('error', (error) => this.#broken(line, error))
    line.on('end', () => this.#broken(line))
    line.on('notification', (notification) => this.#notified(notification))
    this.#line = line
    await line.connect()
    await line.query(`LISTEN ${EVENTS}; LISTEN ${JOBS}`)
  }

  #notified({ channel, payload = '' }: Notification): void {
    const procedure = this.#queues.get(payload)
    if (procedure === undefined) return
    if (channel === JOBS) this.#listener?.available(procedure)
    else this.#read()
  }

  #broken(line: Client, error?: Error): void {
    if (this.#line !== line || this.#closed) return
    this.#line = undefined
    this.#parts.report(`${this.#parts.where}: the line for events is down, and is made anew`, error)
    void line.end().catch(() => {}) // It is broken.
    void this.#reconnect()
  }

  /** Never rejects. */
  async #reconnect(): Promise<void> {
    while (!this.#closed)
      try {
        await sleep(PAUSE)
        if (this.#closed) return
        await this.#connect()
        this.#listener?.missed()
        return this.#read()
      } catch {
        void this.#line?.end().catch(() => {}) // As the first report said, it is tried again.
        this.#line = undefined
      }
  }

  #look(after: number): void {
    clearTimeout(this.#timer)
    if (!this.#closed) this.#timer = setTimeout(() => this.#read(), after)
  }

  /** One read at a time; what is asked for meanwhile is one more. */
  #read(): void {
    this.#isStale = true
    this.#reading ??= this.#readAll()
  }

  /** Never rejects. */
  async #readAll(): Promise<void> {
    let count = 0
    try {
      while (this.#isStale && !this.#closed) {
        this.#isStale = false
        count = await this.#readSome()
        if (count === MOST) this.#isStale = true
        else if (this.#isStale && count > 0) await sleep(REST)
      }
    } catch {
      // Calls that fail of it say so; the next look is soon.
    }
    this.#reading = undefined
    this.#look(count > 0 ? SOON : IDLE)
  }

  async #readSome(): Promise<number> {
    const now = performance.now()
    for (const [id, since] of this.#gaps) if (now - since > GAP_LIFE) this.#gaps.delete(id)
    const params = [[...this.#queues.keys()], this.#seen, [...this.#gaps.keys()], MOST]
    const { rows } = await this.#parts.pool.query<EventRow>(SQL.events, params)
    for (const row of rows) {
      this.#pass(Number(row.id), now)
      this.#tell(row)
    }
    return rows.length
  }

  #pass(id: number, now: number): void {
    const seen = this.#seen ?? id
    if (id <= seen) return void this.#gaps.delete(id)
    for (let missing = seen + 1; missing < id && this.#gaps.size < MOST_GAPS; missing++)
      this.#gaps.set(missing, now)
    this.#seen = id
  }

  #tell({ queue, event: name, data }: EventRow): void {
    const procedure = this.#queues.get(queue)
    if (procedure === undefined) return
    const fields = Object.fromEntries(Object.entries(data).map(([key, value]) => [key, String(value)]))
    this.#listener?.event({ procedure, id: fields['jobId'] ?? '', name, fields })
  }
}
