/** BullMQ's queues on Postgres: one pool, and one connection that listens, whatever the number of queues. */
import type { EngineCapabilities } from '../../engine.ts'
import { loadBullmq } from '../../peers/bullmq.ts'
import { loadPg, type Pool, type PoolConfig } from '../../peers/pg.ts'
import type { Report } from '../../store.ts'
import { GOODBYE, within } from '../deadline.ts'
import { BackendPlace, toJobJson, type PlaceSettings } from './backend-place.ts'
import { Batches } from './batches.ts'
import type { RawJob } from './job-codec.ts'
import type { Claims, FoundJob, JobRef, NewJob, PlaceListener } from './place.ts'
import { checkPostgres } from './postgres-checks.ts'
import { PostgresEvents } from './postgres-events.ts'
import { SCHEMA, SQL } from './postgres-sql.ts'
import { recoverGuard } from './timing.ts'
import { ASKED } from './tokens.ts'

/** What a Postgres place is told. */
export interface PostgresSettings extends PlaceSettings {
  readonly options: PoolConfig
  /** Makes and updates BullMQ's tables at the start. */
  readonly migrate: boolean
}

/** Nothing waits for a Postgres that is away. */
const BOUNDED: PoolConfig = {
  max: 10,
  connectionTimeoutMillis: 5000,
  query_timeout: 10_000,
  keepAlive: true,
  application_name: 'errand',
}

/** A row of BullMQ's table `job`. */
interface JobRow {
  readonly queue: string
  readonly id: string
  readonly data: unknown
  readonly progress: unknown
  readonly return_value: unknown
  readonly stacktrace: unknown
  readonly failed_reason: string | null
  readonly attempts_started: number
  readonly stalled_count: number
  readonly processed_at_ms: string | null
  readonly finished_at_ms: string | null
  readonly lock_token: string | null
}

/** What Postgres undid so that another could go on. */
const isDeadlock = (error: unknown): boolean =>
  ((error as Error | null)?.cause as { code?: unknown } | undefined)?.code === '40P01'

/** Whoever renews, ends or looks for lost tasks locks rows in an order of its own: one of two begins anew. */
const untangled = async <T>(act: () => Promise<T>, tries = 5): Promise<T> => {
  try {
    return await act()
  } catch (error) {
    if (!isDeadlock(error) || tries === 1) throw error
    return untangled(act, tries - 1)
  }
}

/** A task of a host, as it ended. */
interface Ending {
  readonly id: string
  readonly token: string
  readonly ending: object
}

const toTime = (text: string | null): number | undefined => (text === null ? undefined : Number(text))

const toRawJob = (row: JobRow): RawJob => ({
  id: row.id,
  data: row.data,
  progress: row.progress,
  returnvalue: row.return_value,
  stacktrace: row.stacktrace,
  failedReason: row.failed_reason ?? undefined,
  attemptsStarted: row.attempts_started,
  stalledCounter: row.stalled_count,
  processedOn: toTime(row.processed_at_ms),
  finishedOn: toTime(row.finished_at_ms),
})

export class PostgresPlace extends BackendPlace {
  readonly name = 'bullmq (Postgres)'
  readonly packing = 'text'
  durable: EngineCapabilities['durable'] = 'power'
  readonly #postgres: PostgresSettings
  #pool: Pool | undefined
  #events: PostgresEvents | undefined
  readonly #adds = new Map<string, Batches<NewJob, string>>()
  readonly #completes = new Map<string, Batches<Ending, boolean>>()

  constructor(settings: PostgresSettings) {
    super(settings)
    this.#postgres = settings
  }

  async open(report: Report): Promise<void> {
    const [bullmq, pg] = await Promise.all([loadBullmq(), loadPg('bullmq() on Postgres')])
    const { options, migrate, where, timing } = this.#postgres
    const config: PoolConfig = { ...BOUNDED, ...options, options: withSearchPath(options.options) }
    const pool = new pg.Pool(config)
    pool.on('error', () => {}) // An idle connection that breaks is made anew when it is needed.
    this.#pool = pool
    const events = new PostgresEvents({ pool, report, where, connect: () => new pg.Client(config) })
    this.#events = events
    const { durable } = await checkPostgres(pool, { where, migrate, bullmq, listens: () => events.works() })
    this.durable = durable
    const backendOptions = {
      connection: pool,
      lockDuration: timing.lease,
      stalledInterval: recoverGuard(timing),
      maxStalledCount: 2 ** 31 - 1, // Lost attempts are counted by the policy of the procedure.
    }
    const root = bullmq.createPostgresBackend(this.queueOf(''), backendOptions as never)
    root.on('error', () => {})
    await this.ask('connecting', root.waitUntilReady())
    this.use(root)
  }

  async listen(procedures: readonly string[], listener: PlaceListener): Promise<void> {
    const queues = new Map(procedures.map((procedure) => [this.queueOf(procedure), procedure]))
    this.backend('') // Says so when it is not open.
    await this.ask('following events', (this.#events as PostgresEvents).listen(queues, listener))
  }

  override async add(job: NewJob): Promise<void> {
    await this.#adding(job.procedure).add(job)
  }

  override complete(ref: JobRef, token: string, ending: object): Promise<boolean> {
    return this.#completing(ref.procedure).add({ id: ref.id, token, ending })
  }

  /** Looking writes, so it is only done where something runs. */
  override async recover(procedures: readonly string[]): Promise<void> {
    const queues = procedures.map((procedure) => this.queueOf(procedure))
    const rows = await this.#rows<JobRow>('looking for lost tasks', SQL.busyQueues, [queues])
    const busy = new Set(rows.map(({ queue }) => queue))
    const working = procedures.filter((procedure) => busy.has(this.queueOf(procedure)))
    for (const procedure of working) await untangled(() => super.recover([procedure]))
  }

  override renew(...held: Parameters<BackendPlace['renew']>): Promise<ReadonlySet<string>> {
    return untangled(() => super.renew(...held))
  }

  async read(refs: readonly JobRef[]): Promise<readonly (RawJob | undefined)[]> {
    const queues = refs.map(({ procedure }) => this.queueOf(procedure))
    const ids = refs.map(({ id }) => id)
    const rows = await this.#rows<JobRow>('reading tasks', SQL.read, [queues, ids])
    const byPlace = new Map(rows.map((row) => [`${row.queue}:${row.id}`, row]))
    return refs.map((_, index) => {
      const row = byPlace.get(`${queues[index]}:${ids[index]}`)
      return row && toRawJob(row)
    })
  }

  async find(id: string, procedures: readonly string[]): Promise<FoundJob | undefined> {
    const queues = procedures.map((procedure) => this.queueOf(procedure))
    const [row] = await this.#rows<JobRow>('looking for a task', SQL.find, [queues, id])
    const procedure = row && procedures[queues.indexOf(row.queue)]
    return procedure === undefined ? undefined : { procedure, id, raw: toRawJob(row as JobRow) }
  }

  async depth(procedures: readonly string[]): Promise<number> {
    const queues = procedures.map((procedure) => this.queueOf(procedure))
    const [row] = await this.#rows<{ count: string }>('counting queued tasks', SQL.depth, [queues])
    return Number(row?.count ?? 0)
  }

  /** As many claims as there are jobs for, in one statement: one commit. */
  async take(procedure: string, most: number): Promise<Claims> {
    const queue = this.queueOf(procedure)
    const now = Date.now()
    const params = [queue, crypto.randomUUID(), most, this.settings.timing.lease, now]
    const rows = await this.#rows<JobRow>('taking tasks', SQL.take, params)
    const jobs = rows.map((row) => ({ raw: toRawJob(row), token: row.lock_token as string }))
    if (jobs.length === most) return { jobs }
    const [next] = await this.#rows<{ next_delay: string | null }>('looking ahead', SQL.nextDelay, [queue])
    return next?.next_delay ? { jobs, nextDue: Number(next.next_delay) } : { jobs }
  }

  async replaceData({ procedure, id, raw }: FoundJob, data: object): Promise<boolean> {
    const was = [JSON.stringify(raw.data), raw.attemptsStarted]
    const params = [this.queueOf(procedure), id, ...was, JSON.stringify(data), ASKED]
    return (await this.#rows('changing a task', SQL.replaceData, params)).length > 0
  }

  async claimKey(key: string, value: string, instead = ''): Promise<string> {
    const params = [this.keysQueue, key, value, instead]
    const [row] = await this.#rows<{ value: string }>('taking an idempotency key', SQL.claimKey, params)
    // Whoever lost sees the winner's value only in a new statement.
    return row?.value ?? (await this.#heldKey(key)) ?? this.claimKey(key, value, instead)
  }

  async freeKey(key: string, beginning: string): Promise<void> {
    await this.#rows('freeing an idempotency key', SQL.freeKey, [this.keysQueue, key, beginning])
  }

  async close(): Promise<void> {
    await this.#events?.close()
    if (!this.#pool) return
    // It may have been ended by a failed start. A server that stands still says no goodbye.
    await within(GOODBYE, 'Closing connections', this.#pool.end()).catch(() => {})
  }

  #adding(procedure: string): Batches<NewJob, string> {
    const known = this.#adds.get(procedure)
    if (known) return known
    const made = new Batches<NewJob, string>((jobs) => {
      const entries = jobs.map((job) => ({ job: toJobJson(job), jobId: job.id }))
      return this.ask('starting tasks', this.backend(procedure).addJobs(entries))
    })
    this.#adds.set(procedure, made)
    return made
  }

  #completing(procedure: string): Batches<Ending, boolean> {
    const known = this.#completes.get(procedure)
    if (known) return known
    const made = new Batches<Ending, boolean>((endings) => this.#completeAll(procedure, endings))
    this.#completes.set(procedure, made)
    return made
  }

  async #completeAll(procedure: string, endings: readonly Ending[]): Promise<boolean[]> {
    const params = [
      this.queueOf(procedure),
      endings.map(({ id }) => id),
      endings.map(({ token }) => token),
      endings.map(({ ending }) => JSON.stringify(ending)),
      Date.now(),
    ]
    const done = new Set((await this.#rows<JobRow>('ending tasks', SQL.complete, params)).map(({ id }) => id))
    return endings.map(({ id }) => done.has(id))
  }

  async #heldKey(key: string): Promise<string | undefined> {
    const params = [this.keysQueue, key]
    const [row] = await this.#rows<{ value: string }>('reading an idempotency key', SQL.heldKey, params)
    return row?.value
  }

  #rows<Row extends object>(doing: string, sql: string, params: unknown[]): Promise<Row[]> {
    this.backend('') // Says so when it is not open.
    const pool = this.#pool as Pool
    return untangled(async () => (await this.ask(doing, pool.query<Row>(sql, params))).rows)
  }
}

/** BullMQ's statements name no schema. */
const withSearchPath = (options = ''): string => `${options} -c search_path=${SCHEMA}`.trim()
