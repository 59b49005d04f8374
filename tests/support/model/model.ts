/**
 * What an engine must do, said once more and in the simplest way: as rules about each record that is written, and about
 * what there is when all is at rest. It leaves open which of several tasks that may run is taken, where no rule says so.
 */
import { deepStrictEqual, fail, ok, strictEqual } from 'node:assert/strict'
import { isFinished } from '../../../src/protocol/task.ts'
import { isAllowed } from '../../../src/tasks/lifecycle.ts'
import type { StoredTask } from '../../../src/tasks/stored-task.ts'
import type { Ending, Procedure } from './actions.ts'
import { GIVEN_BACK, KEEP, POLICIES, SLOTS, type World } from './world.ts'

type Known = StoredTask & { readonly procedure: Procedure }

/** Fields of a record; one that is undefined must be absent. */
export type Expected = { readonly [K in keyof StoredTask]?: StoredTask[K] | undefined } & {
  /** Of its error. */
  readonly code?: string
}

/** What is known of each task: the record as it was last written. */
export class Model {
  /** In the order of starts. */
  readonly tasks = new Map<string, Known>()
  readonly removed = new Set<string>()
  /** Until when a task rests that was given back. */
  readonly resting = new Map<string, number>()
  /** The task that is being revived by hand, which alone may leave an end. */
  reviving: string | undefined
  readonly #now: () => number

  constructor(now: () => number) {
    this.#now = now
  }

  /** Every write, in order. */
  wrote(task: StoredTask): void {
    const next = task as Known
    const before = this.tasks.get(next.id)
    if (before) this.#changed(before, next)
    else this.#created(next)
    if (next.status === 'running' && before?.status !== 'running') this.#began(next)
    this.tasks.set(next.id, next)
  }

  get running(): Known[] {
    return [...this.tasks.values()].filter(({ status }) => status === 'running')
  }

  get queued(): Known[] {
    return [...this.tasks.values()].filter(({ status }) => status === 'queued')
  }

  /** Whether a task is there for a reader. */
  exists(id: string): boolean {
    const { expiresAt = Infinity } = this.tasks.get(id) ?? { expiresAt: -Infinity }
    return expiresAt > this.#now() && !this.removed.has(id)
  }

  /** Who holds an idempotency key. */
  holderOf(procedure: Procedure, key: string): Known | undefined {
    return [...this.tasks.values()]
      .filter((task) => task.procedure === procedure && task.idempotencyKey === key && this.exists(task.id))
      .at(-1)
  }

  /** Rests end one by one. */
  isResting({ id }: Known): boolean {
    return (this.resting.get(id) ?? -Infinity) >= this.#now()
  }

  #created(task: Known): void {
    deepStrictEqual(
      [task.attempt, task.status, task.revision > 0],
      task.status === 'running' ? [1, 'running', true] : [0, 'queued', true],
      'a new task is queued, or runs for the first time',
    )
  }

  #changed(before: Known, next: Known): void {
    const { status } = next
    ok(next.revision > before.revision, `the revision rises: ${before.revision} → ${next.revision}`)
    ok(next.attempt <= next.maxAttempts, `attempt ${next.attempt} of ${next.maxAttempts}`)
    ok(
      status === before.status || isAllowed(before.status, status),
      `${before.status} does not become ${status}`,
    )
    if (isFinished(before.status)) strictEqual(next.id, this.reviving, 'an ended task is never changed')
    if (isFinished(status)) {
      strictEqual(next.finishedAt, this.#now())
      strictEqual(next.expiresAt, this.#now() + KEEP)
      strictEqual(next.runAt, undefined)
    }
    const began = status === 'running' && before.status === 'queued' ? 1 : 0
    const steps = began ? [1] : status === 'queued' && before.status === 'running' ? [0, -1] : [0]
    ok(steps.includes(next.attempt - before.attempt), `attempt ${before.attempt} → ${next.attempt}`)
    ok(next.maxAttempts === before.maxAttempts || next.id === this.reviving)
  }

  /** An attempt is to begin: in its time, and after those that are more urgent. */
  #began(task: Known): void {
    const now = this.#now()
    const before = this.tasks.get(task.id)
    ok((before?.runAt ?? 0) <= now, 'not before runAt')
    ok((task.deadlineAt ?? Infinity) > now, 'not after the deadline')
    const urgent = this.queued.filter(
      (other) =>
        other.id !== task.id &&
        other.procedure === task.procedure &&
        other.priority > task.priority &&
        (other.deadlineAt ?? Infinity) > now &&
        // It may come due a moment later, if not together with this one.
        (other.runAt !== now || before?.runAt === now) &&
        this.#isDue(other),
    )
    deepStrictEqual(urgent, [], 'no more urgent task of the procedure waits')
  }

  #alike({ procedure }: Known): Known[] {
    return this.running.filter((other) => other.procedure === procedure)
  }

  #isDue(task: Known): boolean {
    return (task.runAt ?? 0) <= this.#now() && !this.isResting(task)
  }

  /** Handlers that run at once; a record may still say so of one that has ended. */
  checkRoom(attempts: World['attempts']): void {
    ok(attempts.size <= SLOTS, `${attempts.size} attempts at once`)
    for (const [procedure, { concurrency }] of Object.entries(POLICIES)) {
      const alike = [...attempts.values()].filter(({ claim }) => claim.task.procedure === procedure)
      ok(alike.length <= concurrency, `${alike.length} attempts of ${procedure} at once`)
    }
  }

  /** When all is at rest: nothing waits that could run, nothing lives that is too late. */
  checkRest({ attempts, reports }: World): void {
    const now = this.#now()
    deepStrictEqual(reports, [], 'nothing went wrong that no caller was told')
    deepStrictEqual(
      new Set(attempts.keys()),
      new Set(this.running.map(({ id }) => id)),
      'what is written as running runs, and nothing else',
    )
    for (const task of this.queued) {
      if (!this.#isDue(task)) continue
      ok((task.deadlineAt ?? Infinity) > now, `task ${task.id} is past its deadline, and queued`)
      const isBlocked =
        this.running.length === SLOTS || this.#alike(task).length === POLICIES[task.procedure].concurrency
      ok(isBlocked, `task ${task.id} waits, and could run`)
    }
    for (const { id, deadlineAt = Infinity, cancelRequested = false } of this.running) {
      const { aborted } = attempts.get(id)!.claim.signal
      strictEqual(aborted, deadlineAt <= now || cancelRequested, `the signal of ${id}`)
    }
  }

  /** What there is to list, newest first. */
  get listed(): string[] {
    return [...this.tasks.keys()].filter((id) => this.exists(id)).toReversed()
  }

  /** How a running task must go on after an attempt that ended so. */
  after(task: Known, ending: Ending): Expected {
    const now = this.#now()
    const { onCrash, backoff } = POLICIES[task.procedure]
    if (ending === 'value') return { status: 'succeeded' }
    if (task.cancelRequested) return { status: 'cancelled', code: 'CANCELLED' }
    if (ending === 'returned') return { status: 'queued', attempt: task.attempt - 1 }
    const wait = backoff(task.attempt)
    const isWorthIt = ending === 'error' || (ending === 'lost' && onCrash === 'retry')
    const isInTime = task.deadlineAt === undefined || now + wait < task.deadlineAt
    if (isWorthIt && isInTime && task.attempt < task.maxAttempts)
      return { status: 'queued', runAt: wait === 0 ? undefined : now + wait }
    if ((task.deadlineAt ?? Infinity) <= now) return { status: 'failed', code: 'DEADLINE_EXCEEDED' }
    return { status: 'failed', code: CODES[ending] }
  }

  /** How a running task must go on whose process ended. */
  afterLoss(task: Known): Expected {
    if (task.cancelRequested) return { status: 'cancelled', code: 'CANCELLED' }
    const isWorthIt = POLICIES[task.procedure].onCrash === 'retry' && task.attempt < task.maxAttempts
    return isWorthIt ? { status: 'queued' } : { status: 'failed', code: 'WORKER_LOST' }
  }

  rests(id: string): void {
    this.resting.set(id, this.#now() + GIVEN_BACK)
  }

  task(id: string): Known {
    return this.tasks.get(id) ?? fail(`task ${id} is unknown`)
  }
}

const CODES = {
  error: 'INTERNAL_SERVER_ERROR',
  'callers-fault': 'BAD_REQUEST',
  lost: 'WORKER_LOST',
} as const
