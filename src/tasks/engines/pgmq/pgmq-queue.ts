/** The queue of many hosts in Postgres: its parts, put together. Every task is a row; its message in pgmq follows it. */
import { randomUUID } from 'node:crypto'
import {
  EngineUnavailable,
  type CancelResult,
  type Census,
  type EngineCapabilities,
  type StoredPage,
  type Submitted,
  type TaskQuery,
} from '../../engine.ts'
import type { Report } from '../../store.ts'
import type { StoredTask } from '../../stored-task.ts'
import type {
  FreshAttempts,
  PolicyOf,
  QueueListener,
  Renewal,
  Said,
  Settled,
  SharedQueue,
  Taken,
} from '../fleet/shared-queue.ts'
import { toArray } from './arrays.ts'
import { Audience } from './audience.ts'
import { Attempts } from './attempts.ts'
import { Bulletin } from './bulletin.ts'
import { Clockwork } from './clockwork.ts'
import { Control } from './control.ts'
import { Database } from './database.ts'
import { Hearing, type Line } from './hearing.ts'
import { Inbox } from './inbox.ts'
import { toFailure } from './failures.ts'
import { toPing } from './notices.ts'
import type { PgPool } from './driver.ts'
import type { Place } from './place.ts'
import { Queues } from './queues.ts'
import { Records } from './records.ts'
import { prepareSchema } from './schema.ts'
import { readStatements, type Statements } from './statements.ts'
import { Submissions } from './submissions.ts'
import { Sweeper } from './sweeper.ts'
import { Taking } from './taking.ts'

/** What it is made of. */
export interface PgmqQueueParts {
  readonly pool: PgPool
  /** Whether the pool is closed with the queue. */
  readonly isOwnPool: boolean
  /** Opens a connection that can listen. */
  readonly connect: () => Promise<Line>
  /** Whether those of the pool are made in the same way. */
  readonly isAlike: boolean
  readonly schema: string
  readonly migrate: boolean
  /** The most that are counted. */
  readonly queueLimit: number
  /** Milliseconds that a lease holds. */
  readonly lease: number
}

/** Milliseconds between two looks; others tell what happens in between, unless nothing is heard. */
const LOOK_EVERY = 2500
const LOOK_EVERY_WHEN_DEAF = 1000

/** What exists while it is open. */
interface Open {
  readonly place: Place
  readonly taking: Taking
  readonly attempts: Attempts
  readonly submissions: Submissions
  readonly control: Control
  readonly clockwork: Clockwork
  readonly sweeper: Sweeper
  readonly hearing: Hearing
}

/** One host's view of it. */
export class PgmqQueue implements SharedQueue {
  readonly name = 'pgmq'
  readonly capabilities: EngineCapabilities = { durable: 'power', multiHost: true, transactionalStart: true }
  readonly lease: number
  readonly #parts: PgmqQueueParts
  readonly #sql: Statements
  readonly #database: Database
  readonly #records: Records
  /** What this host signs with. */
  readonly #host = randomUUID()
  /** What runs here. */
  readonly #held = new Map<string, Taken>()
  #open: Open | undefined

  constructor(parts: PgmqQueueParts) {
    this.#parts = parts
    this.lease = parts.lease
    this.#sql = readStatements(parts.schema)
    this.#database = new Database(parts.pool, parts.isOwnPool)
    this.#records = new Records({ database: this.#database, sql: this.#sql }, parts.queueLimit)
  }

  async open(listener: QueueListener, report: Report, policyOf: PolicyOf): Promise<void> {
    const { schema, migrate } = this.#parts
    await prepareSchema({ database: this.#database, sql: this.#sql, schema, migrate })
    const open = this.#assemble(listener, report, policyOf)
    await open.hearing.open().catch((error: unknown) => {
      throw toFailure(error)
    })
    this.#open = open
    open.clockwork.start()
    open.sweeper.start()
  }

  work(procedures: readonly string[]): void {
    const { place, clockwork } = this.#opened()
    clockwork.work(procedures)
    // Made now, so that they are to be seen before the first task comes; a start makes what is missing.
    place.queues.ensure(procedures).catch((error) => place.report('Queues could not be made ahead', error))
  }

  submit(task: StoredTask, transaction?: unknown): Promise<Submitted> {
    const { submissions } = this.#opened()
    return transaction === undefined ? submissions.submit(task) : submissions.submitIn(transaction, task)
  }

  get tellsAll(): boolean {
    return !this.#opened().hearing.isDeaf
  }

  async submitTaken(task: StoredTask): Promise<Submitted & { readonly taken?: Taken }> {
    const submitted = await this.#opened().submissions.submitTaken(task)
    if (submitted.taken) this.#held.set(task.id, submitted.taken)
    return submitted
  }

  get(id: string): Promise<StoredTask | undefined> {
    return this.#records.get(id)
  }

  list(query: TaskQuery): Promise<StoredPage> {
    return this.#records.list(query)
  }

  depth(): Promise<number> {
    return this.#records.depth()
  }

  census(procedures: readonly string[]): Promise<readonly Census[]> {
    return this.#records.census(procedures)
  }

  async take(procedure: string, most: number): Promise<readonly Taken[]> {
    const taken = await this.#opened().taking.take(procedure, most)
    for (const each of taken) this.#held.set(each.task.id, each)
    return taken
  }

  async renew(taken: readonly Taken[]): Promise<readonly Renewal[]> {
    const renewals = await this.#opened().attempts.renew(taken)
    for (const [index, each] of taken.entries()) if (renewals[index] === 'lost') this.#release(each)
    return renewals
  }

  async settle(taken: Taken, next: StoredTask): Promise<Settled> {
    const settled = await this.#opened().attempts.settle(taken, next)
    if (settled !== 'stop') this.#release(taken)
    return settled
  }

  report(taken: Taken, said: Said): Promise<void> {
    return this.#opened().attempts.report(taken, said)
  }

  cancel(id: string, keep: number): Promise<CancelResult | undefined> {
    return this.#opened().control.cancel(id, keep)
  }

  retry(id: string, fresh: FreshAttempts): Promise<StoredTask | 'not-ended' | 'succeeded' | undefined> {
    return this.#opened().control.retry(id, fresh)
  }

  remove(id: string): Promise<'removed' | 'not-ended' | 'unknown'> {
    return this.#opened().control.remove(id)
  }

  async check(): Promise<void> {
    await this.#database.query('select 1')
  }

  async close(): Promise<void> {
    const open = this.#open
    if (open) {
      await Promise.all([open.clockwork.close(), open.sweeper.close(), open.hearing.close()])
      await Promise.all([open.submissions.idle(), open.attempts.idle()])
      await open.place.bulletin.close()
    }
    await this.#database.close()
  }

  #assemble(listener: QueueListener, report: Report, policyOf: PolicyOf): Open {
    const { schema, lease, connect, isAlike } = this.#parts
    const [database, sql, channel, host] = [this.#database, this.#sql, schema, this.#host]
    const audience = new Audience()
    const bulletin = new Bulletin({
      database,
      sql,
      channel,
      host,
      hasAudience: () => audience.isThere(),
      works: (procedure) => clockwork.works(procedure),
    })
    const queues = new Queues({ database, sql, schema })
    const place: Place = { database, sql, queues, bulletin, listener, report, policyOf }
    const inbox = new Inbox({ host, listener, audience, get: (id) => this.get(id) })
    const delayed = (ms: number): void => clockwork.wake(ms)
    const hearing = new Hearing({
      channel,
      connect,
      ping: async () => void (await database.query(sql.notify, [channel, toArray([toPing(host)])])),
      take: (payload) => inbox.take(payload),
      isDeaf: () => {
        audience.isDeaf()
        database.hasSessions(false)
      },
      missed: () => listener.missed(),
      hears: () => {
        audience.hears()
        database.hasSessions(isAlike)
        clockwork.wake(0)
      },
      report,
    })
    const clockwork = new Clockwork({
      ...place,
      interval: () => (hearing.isDeaf ? LOOK_EVERY_WHEN_DEAF : LOOK_EVERY) * (0.8 + 0.4 * Math.random()),
      looked: async () => {
        if (hearing.isDeaf) await this.#lookAround(listener)
      },
    })
    return {
      place,
      hearing,
      clockwork,
      taking: new Taking({ ...place, schema, lease }),
      attempts: new Attempts({ ...place, lease, delayed }),
      submissions: new Submissions({ ...place, channel, host, lease, delayed }),
      control: new Control(place),
      sweeper: new Sweeper(place),
    }
  }

  /** While nothing is heard: who is to stop, and what is watched. */
  async #lookAround(listener: QueueListener): Promise<void> {
    listener.look()
    if (this.#held.size === 0) return
    const stops = await this.#database.query(this.#sql.stops, [toArray([...this.#held.keys()])])
    for (const { id, attempt } of stops) listener.cancelRequested(id as string, Number(attempt))
  }

  #release(taken: Taken): void {
    if (this.#held.get(taken.task.id) === taken) this.#held.delete(taken.task.id)
  }

  #opened(): Open {
    if (this.#open) return this.#open
    throw new EngineUnavailable('The queue of pgmq() is not open')
  }
}
