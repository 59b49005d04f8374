/** Takes tasks: locks the next ones, begins their attempts, and lets go of the rows with the commit. */
import { randomUUID } from 'node:crypto'
import { isFinished } from '../../../protocol/task.ts'
import { expired, started, type EndingRules } from '../../lifecycle.ts'
import type { StoredTask } from '../../stored-task.ts'
import type { Taken } from '../fleet/shared-queue.ts'
import { writeChanges, type Change } from './change.ts'
import type { Query } from './database.ts'
import type { Place } from './place.ts'
import { readHeld, readNow } from './rows.ts'
import { toText } from './text.ts'

/** What it works with. */
export interface TakingParts extends Place {
  readonly schema: string
  /** Milliseconds. */
  readonly lease: number
}

/** A change with the task as it was. */
interface Begun extends Change {
  readonly was: StoredTask
}

/** Due by now; too late, too. */
const begun = (task: StoredTask, now: number, rules: EndingRules): StoredTask =>
  (task.deadlineAt ?? Infinity) <= now ? expired(task, now, rules.keep) : started(task, now)

/** Hands out tasks, each to one host. */
export class Taking {
  readonly #parts: TakingParts

  constructor(parts: TakingParts) {
    this.#parts = parts
  }

  async take(procedure: string, most: number): Promise<readonly Taken[]> {
    const changes = await this.#parts.queues.with([procedure], () => this.#transaction(procedure, most))
    const taken = changes.filter(({ next }) => next.status === 'running')
    if (taken.length < most) this.#parts.bulletin.taken(procedure)
    for (const { id, was, next } of changes) {
      this.#parts.bulletin.changed(next)
      if (!isFinished(next.status)) continue
      this.#parts.listener.changed(id)
      this.#parts.listener.wrote(was, next)
    }
    return taken.map(({ next, hold }) => ({ task: next, lease: hold?.lease }))
  }

  #transaction(procedure: string, wanted: number): Promise<readonly Begun[]> {
    const policy = this.#parts.policyOf(procedure)
    return this.#parts.database.transaction(async (query, last) => {
      const most = Math.min(wanted, await this.#room(query, procedure, policy?.concurrency ?? Infinity))
      if (most <= 0 || !policy) return []
      const rows = await query(this.#parts.sql.take, [toText(procedure), most])
      if (rows.length === 0) return []
      const lease = randomUUID()
      const changes = rows.map((row) => this.#begin(readHeld(row).task, readNow(row), policy, lease))
      const refused = await writeChanges(last, this.#parts, changes)
      return changes.filter(({ id }) => !refused.has(id))
    })
  }

  #begin(task: StoredTask, now: number, rules: EndingRules, lease: string): Begun {
    const next = begun(task, now, rules)
    const before = { attempt: task.attempt, lease: null }
    const hold = next.status === 'running' ? { hold: { lease, ms: this.#parts.lease } } : {}
    return { id: task.id, was: task, before, next, ...hold }
  }

  /** How many may be taken. With a limit over all hosts, one host at a time counts and takes. */
  async #room(query: Query, procedure: string, limit: number): Promise<number> {
    if (limit === Infinity) return limit
    const { sql, schema } = this.#parts
    await query(sql['lock-procedure'], [`${schema}/${toText(procedure)}`])
    const [row] = await query(sql['count-running'], [toText(procedure)])
    return limit - Number(row?.['running'])
  }
}
