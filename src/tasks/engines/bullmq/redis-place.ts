/** BullMQ's queues on Redis or Valkey: two connections, whatever the number of queues. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { EngineCapabilities } from '../../engine.ts'
import { loadBullmq, type JobJson } from '../../peers/bullmq.ts'
import { loadRedis, type Redis, type RedisOptions } from '../../peers/ioredis.ts'
import type { Report } from '../../store.ts'
import { BackendPlace, type PlaceSettings } from './backend-place.ts'
import type { RawJob } from './job-codec.ts'
import type { Claims, FoundJob, JobRef, PlaceListener } from './place.ts'
import { checkRedis } from './redis-checks.ts'
import { RedisEvents } from './redis-events.ts'
import { addDataCommand, type DataCommand } from './redis-data.ts'
import { addKeyCommands, type KeyCommands } from './redis-keys.ts'
import { ofJobJson, toRawJob } from './redis-raw-job.ts'
import { recoverGuard } from './timing.ts'
import { ASKED } from './tokens.ts'

/** What a Redis place is told. */
export interface RedisSettings extends PlaceSettings {
  readonly url: string | undefined
  readonly options: RedisOptions
  /** Of all keys, before the name of the queue. BullMQ's own default is `bull`. */
  readonly prefix: string
}

/** Nothing waits for a Redis that is away; in the background it is connected again. */
const BOUNDED: RedisOptions = {
  connectTimeout: 5000,
  commandTimeout: 5000,
  maxRetriesPerRequest: 0,
  enableOfflineQueue: false,
  // Whoever waited for an answer is told; a claim that was made twice would be one that nobody runs.
  autoResendUnfulfilledCommands: false,
  retryStrategy: (times) => Math.min(50 * 2 ** times, 2000),
}

/** Whatever a user's options say. */
const FIXED = { lazyConnect: true, protocol: 2 } as RedisOptions // `protocol` is of ioredis 6.

type Commands = Redis & KeyCommands & DataCommand

export class RedisPlace extends BackendPlace {
  readonly name = 'bullmq (Redis)'
  readonly packing = 'value'
  durable: EngineCapabilities['durable'] = 'process'
  readonly #redis: RedisSettings
  #client: Commands | undefined
  #events: RedisEvents | undefined
  /** How many jobs a take found last: so many are asked for at once. */
  readonly #found = new Map<string, number>()

  constructor(settings: RedisSettings) {
    super(settings)
    this.#redis = settings
  }

  async open(report: Report): Promise<void> {
    const [{ createRedisBackend }, createRedis] = await Promise.all([
      loadBullmq(),
      loadRedis('bullmq() on Redis or Valkey'),
    ])
    const { url, options, prefix, where, timing } = this.#redis
    const client = createRedis(url, { ...BOUNDED, ...options, ...FIXED })
    let lastError: Error | undefined
    client.on('error', (error: Error) => (lastError = error)) // Each call that fails of it says so.
    this.#client = addDataCommand(addKeyCommands(client))
    this.durable = (await checkRedis(client, { where, report, lastError: () => lastError })).durable
    const backendOptions = {
      connection: client,
      prefix,
      lockDuration: timing.lease,
      stalledInterval: recoverGuard(timing),
      maxStalledCount: 2 ** 31, // Lost attempts are counted by the policy of the procedure.
      skipVersionCheck: true,
    }
    const root = createRedisBackend(this.queueOf(''), backendOptions)
    root.on('error', () => {})
    await this.ask('connecting', root.waitUntilReady())
    this.use(root)
    this.#events = new RedisEvents({
      client,
      report,
      where,
      keyOf: (procedure) => this.#key(procedure, 'events'),
    })
  }

  async listen(procedures: readonly string[], listener: PlaceListener): Promise<void> {
    await this.ask('following events', this.#eventsOpen.listen(procedures, listener))
  }

  async read(refs: readonly JobRef[]): Promise<readonly (RawJob | undefined)[]> {
    const reads = refs.map(({ procedure, id }) => this.#open.hgetall(this.#key(procedure, id)))
    const found = await this.ask('reading tasks', Promise.all(reads))
    return found.map((fields, index) => toRawJob((refs[index] as JobRef).id, fields))
  }

  async find(id: string, procedures: readonly string[]): Promise<FoundJob | undefined> {
    const looks = procedures.map((procedure) => this.#open.exists(this.#key(procedure, id)))
    const found = await this.ask('looking for a task', Promise.all(looks))
    const procedure = procedures[found.indexOf(1)]
    if (procedure === undefined) return undefined
    const [raw] = await this.read([{ procedure, id }])
    return raw && { procedure, id, raw }
  }

  async depth(procedures: readonly string[]): Promise<number> {
    const counts = procedures.flatMap((procedure) => [
      this.#open.llen(this.#key(procedure, 'wait')),
      this.#open.zcard(this.#key(procedure, 'prioritized')),
      this.#open.zcard(this.#key(procedure, 'delayed')),
    ])
    const all = await this.ask('counting queued tasks', Promise.all(counts))
    return all.reduce((sum, count) => sum + count, 0)
  }

  /** A script takes one job. So many are sent at once as there were last time, and a few more. */
  async take(procedure: string, most: number): Promise<Claims> {
    const jobs: Claims['jobs'][number][] = []
    for (let batch = 1 + (this.#found.get(procedure) ?? 0); jobs.length < most; batch *= 2) {
      const asked = Math.min(batch, most - jobs.length)
      const answers = await this.#claim(procedure, asked)
      jobs.push(...answers.flatMap(({ job }) => (job ? [job] : [])))
      this.#found.set(procedure, jobs.length)
      const last = answers.at(-1)
      if (!last?.job) return { jobs, ...(last?.nextDue ? { nextDue: last.nextDue } : {}) }
    }
    return { jobs }
  }

  async replaceData({ procedure, id, raw }: FoundJob, data: object): Promise<boolean> {
    const keys = [this.#key(procedure, id), this.#key(procedure, `${id}:lock`)] as const
    const was = [JSON.stringify(raw.data), String(raw.attemptsStarted)] as const
    const written = this.#open.errandReplaceData(...keys, ...was, JSON.stringify(data), ASKED)
    return (await this.ask('changing a task', written)) === 1
  }

  async claimKey(key: string, value: string, instead = ''): Promise<string> {
    return this.ask('taking an idempotency key', this.#open.errandClaimKey(this.#keys, key, value, instead))
  }

  async freeKey(key: string, beginning: string): Promise<void> {
    await this.ask('freeing an idempotency key', this.#open.errandFreeKey(this.#keys, key, beginning))
  }

  /** What is under way is answered, if the server answers soon. */
  async close(): Promise<void> {
    this.#events?.close()
    const leaving = this.#client?.quit().catch(() => {}) // It is not connected.
    await Promise.race([leaving, sleep(1000, undefined, { ref: false })])
    this.#client?.disconnect()
  }

  async #claim(procedure: string, count: number) {
    const backend = this.backend(procedure)
    const answers = Array.from({ length: count }, async () => {
      const token = crypto.randomUUID()
      const [job, id, , nextDue] = (await backend.moveToActive(token)) as [JobJson | null, string, 0, number]
      return job ? { job: { raw: ofJobJson(id, job), token } } : { nextDue }
    })
    return this.ask<readonly { job?: { raw: RawJob; token: string }; nextDue?: number }[]>(
      'taking tasks',
      Promise.all(answers),
    )
  }

  get #open(): Commands {
    // `backend` says so when there is none.
    this.backend('')
    return this.#client as Commands
  }

  get #eventsOpen(): RedisEvents {
    this.backend('')
    return this.#events as RedisEvents
  }

  get #keys(): string {
    return `${this.#redis.prefix}:${this.keysQueue}:meta`
  }

  #key(procedure: string, part: string): string {
    return `${this.#redis.prefix}:${this.queueOf(procedure)}:${part}`
  }
}
