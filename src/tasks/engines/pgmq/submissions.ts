/** Writes new tasks with their messages: both or neither, in our own transaction or in a caller's. */
import { randomUUID } from 'node:crypto'
import { EngineUnavailable, type Submitted } from '../../engine.ts'
import { started } from '../../lifecycle.ts'
import type { StoredTask } from '../../stored-task.ts'
import type { Taken } from '../fleet/shared-queue.ts'
import { toArray, toColumn, type Item } from './arrays.ts'
import { Batch } from './batch.ts'
import type { Query, Row } from './database.ts'
import { mayBeOnes } from './failures.ts'
import { toPayloads } from './notices.ts'
import type { Place } from './place.ts'
import { keyOf, ownerOf, readTask, specOf, stateOf } from './rows.ts'
import { toText } from './text.ts'
import { ownTransaction } from './transaction.ts'

/** What it works with. */
export interface SubmissionsParts extends Place {
  readonly channel: string
  readonly host: string
  /** Milliseconds. */
  readonly lease: number
  /** A task waits for a time, so many ms from now. */
  delayed(ms: number): void
}

/** A task to write. */
interface Start {
  readonly task: StoredTask
  readonly key: string | null
  /** This host takes it with the same write. */
  readonly taken?: Taken
}

const toStart = (task: StoredTask): Start => ({ task, key: keyOf(task) })

/** Takes starts. */
export class Submissions {
  readonly #parts: SubmissionsParts
  /** Tasks without a key stand in nobody's way: one statement for all of a turn. */
  readonly #plain = new Batch<Start, Submitted>({
    work: (starts) => this.#all(starts, () => this.#writePlain(starts)),
    mayBeOnes,
  })
  /** Who holds a key is found in the transaction that fails to take it. */
  readonly #keyed = new Batch<Start, Submitted>({
    work: (starts) =>
      this.#all(starts, () => this.#parts.database.transaction((query) => this.#write(query, starts))),
    mayBeOnes,
  })
  /** Statements in one transaction wait for each other. */
  readonly #lanes = new WeakMap<object, Promise<unknown>>()

  constructor(parts: SubmissionsParts) {
    this.#parts = parts
  }

  submit(task: StoredTask): Promise<Submitted> {
    return this.#add(toStart(task))
  }

  /** Writes it as running here. */
  async submitTaken(task: StoredTask): Promise<Submitted & { readonly taken?: Taken }> {
    const taken = { task: started(task, Date.now()), lease: randomUUID() }
    const submitted = await this.#add({ ...toStart(task), taken })
    return submitted.kind === 'created' ? { ...submitted, taken } : submitted
  }

  /** Joins the caller's transaction. @throws TypeError when it is none */
  async submitIn(transaction: unknown, task: StoredTask): Promise<Submitted> {
    const query = ownTransaction(transaction)
    await this.#parts.queues.ensure([task.procedure])
    const key = transaction as object
    const before = this.#lanes.get(key) ?? Promise.resolve()
    const work = before.then(() => this.#writeIn(query, task))
    this.#lanes.set(
      key,
      work.catch(() => {}),
    )
    return work
  }

  async idle(): Promise<void> {
    await Promise.all([this.#plain.idle(), this.#keyed.idle()])
  }

  #add(start: Start): Promise<Submitted> {
    return start.key === null ? this.#plain.add(start) : this.#keyed.add(start)
  }

  /** Whoever commits is not known here, so the database tells of the task when it is done. */
  async #writeIn(query: Query, task: StoredTask): Promise<Submitted> {
    const { sql, channel, host } = this.#parts
    const [submitted] = await this.#write(query, [toStart(task)])
    const notice = { type: 'available', procedure: task.procedure } as const
    // Signed as by somebody else: this host has not heard of it either.
    for (const payload of toPayloads(`${host}/transaction`, [JSON.stringify(notice)]))
      await query(sql['notify-in-transaction'], [channel, payload])
    return submitted as Submitted
  }

  async #all(
    starts: readonly Start[],
    write: () => Promise<readonly Submitted[]>,
  ): Promise<readonly Submitted[]> {
    const procedures = new Set(starts.map(({ task }) => task.procedure))
    const submitted = await this.#parts.queues.with([...procedures], write)
    this.#tell(
      starts
        .filter(({ taken }, index) => !taken && submitted[index]?.kind === 'created')
        .map(({ task }) => task),
    )
    return submitted
  }

  /** Those that may run are offered; for the others an alarm is set. */
  #tell(queued: readonly StoredTask[]): void {
    const now = Date.now()
    for (const { runAt, deadlineAt } of queued) {
      if (runAt !== undefined && runAt > now) this.#parts.delayed(runAt - now)
      if (deadlineAt !== undefined) this.#parts.delayed(deadlineAt - now)
    }
    const due = queued.filter(({ runAt = 0 }) => runAt <= now)
    for (const procedure of new Set(due.map((task) => task.procedure))) {
      this.#parts.bulletin.offer(procedure)
      this.#parts.listener.available(procedure)
    }
  }

  async #writePlain(starts: readonly Start[]): Promise<readonly Submitted[]> {
    const { database, sql } = this.#parts
    await database.query(sql['submit-plain'], this.#values(starts))
    return starts.map(({ task }) => ({ kind: 'created', task }))
  }

  async #write(query: Query, starts: readonly Start[], isAgain = false): Promise<readonly Submitted[]> {
    const rows = await query(this.#parts.sql.submit, this.#values(starts))
    if (rows.length === 0) return starts.map(({ task }) => ({ kind: 'created', task }))
    await this.#unsend(query, rows)
    const ids = new Set(rows.map(({ id }) => id))
    const refused = starts.filter(({ task }) => ids.has(task.id))
    const replays = await this.#replay(query, refused, isAgain)
    return starts.map(({ task }) => replays.get(task.id) ?? { kind: 'created', task })
  }

  async #unsend(query: Query, rows: readonly Row[]): Promise<void> {
    const column = (name: string): string => toArray(rows.map((row) => row[name] as string))
    await query(this.#parts.sql.unsend, [column('queue'), column('message')])
  }

  /** What each refused start gets instead, by its id: the task that has its key, or itself, if that one's time is over. */
  async #replay(
    query: Query,
    refused: readonly Start[],
    isAgain: boolean,
  ): Promise<ReadonlyMap<string, Submitted>> {
    const { sql } = this.#parts
    const rows = await query(sql.holders, [toColumn(refused, ({ key }) => key)])
    const holders = new Map(rows.map((row) => [row['key'] as string, readTask(row)]))
    const free = refused.filter(({ key }) => !holders.has(key as string))
    if (free.length > 0 && isAgain) throw keyIsContended()
    const written = free.length > 0 ? await this.#writeFreed(query, free) : []
    return new Map([
      ...free.map(({ task }, index) => [task.id, written[index] as Submitted] as const),
      ...refused.flatMap(({ task, key }) => {
        const holder = holders.get(key as string)
        return holder ? [[task.id, toReplay(task, holder)] as const] : []
      }),
    ])
  }

  /** A record that is over may still have its key, until it is swept. */
  async #writeFreed(query: Query, starts: readonly Start[]): Promise<readonly Submitted[]> {
    await query(this.#parts.sql['free-keys'], [toColumn(starts, ({ key }) => key)])
    return this.#write(query, starts, true)
  }

  #values(starts: readonly Start[]): string[] {
    const { queues, lease } = this.#parts
    const tasks = starts.map(({ task, taken }) => taken?.task ?? task)
    const column = (pick: (task: StoredTask) => Item): string => toColumn(tasks, pick)
    return [
      column(({ id }) => id),
      column(({ procedure }) => toText(procedure)),
      column(({ procedure }) => queues.nameOf(procedure)),
      column(ownerOf),
      toColumn(starts, ({ key }) => key),
      column(({ tags }) => tags && toArray(tags.map(toText))),
      column(({ priority }) => priority),
      column(({ createdAt }) => createdAt),
      column(({ runAt }) => runAt),
      column(({ deadlineAt }) => deadlineAt),
      column(({ status }) => status),
      column(({ attempt }) => attempt),
      toColumn(starts, ({ taken }) => taken?.lease as string | undefined),
      toColumn(starts, ({ taken }) => taken && lease),
      column(({ revision }) => revision),
      column(specOf),
      column(stateOf),
    ]
  }
}

const keyIsContended = (): EngineUnavailable =>
  new EngineUnavailable('The idempotency key was taken by a task that is gone by now: try again')

const toReplay = (task: StoredTask, holder: StoredTask): Submitted => ({
  kind: holder.inputDigest === task.inputDigest ? 'replayed' : 'conflict',
  task: holder,
})
