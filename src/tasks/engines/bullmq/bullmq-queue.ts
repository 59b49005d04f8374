/**
 * A fleet's queue over BullMQ: every record is read from what BullMQ keeps, and every change is one of BullMQ's own
 * steps.
 *
 * A task that ended is always `completed` for BullMQ, however it ended: BullMQ's `failed` is what BullMQ ends itself.
 */
import type {
  CancelResult,
  Census,
  EngineCapabilities,
  StoredPage,
  Submitted,
  TaskQuery,
} from '../../engine.ts'
import { isFinished } from '../../../protocol/task.ts'
import { toPolicy } from '../../policy.ts'
import type { Report } from '../../store.ts'
import type { StoredTask } from '../../stored-task.ts'
import type {
  FreshAttempts,
  PolicyOf,
  QueueListener,
  Renewal,
  RulesOf,
  Said,
  Settled,
  SharedQueue,
  Taken,
} from '../fleet/shared-queue.ts'
import { Announcements } from './announcements.ts'
import { Background } from './background.ts'
import { cancel } from './cancelling.ts'
import { count } from './counting.ts'
import { DueTimes } from './due-times.ts'
import { createHearing } from './hearing.ts'
import { JobBook } from './job-book.ts'
import { JobCodec } from './job-codec.ts'
import { KeyBook } from './key-book.ts'
import { KnownProcedures } from './known-procedures.ts'
import type { Lease } from './lease.ts'
import { Listing } from './listing.ts'
import { dataOf, scheduleOf } from './new-job.ts'
import type { JobRef, Place } from './place.ts'
import { RecentCancels } from './recent-cancels.ts'
import { renew } from './renewing.ts'
import { retry } from './retrying.ts'
import { settle } from './settling.ts'
import { FIRST_REVISION } from './stored-task-of.ts'
import { take } from './taking.ts'
import type { Timing } from './timing.ts'
import { Working } from './working.ts'

/** What it is made of. */
export interface BullmqQueueParts {
  readonly place: Place
  readonly timing: Timing
}

const DEFAULT_KEEP = toPolicy({}).keep

/** What exists once it is open. */
interface Open {
  readonly listener: QueueListener
  readonly report: Report
  readonly policyOf: PolicyOf
  readonly background: Background
  readonly working: Working
  readonly due: DueTimes
}

export class BullmqQueue implements SharedQueue {
  readonly name: string
  readonly lease: number
  readonly #self: string = crypto.randomUUID()
  readonly #timing: Timing
  readonly #place: Place
  readonly #codec: JobCodec
  readonly #known: KnownProcedures
  readonly #book: JobBook
  readonly #keys: KeyBook
  readonly #listing: Listing
  readonly #cancels = new RecentCancels()
  readonly #announcements = new Announcements()
  #open: Open | undefined

  constructor({ place, timing }: BullmqQueueParts) {
    this.name = place.name
    this.lease = timing.lease
    this.#timing = timing
    this.#place = place
    this.#codec = new JobCodec(place.packing)
    this.#known = new KnownProcedures({ place, grown: (procedures) => this.#listen(procedures) })
    this.#book = new JobBook({ place, known: this.#known, codec: this.#codec })
    this.#keys = new KeyBook({
      place,
      look: (id) => this.#book.look(id),
      write: (task) => this.#add(task),
    })
    this.#listing = new Listing({ place, book: this.#book, procedures: () => this.#known.refresh() })
  }

  get capabilities(): EngineCapabilities {
    return { durable: this.#place.durable, multiHost: true, transactionalStart: false }
  }

  async open(listener: QueueListener, report: Report, policyOf: PolicyOf): Promise<void> {
    await this.#place.open(report)
    this.#open = this.#assemble(listener, report, policyOf)
    await this.#known.refresh()
    this.#open.background.start()
  }

  work(procedures: readonly string[]): void {
    this.#open?.working.begin(procedures)
  }

  async submit(task: StoredTask): Promise<Submitted> {
    await this.#known.add([task.procedure])
    const first = { ...task, revision: FIRST_REVISION }
    if (task.idempotencyKey !== undefined) return this.#keys.submit(first)
    await this.#add(first)
    return { kind: 'created', task: first }
  }

  async get(id: string): Promise<StoredTask | undefined> {
    return (await this.#book.find(id))?.task
  }

  list(query: TaskQuery): Promise<StoredPage> {
    return this.#listing.list(query)
  }

  depth(): Promise<number> {
    return this.#place.depth(this.#known.names)
  }

  census(procedures: readonly string[]): Promise<readonly Census[]> {
    const parts = { place: this.#place, book: this.#book }
    return Promise.all(procedures.map((procedure) => count(parts, procedure)))
  }

  async take(procedure: string, most: number, rulesOf: RulesOf): Promise<readonly Taken[]> {
    const { report, due, listener } = this.#opened()
    const parts = { place: this.#place, codec: this.#codec, report, wrote: listener.wrote }
    const { taken, nextDue } = await take(parts, procedure, { most, rules: rulesOf(procedure) })
    if (nextDue !== undefined) due.set(procedure, nextDue)
    for (const { task } of taken) {
      this.#known.remember(task)
      if (this.#cancels.has(task.id)) void this.#stopIfCancelled(task.id)
    }
    return taken
  }

  renew(taken: readonly Taken[]): Promise<readonly Renewal[]> {
    const held = taken.map(({ task, lease }) => ({ task, lease: lease as Lease }))
    return renew(this.#place, held)
  }

  settle({ task, lease }: Taken, next: StoredTask): Promise<Settled> {
    this.#listing.changed(task)
    const { changed } = this.#opened().listener
    const parts = { place: this.#place, codec: this.#codec, changed }
    return settle(parts, { task, lease: lease as Lease }, next)
  }

  async report({ task, lease: held }: Taken, { progress, logs }: Said): Promise<void> {
    const lease = held as Lease
    const said = logs.map((log) =>
      this.#place.tell(task, 'log', { by: this.#self, log: JSON.stringify(log) }),
    )
    if (progress !== undefined) {
      lease.said += 1
      const note = { claim: lease.job.claims, n: lease.said, by: this.#self, value: progress }
      said.push(this.#place.setProgress(task, this.#codec.progress(note)))
    }
    await Promise.allSettled(said)
  }

  async cancel(id: string, keep: number): Promise<CancelResult | undefined> {
    const result = await cancel({ place: this.#place, book: this.#book }, id, keep)
    if (result) this.#listing.changed(result.task)
    return result
  }

  async retry(id: string, fresh: FreshAttempts): Promise<StoredTask | 'not-ended' | 'succeeded' | undefined> {
    const result = await retry({ place: this.#place, book: this.#book }, id, fresh)
    if (typeof result === 'object') this.#listing.changed(result)
    return result
  }

  async remove(id: string): Promise<'removed' | 'not-ended' | 'unknown'> {
    const found = await this.#book.find(id)
    if (!found) return 'unknown'
    if (!isFinished(found.task.status)) return 'not-ended'
    await this.#keys.free(found.task)
    if (!(await this.#place.remove(found.job))) return 'not-ended'
    this.#listing.changed(found.job)
    return 'removed'
  }

  async check(): Promise<void> {
    await this.#place.procedures()
  }

  async close(): Promise<void> {
    this.#open?.background.stop()
    this.#open?.working.stop()
    this.#open?.due.stop()
    this.#listing.reset()
    await this.#place.close()
  }

  #assemble(listener: QueueListener, report: Report, policyOf: PolicyOf): Open {
    const place = this.#place
    const background = new Background({
      place,
      book: this.#book,
      keys: this.#keys,
      timing: this.#timing,
      report,
      procedures: () => this.#known.refresh(),
      look: (procedure) => listener.available(procedure),
    })
    const working = new Working({ place, known: this.#known, background, listener, report, policyOf })
    const due = new DueTimes((procedure) => listener.available(procedure))
    return { listener, report, policyOf, background, working, due }
  }

  async #add(task: StoredTask): Promise<void> {
    const keep = this.#open?.policyOf(task.procedure)?.keep ?? DEFAULT_KEEP
    const { id, procedure } = task
    const schedule = scheduleOf(task)
    if (!schedule.delay) this.#announcements.expect(id)
    try {
      await this.#place.add({ id, procedure, data: this.#codec.data(dataOf(task, keep)), ...schedule })
    } catch (error) {
      this.#announcements.take(id)
      throw error
    }
    this.#known.remember(task)
    this.#listing.changed(task)
    if (!schedule.delay) this.#open?.listener.available(procedure)
  }

  async #listen(procedures: readonly string[]): Promise<void> {
    const { listener, policyOf, due } = this.#opened()
    const hearing = createHearing({
      listener,
      self: this.#self,
      isAnnounced: (id) => this.#announcements.take(id),
      isLimited: (procedure) => policyOf(procedure)?.concurrency !== Infinity,
      due: (procedure, at) => due.set(procedure, at),
      changed: (ref: JobRef) => this.#listing.changed(ref),
      cancelled: (id) => this.#cancels.add(id),
      look: (id) => this.#look(id),
      missed: () => {
        this.#announcements.clear()
        this.#listing.reset()
      },
    })
    await this.#place.listen(procedures, hearing)
  }

  /** The request may have come while the task was being taken, when nobody could be told; or be one of long ago. */
  async #stopIfCancelled(id: string): Promise<void> {
    const found = await this.#book.find(id).catch(() => undefined) // The next renewal tells of it too.
    if (found?.job.data.cancel) this.#opened().listener.cancelRequested(id, found.task.attempt)
  }

  /** Never rejects: whatever is watched is looked at again. */
  async #look(id: string): Promise<void> {
    const found = await this.#book.find(id).catch(() => undefined)
    // Its end is an event too, which brings it whole.
    if (found && !found.job.ending) this.#opened().listener.changed(id, () => found.task)
  }

  #opened(): Open {
    if (this.#open) return this.#open
    throw new Error('The queue is not open') // The engine opens it first.
  }
}
