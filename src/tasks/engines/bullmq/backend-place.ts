/** What both kinds of place do the same way: through BullMQ's own backends, one per queue over shared connections. */
import { EngineUnavailable, type EngineCapabilities } from '../../engine.ts'
import type { IQueueBackend, JobJson } from '../../peers/bullmq.ts'
import type { Report } from '../../store.ts'
import type { Packing, RawJob } from './job-codec.ts'
import type { Claims, Counts, FoundJob, JobRef, JobState, NewJob, Place, PlaceListener } from './place.ts'
import type { Timing } from './timing.ts'

/** What a place of either kind is told. */
export interface PlaceSettings {
  /** Begins the names of all queues. */
  readonly name: string
  /** Where it is, with passwords masked. */
  readonly where: string
  readonly timing: Timing
}

/** Codes of BullMQ: the job is gone, its lock is, it is in another state, the lock is another's. */
const NOT_OURS: ReadonlySet<unknown> = new Set([-1, -2, -3, -6])

const codeOf = (error: unknown): unknown => (error as { code?: unknown } | null)?.code

/** As BullMQ's own `Queue` makes it. */
export const toJobJson = ({ procedure, id, data, priority, delay, timestamp }: NewJob): JobJson => {
  const opts = { priority, ...(delay > 0 ? { delay } : {}), attempts: 1 }
  const job = { id, name: procedure, data: JSON.stringify(data), opts, timestamp, delay, priority }
  return job as unknown as JobJson // What an ended job has, a new one has not.
}

/** Events that a stream keeps: what a host may be behind, or away. */
const KEPT_EVENTS = 10_000

export abstract class BackendPlace implements Place {
  abstract readonly name: string
  abstract readonly durable: EngineCapabilities['durable']
  abstract readonly packing: Packing
  protected readonly settings: PlaceSettings
  #root: IQueueBackend | undefined
  readonly #backends = new Map<string, IQueueBackend>()

  constructor(settings: PlaceSettings) {
    this.settings = settings
  }

  abstract open(report: Report): Promise<void>
  abstract listen(procedures: readonly string[], listener: PlaceListener): Promise<void>
  abstract read(refs: readonly JobRef[]): Promise<readonly (RawJob | undefined)[]>
  abstract find(id: string, procedures: readonly string[]): Promise<FoundJob | undefined>
  abstract depth(procedures: readonly string[]): Promise<number>
  abstract take(procedure: string, most: number): Promise<Claims>
  abstract replaceData(was: FoundJob, data: object): Promise<boolean>
  abstract claimKey(key: string, value: string, instead?: string): Promise<string>
  abstract freeKey(key: string, beginning: string): Promise<void>
  abstract close(): Promise<void>

  async procedures(): Promise<readonly string[]> {
    return Object.keys(await this.ask('reading which queues there are', this.backend('').getQueueMeta()))
  }

  async register(procedures: readonly string[]): Promise<void> {
    const fields = Object.fromEntries(procedures.map((procedure) => [procedure, 1]))
    await this.ask('making queues known', this.backend('').setQueueMeta(fields))
  }

  async add(job: NewJob): Promise<void> {
    await this.ask('starting a task', this.backend(job.procedure).addJob(toJobJson(job), job.id))
  }

  async ids(procedure: string, states: readonly JobState[], from: number, to: number): Promise<string[]> {
    const ranges = this.backend(procedure).getRanges([...states], from, to, true)
    return (await this.ask('listing tasks', ranges)).flat()
  }

  async counts(procedure: string): Promise<Counts> {
    const asked = this.backend(procedure).getCounts(['wait', 'prioritized', 'delayed', 'active'])
    const [waiting = 0, prioritized = 0, delayed = 0, running = 0] = await this.ask('counting tasks', asked)
    return { due: waiting + prioritized, delayed, running }
  }

  complete({ procedure, id }: JobRef, token: string, ending: object): Promise<boolean> {
    const job = { id, opts: { attempts: 1 } } as never // What the backends read of it.
    return this.fenced(
      'ending a task',
      this.backend(procedure).moveToCompleted(job, ending, false, token, false),
    )
  }

  giveUp(
    { procedure, id }: JobRef,
    token: string,
    { history, delay, first }: { history: string[]; delay: number; first: boolean },
  ): Promise<boolean> {
    const backend = this.backend(procedure)
    const fields = { fieldsToUpdate: { stacktrace: JSON.stringify(history) } }
    return this.fenced(
      'giving a task back',
      delay > 0
        ? backend.moveToDelayed(id, Date.now(), delay, token, fields)
        : backend.retryJob(id, first, token, fields),
    )
  }

  async renew(
    procedure: string,
    held: readonly { readonly id: string; readonly token: string }[],
  ): Promise<ReadonlySet<string>> {
    const [ids, tokens] = [held.map(({ id }) => id), held.map(({ token }) => token)]
    const lost = this.backend(procedure).extendLocks(ids, tokens, this.settings.timing.lease)
    return new Set(await this.ask('renewing leases', lost))
  }

  async recover(procedures: readonly string[]): Promise<void> {
    for (const procedure of procedures)
      await this.ask('looking for lost tasks', this.backend(procedure).moveStalledJobsToWait())
  }

  setData({ procedure, id }: JobRef, data: object): Promise<boolean> {
    return this.fenced('changing a task', this.backend(procedure).updateData({ id } as never, data))
  }

  async setProgress({ procedure, id }: JobRef, note: object): Promise<void> {
    await this.fenced('writing progress', this.backend(procedure).updateProgress(id, note))
  }

  async tell(
    { procedure, id }: JobRef,
    name: string,
    fields: Readonly<Record<string, string>>,
  ): Promise<void> {
    const event = { event: name, jobId: id, ...fields }
    await this.ask('telling other hosts', this.backend(procedure).publishEvent(event, KEPT_EVENTS))
  }

  async putBack(
    { procedure, id }: JobRef,
    from: 'completed' | 'failed',
  ): Promise<'done' | 'not-ended' | 'unknown'> {
    try {
      await this.backend(procedure).retryFinishedJob({ id, opts: {} } as never, from)
      return 'done'
    } catch (error) {
      if (codeOf(error) === -1) return 'unknown'
      if (codeOf(error) === -3) return 'not-ended'
      throw this.unavailable('queueing a task again', error)
    }
  }

  async promote({ procedure, id }: JobRef): Promise<void> {
    await this.fenced('making a task due', this.backend(procedure).promote(id))
  }

  async remove({ procedure, id }: JobRef): Promise<boolean> {
    return (await this.ask('removing a task', this.backend(procedure).remove(id, false))) > 0
  }

  async limit(procedure: string, concurrency: number | undefined): Promise<void> {
    const backend = this.backend(procedure)
    const set =
      concurrency === undefined
        ? backend.removeQueueMetaFields(['concurrency'])
        : backend.setQueueMeta({ concurrency })
    await this.ask('setting a concurrency', set)
  }

  /** The first backend, which owns the connections. */
  protected use(root: IQueueBackend): void {
    this.#root = root
  }

  /** Of a procedure's queue; of none: of the queue that is only names. */
  protected backend(procedure: string): IQueueBackend {
    const known = this.#backends.get(procedure)
    if (known) return known
    if (!this.#root) throw new EngineUnavailable(`${this.settings.where} is not connected yet`)
    const made = this.#root.forQueue(this.queueOf(procedure))
    this.#backends.set(procedure, made)
    return made
  }

  /** BullMQ takes no name with a colon; a procedure's path has letters, digits, `_` and dots. */
  protected queueOf(procedure: string): string {
    return procedure === '' ? `${this.settings.name}-procedures` : `${this.settings.name}.${procedure}`
  }

  /** The queue whose metadata are the idempotency keys. */
  protected get keysQueue(): string {
    return `${this.settings.name}-keys`
  }

  protected async ask<T>(doing: string, work: Promise<T>): Promise<T> {
    try {
      return await work
    } catch (error) {
      throw this.unavailable(doing, error)
    }
  }

  /** False when the job is another's by now. */
  protected async fenced(doing: string, work: Promise<unknown>): Promise<boolean> {
    try {
      await work
      return true
    } catch (error) {
      if (NOT_OURS.has(codeOf(error))) return false
      throw this.unavailable(doing, error)
    }
  }

  protected unavailable(doing: string, error: unknown): EngineUnavailable {
    if (error instanceof EngineUnavailable) return error
    const reason = error instanceof Error ? error.message : String(error)
    return new EngineUnavailable(`${this.settings.where} failed while ${doing}: ${reason}`, { cause: error })
  }
}
