/**
 * A shared queue in memory: the least that the port asks for, to show the engine of many hosts without a server. Leases
 * are real, pushes come in a later turn, and a host can be cut off as a killed process is.
 */
import { isFinished } from '../../../src/protocol/task.ts'
import type { CancelResult, Census, StoredPage, Submitted, TaskQuery } from '../../../src/tasks/engine.ts'
import { EngineUnavailable } from '../../../src/tasks/engine.ts'
import { takeCensus } from '../../../src/tasks/engines/census.ts'
import { TaskIndex } from '../../../src/tasks/engines/task-index.ts'
import { toEntry } from '../../../src/tasks/engines/entry.ts'
import type {
  FreshAttempts,
  QueueListener,
  Renewal,
  RulesOf,
  Said,
  Settled,
  SharedQueue,
  Taken,
} from '../../../src/tasks/engines/fleet/shared-queue.ts'
import {
  cancelled,
  cancelRequested,
  expired,
  recovered,
  requeued,
  started,
} from '../../../src/tasks/lifecycle.ts'
import type { StoredTask } from '../../../src/tasks/stored-task.ts'
import { encodeEnvelope } from '../../../src/tasks/stores/record-codec.ts'

interface Row {
  task: StoredTask
  leaseUntil: number
}

const LOST = -Infinity

/** What all hosts share. */
export class MemoryPlace {
  readonly rows = new Map<string, Row>()
  readonly keys = new Map<string, string>()
  readonly listeners = new Set<QueueListener>()

  /** Nobody's renewal saves it any more. */
  loseLease(id: string): void {
    const row = this.rows.get(id)
    if (row) row.leaseUntil = LOST
  }

  tell(say: (listener: QueueListener) => void): void {
    for (const listener of this.listeners) setImmediate(() => this.listeners.has(listener) && say(listener))
  }
}

/** One host's view of it. */
export class MemoryQueue implements SharedQueue {
  readonly name = 'memory fleet'
  readonly capabilities = { durable: 'process', multiHost: true, transactionalStart: false } as const
  readonly lease: number
  readonly #place: MemoryPlace
  #listener: QueueListener | undefined
  #procedures: readonly string[] = []
  #poll: NodeJS.Timeout | undefined
  #isCut = false

  constructor(place: MemoryPlace, lease = 300) {
    this.#place = place
    this.lease = lease
  }

  /** As a killed process: it says and hears nothing more. */
  cut(): void {
    this.#isCut = true
    this.#silence()
  }

  async open(listener: QueueListener): Promise<void> {
    this.#listener = {
      ...listener,
      available: (procedure) => this.#procedures.includes(procedure) && listener.available(procedure),
    }
    this.#place.listeners.add(this.#listener)
  }

  work(procedures: readonly string[]): void {
    this.#procedures = procedures
    const look = () => procedures.forEach((procedure) => this.#listener?.available(procedure))
    look()
    this.#poll = setInterval(look, 20)
  }

  async submit(task: StoredTask): Promise<Submitted> {
    await this.#turn()
    const scope = task.idempotencyKey && JSON.stringify([task.owner, task.procedure, task.idempotencyKey])
    const holder = scope ? this.#row(this.#place.keys.get(scope) ?? '') : undefined
    if (holder)
      return {
        kind: holder.task.inputDigest === task.inputDigest ? 'replayed' : 'conflict',
        task: holder.task,
      }
    this.#place.rows.set(task.id, { task: copy(task), leaseUntil: 0 })
    if (scope) this.#place.keys.set(scope, task.id)
    this.#place.tell((listener) => listener.available(task.procedure))
    return { kind: 'created', task }
  }

  async get(id: string): Promise<StoredTask | undefined> {
    await this.#turn()
    return this.#row(id)?.task
  }

  async list(query: TaskQuery): Promise<StoredPage> {
    await this.#turn()
    const index = new TaskIndex()
    for (const { task } of this.#place.rows.values()) index.add(task)
    const { entries, ...page } = index.list(query, Date.now())
    return { ...page, items: entries.map(({ id }) => this.#place.rows.get(id)!.task) }
  }

  async census(procedures: readonly string[]): Promise<readonly Census[]> {
    const entries = [...this.#place.rows.values()]
      .filter(({ task }) => !isFinished(task.status))
      .map(({ task }) => toEntry(task))
    return takeCensus(procedures, entries, Date.now())
  }

  async depth(): Promise<number> {
    return [...this.#place.rows.values()].filter(({ task }) => task.status === 'queued').length
  }

  async take(procedure: string, most: number, rulesOf: RulesOf): Promise<readonly Taken[]> {
    await this.#turn()
    const rows = [...this.#place.rows.values()].filter((row) => row.task.procedure === procedure)
    rows.sort((a, b) => b.task.priority - a.task.priority || a.task.createdAt - b.task.createdAt)
    const taken: Taken[] = []
    for (const row of rows) if (taken.length < most) taken.push(...this.#takeRow(row, rulesOf(procedure)))
    return taken
  }

  #takeRow(row: Row, rules: ReturnType<RulesOf>): Taken[] {
    const now = Date.now()
    if (row.task.status === 'running' && row.leaseUntil <= now)
      this.#move(row, recovered(row.task, { now, rules, reason: 'Its host was lost' }))
    if (row.task.status !== 'queued') return []
    if ((row.task.deadlineAt ?? Infinity) <= now) this.#move(row, expired(row.task, now, rules.keep))
    if (isFinished(row.task.status) || (row.task.runAt ?? 0) > now) return []
    this.#write(row, started(row.task, now))
    row.leaseUntil = now + this.lease
    return [{ task: row.task, lease: row.task.attempt }]
  }

  async renew(taken: readonly Taken[]): Promise<readonly Renewal[]> {
    await this.#turn()
    return taken.map(({ task, lease }) => {
      const row = this.#held(task.id, lease)
      if (!row) return 'lost'
      row.leaseUntil = Date.now() + this.lease
      return row.task.cancelRequested ? 'stop' : 'held'
    })
  }

  async settle({ task, lease }: Taken, next: StoredTask): Promise<Settled> {
    encodeEnvelope({ value: next })
    await this.#turn()
    const row = this.#held(task.id, lease)
    if (!row) return false
    if (row.task.cancelRequested && !next.cancelRequested && next.status !== 'succeeded') return 'stop'
    this.#write(row, { ...next, revision: Math.max(next.revision, row.task.revision + 1) })
    if (next.status === 'queued') this.#place.tell((listener) => listener.available(next.procedure))
    return true
  }

  async report({ task: { id }, lease }: Taken, { progress, logs }: Said): Promise<void> {
    const row = this.#held(id, lease)
    if (!row || this.#isCut) return
    for (const log of logs) this.#place.tell((listener) => listener.log(id, log))
    if (progress === undefined) return
    row.task = { ...row.task, progress, revision: row.task.revision + 1 }
    this.#place.tell((listener) => listener.progress(id, progress))
  }

  async cancel(id: string, keep: number): Promise<CancelResult | undefined> {
    await this.#turn()
    const row = this.#row(id)
    if (!row) return undefined
    if (row.task.status === 'queued') this.#move(row, cancelled(row.task, Date.now(), keep))
    if (isFinished(row.task.status)) return { kind: 'settled', task: row.task }
    this.#write(row, cancelRequested(row.task))
    this.#place.tell((listener) => listener.cancelRequested(id))
    return { kind: 'requested', task: row.task }
  }

  async retry(id: string, fresh: FreshAttempts): Promise<StoredTask | 'not-ended' | 'succeeded' | undefined> {
    await this.#turn()
    const row = this.#row(id)
    if (!row) return undefined
    if (row.task.status === 'succeeded') return 'succeeded'
    if (!isFinished(row.task.status)) return 'not-ended'
    this.#write(row, requeued(row.task, Date.now(), fresh))
    this.#place.tell((listener) => listener.available(row.task.procedure))
    return row.task
  }

  async check(): Promise<void> {
    await this.#turn()
  }

  async remove(id: string): Promise<'removed' | 'not-ended' | 'unknown'> {
    await this.#turn()
    const row = this.#row(id)
    if (!row) return 'unknown'
    if (!isFinished(row.task.status)) return 'not-ended'
    this.#place.rows.delete(id)
    return 'removed'
  }

  async close(): Promise<void> {
    this.#silence()
  }

  #silence(): void {
    clearInterval(this.#poll)
    if (this.#listener) this.#place.listeners.delete(this.#listener)
  }

  #row(id: string): Row | undefined {
    const row = this.#place.rows.get(id)
    return row && (row.task.expiresAt ?? Infinity) > Date.now() ? row : undefined
  }

  #held(id: string, lease: unknown): Row | undefined {
    const row = this.#row(id)
    const isHeld = row?.task.status === 'running' && row.task.attempt === lease && row.leaseUntil !== LOST
    return isHeld ? row : undefined
  }

  /** Of its own accord. */
  #move(row: Row, next: StoredTask): void {
    const before = row.task
    this.#write(row, next)
    this.#listener?.wrote(before, next)
  }

  #write(row: Row, next: StoredTask): void {
    row.task = next
    this.#place.tell((listener) => listener.changed(next.id))
  }

  async #turn(): Promise<void> {
    await new Promise(setImmediate)
    if (this.#isCut) throw new EngineUnavailable('This host was cut off')
  }
}

const copy = (task: StoredTask): StoredTask => JSON.parse(JSON.stringify(task)) as StoredTask
