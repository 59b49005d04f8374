/**
 * Writes for attempts that this host runs: leases, ends, progress. One statement at a time, since two that meet the same
 * rows in different orders would wait for each other for ever.
 */
import type { Renewal, Said, Settled, Taken } from '../fleet/shared-queue.ts'
import type { TaskPolicy } from '../../engine.ts'
import type { StoredTask } from '../../stored-task.ts'
import { toArray } from './arrays.ts'
import { Batch } from './batch.ts'
import { writeChanges, type Change } from './change.ts'
import { mayBeOnes } from './failures.ts'
import { createLane } from './lane.ts'
import type { Place } from './place.ts'
import { progressOf } from './rows.ts'

/** What it works with. */
export interface AttemptsParts extends Place {
  /** Milliseconds. */
  readonly lease: number
  /** A task waits for a time, so many ms from now. */
  delayed(ms: number): void
}

/** An end to write. */
interface End {
  readonly taken: Taken
  readonly next: StoredTask
}

/** Progress to keep. */
interface Report {
  readonly taken: Taken
  readonly progress: string
}

const leaseOf = ({ lease }: Taken): string => lease as string

/** Leases as three columns. */
const columns = (all: readonly Taken[]): readonly [string, string, string] => [
  toArray(all.map(({ task }) => task.id)),
  toArray(all.map(({ task }) => task.attempt)),
  toArray(all.map(leaseOf)),
]

const toChange = ({ taken, next }: End): Change => ({
  id: next.id,
  before: { attempt: taken.task.attempt, lease: leaseOf(taken) },
  next,
})

const isLimited = (policy: TaskPolicy | undefined): boolean => (policy?.concurrency ?? Infinity) !== Infinity

/** Fenced by the lease. */
export class Attempts {
  readonly #parts: AttemptsParts
  readonly #inTurn = createLane()
  readonly #ends = new Batch<End, Settled>({
    work: (ends) => this.#inTurn(() => this.#settle(ends)),
    mayBeOnes,
  })
  readonly #reports = new Batch<Report, boolean>({
    work: (reports) => this.#inTurn(() => this.#report(reports)),
  })

  constructor(parts: AttemptsParts) {
    this.#parts = parts
  }

  async renew(all: readonly Taken[]): Promise<readonly Renewal[]> {
    const { sql, database, queues, lease } = this.#parts
    const procedures = all.map(({ task }) => task.procedure)
    const [ids, attempts, leases] = columns(all)
    const names = toArray(procedures.map((procedure) => queues.nameOf(procedure)))
    const rows = await this.#inTurn(() =>
      queues.with([...new Set(procedures)], () =>
        database.query(sql.renew, [ids, names, attempts, leases, lease]),
      ),
    )
    const renewals = new Map(rows.map(({ id, stop }) => [id, stop === true ? 'stop' : 'held'] as const))
    return all.map(({ task }) => renewals.get(task.id) ?? 'lost')
  }

  settle(taken: Taken, next: StoredTask): Promise<Settled> {
    return this.#ends.add({ taken, next })
  }

  /** Never rejects. */
  async report(taken: Taken, { progress, logs }: Said): Promise<void> {
    const { bulletin } = this.#parts
    const { id } = taken.task
    const isKept =
      progress !== undefined && (await this.#keep({ taken, progress: progressOf(progress) as string }))
    if (isKept) bulletin.say({ type: 'progress', id, progress })
    for (const log of logs) bulletin.say({ type: 'log', id, log })
  }

  async idle(): Promise<void> {
    await Promise.all([this.#ends.idle(), this.#reports.idle()])
  }

  /** False for a stale attempt, whose progress is nobody's. */
  async #keep(report: Report): Promise<boolean> {
    try {
      return await this.#reports.add(report)
    } catch {
      // The end will tell; and what fails for longer is reported by the renewal of leases.
      return false
    }
  }

  async #settle(ends: readonly End[]): Promise<readonly Settled[]> {
    const { database, queues } = this.#parts
    const procedures = [...new Set(ends.map(({ next }) => next.procedure))]
    const refused = await queues.with(procedures, () =>
      writeChanges(database.query, this.#parts, ends.map(toChange)),
    )
    this.#tell(ends.filter(({ next }) => !refused.has(next.id)))
    if (refused.size === 0) return ends.map(() => true)
    const held = await this.#held(ends.filter(({ next }) => refused.has(next.id)))
    return ends.map(({ next: { id } }) => !refused.has(id) || (held.has(id) && 'stop'))
  }

  /** Those that are still this host's, although nothing was written: they were asked to stop. */
  async #held(ends: readonly End[]): Promise<ReadonlySet<string>> {
    const { database, sql } = this.#parts
    const rows = await database.query(sql.held, columns(ends.map(({ taken }) => taken)))
    return new Set(rows.map(({ id }) => id as string))
  }

  #tell(ends: readonly End[]): void {
    const { bulletin, policyOf } = this.#parts
    const now = Date.now()
    const again = new Set<string>()
    for (const { next } of ends) {
      bulletin.changed(next)
      if (next.status === 'queued' && (next.runAt ?? 0) > now)
        this.#parts.delayed((next.runAt as number) - now)
      // With a limit over all hosts others wait for this end.
      else if (next.status === 'queued' || isLimited(policyOf(next.procedure))) again.add(next.procedure)
    }
    for (const procedure of again) this.#offer(procedure)
  }

  #offer(procedure: string): void {
    this.#parts.bulletin.offer(procedure)
    this.#parts.listener.available(procedure)
  }

  async #report(reports: readonly Report[]): Promise<readonly boolean[]> {
    const { database, sql } = this.#parts
    const progress = toArray(reports.map((report) => report.progress))
    const rows = await database.query(sql.report, [...columns(reports.map(({ taken }) => taken)), progress])
    const kept = new Set(rows.map(({ id }) => id))
    return reports.map(({ taken }) => kept.has(taken.task.id))
  }
}
