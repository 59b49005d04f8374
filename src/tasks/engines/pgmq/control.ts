/** What somebody does to a task from outside: stop it, queue it again, forget it. */
import { isFinished } from '../../../protocol/task.ts'
import type { CancelResult } from '../../engine.ts'
import { isTaskId } from '../../id.ts'
import { cancelled, cancelRequested, requeued } from '../../lifecycle.ts'
import type { StoredTask } from '../../stored-task.ts'
import type { FreshAttempts } from '../fleet/shared-queue.ts'
import { writeChanges } from './change.ts'
import type { Query } from './database.ts'
import type { Place } from './place.ts'
import { readHeld, readNow } from './rows.ts'

/** A task that is locked until the transaction ends, and the time there. */
interface Locked {
  readonly query: Query
  readonly task: StoredTask
  readonly now: number
}

/** Changes a task while nobody else does. */
export class Control {
  readonly #place: Place

  constructor(place: Place) {
    this.#place = place
  }

  async cancel(id: string, keep: number): Promise<CancelResult | undefined> {
    let waiting: StoredTask | undefined
    const result = await this.#locked(id, (locked) => {
      waiting = locked.task.status === 'queued' ? locked.task : undefined
      return this.#stop(locked, keep)
    })
    if (!result) return undefined
    const { bulletin, listener } = this.#place
    if (waiting) listener.wrote(waiting, result.task)
    if (result.kind === 'requested') bulletin.say({ type: 'stop', id, attempt: result.task.attempt })
    bulletin.say({ type: 'changed', id })
    return result
  }

  async retry(id: string, fresh: FreshAttempts): Promise<StoredTask | 'not-ended' | 'succeeded' | undefined> {
    const result = await this.#locked(id, (locked) => this.#queueAgain(locked, fresh))
    if (typeof result !== 'object') return result
    const { bulletin, listener } = this.#place
    bulletin.say({ type: 'changed', id })
    bulletin.offer(result.procedure)
    listener.available(result.procedure)
    return result
  }

  async remove(id: string): Promise<'removed' | 'not-ended' | 'unknown'> {
    if (!isTaskId(id)) return 'unknown'
    const [row] = await this.#place.database.query(this.#place.sql.remove, [id])
    if (row?.['live'] === undefined) return 'unknown'
    return row['removed'] === true ? 'removed' : 'not-ended'
  }

  async #stop({ query, task, now }: Locked, keep: number): Promise<CancelResult> {
    if (isFinished(task.status)) return { kind: 'settled', task }
    if (task.status === 'running') {
      await query(this.#place.sql['request-cancel'], [task.id])
      return { kind: 'requested', task: cancelRequested(task) }
    }
    const next = cancelled(task, now, keep)
    await this.#write(query, task, next)
    return { kind: 'settled', task: next }
  }

  async #queueAgain(
    { query, task, now }: Locked,
    fresh: FreshAttempts,
  ): Promise<StoredTask | 'not-ended' | 'succeeded'> {
    if (task.status === 'succeeded') return 'succeeded'
    // Of two who ask at once, one may find it ended again by the time it gets its turn.
    if (!isFinished(task.status) || task.attempt !== fresh.after) return 'not-ended'
    const { sql, queues } = this.#place
    const next = requeued(task, now, fresh)
    const [sent] = await query(sql.send, [queues.nameOf(task.procedure), task.id])
    await this.#write(query, task, next, sent?.['message'] as string)
    return next
  }

  async #write(query: Query, task: StoredTask, next: StoredTask, message?: string): Promise<void> {
    const change = { id: task.id, before: { attempt: task.attempt, lease: null }, next }
    await writeChanges(query, this.#place, [message === undefined ? change : { ...change, message }])
  }

  async #locked<T>(id: string, work: (locked: Locked) => Promise<T>): Promise<T | undefined> {
    if (!isTaskId(id)) return undefined
    const { database, sql, queues } = this.#place
    // Known once the task is read.
    const procedures: string[] = []
    return queues.with(procedures, () =>
      database.transaction(async (query) => {
        const [row] = await query(sql.lock, [id])
        if (!row) return undefined
        const { task } = readHeld(row)
        procedures.push(task.procedure)
        return work({ query, task, now: readNow(row) })
      }),
    )
  }
}
