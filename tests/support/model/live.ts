/** Lives one life of an engine, and holds it to the model at every step. */
import { deepStrictEqual, ok, partialDeepStrictEqual, rejects, strictEqual } from 'node:assert/strict'
import { errorData } from '../../../src/protocol/errors.ts'
import { isFinished } from '../../../src/protocol/task.ts'
import { EngineUnavailable } from '../../../src/tasks/engine.ts'
import type { Outcome } from '../../../src/tasks/executor.ts'
import type { StoredTask } from '../../../src/tasks/stored-task.ts'
import type { Action, Ending } from './actions.ts'
import { Model, type Expected } from './model.ts'
import { POLICIES, World } from './world.ts'

const OUTCOMES: Record<Ending, Outcome> = {
  value: { kind: 'value', value: 'ok' },
  error: { kind: 'error', error: errorData('INTERNAL_SERVER_ERROR', 'boom') },
  'callers-fault': { kind: 'error', error: errorData('BAD_REQUEST', 'bad') },
  lost: { kind: 'lost', reason: 'killed' },
  returned: { kind: 'returned' },
}

type Of<D extends Action['do']> = Extract<Action, { readonly do: D }>

/** One life. */
class Life {
  readonly #writes: StoredTask[] = []
  readonly #broken: unknown[] = []
  readonly #model: Model
  readonly #world: World

  constructor() {
    this.#world = new World({
      wrote: (task) => {
        this.#writes.push(task)
        this.#witness(() => this.#model.wrote(task))
      },
      began: () => this.#witness(() => this.#model.checkRoom(this.#world.attempts)),
    })
    this.#model = new Model(() => this.#world.clock.now())
  }

  async live(actions: readonly Action[]): Promise<void> {
    await this.#world.open()
    for (const action of actions) {
      await this.#act(action)
      await this.#world.pulse.settled()
      this.#rethrow()
      this.#model.checkRest(this.#world)
      await this.#checkReads()
    }
    await this.#toTheEnd()
  }

  /** What a rule says while the engine is at work is told when it is at rest. */
  #witness(check: () => void): void {
    try {
      check()
    } catch (error) {
      this.#broken.push(error)
    }
  }

  #rethrow(): void {
    for (const error of this.#broken) throw error
  }

  #act(action: Action): Promise<void> {
    switch (action.do) {
      case 'start':
        return this.#start(action)
      case 'end':
        return this.#end(action)
      case 'advance':
        return this.#world.clock.advance(action.ms)
      case 'crash':
      case 'close':
        return this.#lose(() => this.#world[action.do]())
      case 'outage':
        return this.#world.outage(() => this.#inOutage(action))
      default:
        return this.#onOne(action)
    }
  }

  async #start({ procedure, priority, delay, deadline, key }: Of<'start'>): Promise<void> {
    const now = this.#world.clock.now()
    const idempotencyKey = String(key)
    const holder = key === 0 ? undefined : this.#model.holderOf(procedure, idempotencyKey)
    const id = this.#world.newId()
    const { kind, task } = await this.#world.engine.submit({
      id,
      procedure,
      input: { id },
      maxAttempts: POLICIES[procedure].maxAttempts,
      owner: null,
      priority,
      ...(delay === 0 ? {} : { runAt: now + delay }),
      ...(deadline === 0 ? {} : { deadlineAt: now + deadline }),
      ...(key === 0 ? {} : { idempotencyKey, inputDigest: 'same' }),
    })
    deepStrictEqual([kind, task.id], holder ? ['replayed', holder.id] : ['created', id])
    ok(this.#model.exists(task.id), 'an acknowledged task is written')
  }

  /** Nothing is promised, and nothing forgotten. */
  async #inOutage({ pick, ending }: Of<'outage'>): Promise<void> {
    const id = this.#world.newId()
    const spec = { id, procedure: 'plain', input: { id }, maxAttempts: 3, owner: null, priority: 0 }
    await rejects(this.#world.engine.submit(spec), EngineUnavailable)
    for (const task of [...this.#model.queued, ...this.#model.running].slice(0, 2))
      if (!task.cancelRequested) await rejects(this.#world.engine.cancel(task.id), EngineUnavailable)
    ok(!this.#model.tasks.has(id), 'a refused task is not written')
    const attempts = [...this.#world.attempts.values()]
    attempts[pick % (attempts.length || 1)]?.end(OUTCOMES[ending])
  }

  async #end({ pick, ending }: Of<'end'>): Promise<void> {
    const attempts = [...this.#world.attempts.values()]
    const attempt = attempts[pick % (attempts.length || 1)]
    if (!attempt) return
    const { id } = attempt.claim.task
    const expected = this.#model.after(this.#model.task(id), ending)
    if (expected.status === 'queued' && ending === 'returned') this.#model.rests(id)
    await this.#writing(id, expected, async () => attempt.end(OUTCOMES[ending]))
  }

  async #onOne({ do: what, pick }: Of<'progress' | 'cancel' | 'retry' | 'remove'>): Promise<void> {
    const ids = [...this.#model.tasks.keys()]
    // The latest are the ones that something happens to.
    const id = ids.at(-1 - (pick % (ids.length || 1)))
    if (id !== undefined) await this[`_${what}`](id)
  }

  async _progress(id: string): Promise<void> {
    this.#world.attempts.get(id)?.claim.progress({ percent: 50 })
  }

  async _cancel(id: string): Promise<void> {
    const before = this.#model.task(id)
    const result = await this.#world.engine.cancel(id)
    if (!this.#model.exists(id) && !result) return
    strictEqual(result?.kind, before.status === 'running' ? 'requested' : 'settled')
    const status = before.status === 'queued' ? 'cancelled' : before.status
    strictEqual(this.#model.task(id).status, status)
    strictEqual(
      this.#model.task(id).cancelRequested ?? false,
      before.status === 'running' || (before.cancelRequested ?? false),
    )
  }

  async _retry(id: string): Promise<void> {
    const before = this.#model.task(id)
    const isThere = this.#model.exists(id)
    this.#model.reviving = id
    const result = await this.#world.engine.retry(id)
    this.#model.reviving = undefined
    if (!isThere) return strictEqual(result, undefined)
    if (before.status === 'succeeded') return strictEqual(result, 'succeeded')
    if (!isFinished(before.status)) return strictEqual(result, 'not-ended')
    const { maxAttempts } = POLICIES[before.procedure]
    partialDeepStrictEqual(result, {
      status: 'queued',
      attempt: before.attempt,
      maxAttempts: before.attempt + maxAttempts,
    })
  }

  async _remove(id: string): Promise<void> {
    const isThere = this.#model.exists(id)
    const isEnded = isFinished(this.#model.task(id).status)
    const result = await this.#world.engine.remove(id)
    strictEqual(result, isThere ? (isEnded ? 'removed' : 'not-ended') : 'unknown')
    if (result === 'removed') this.#model.removed.add(id)
  }

  /** The process ends: each attempt that ran is lost, and nothing else changes. */
  async #lose(end: () => Promise<void>): Promise<void> {
    const lost = this.#model.running.map((task) => [task.id, this.#model.afterLoss(task)] as const)
    const from = this.#writes.length
    this.#model.resting.clear()
    await end()
    for (const [id, expected] of lost) this.#expect(id, from, expected)
  }

  /** The next record that is written of a task. */
  async #writing(id: string, expected: Expected, act: () => Promise<void>): Promise<void> {
    const from = this.#writes.length
    await act()
    await this.#world.pulse.settled()
    this.#expect(id, from, expected)
  }

  #expect(id: string, from: number, { code, ...fields }: Expected): void {
    const next = this.#writes.slice(from).find((task) => task.id === id)
    ok(next, `nothing was written of task ${id}`)
    for (const [name, value] of Object.entries(fields))
      deepStrictEqual(next[name as keyof StoredTask], value, `${name} of task ${id}`)
    strictEqual(next.error?.code, code)
  }

  /** What readers are told is what was written. */
  async #checkReads(): Promise<void> {
    const listed: string[] = []
    let cursor: string | undefined
    do {
      const page = await this.#world.engine.list({ limit: 7, ...(cursor === undefined ? {} : { cursor }) })
      listed.push(...page.items.map(({ id }) => id))
      cursor = page.nextCursor
    } while (cursor !== undefined)
    deepStrictEqual(listed, this.#model.listed, 'every task is listed once, newest first')
    for (const [id, task] of this.#model.tasks) {
      const read = await this.#world.engine.get(id)
      strictEqual(read?.status, this.#model.exists(id) ? task.status : undefined)
    }
  }

  /** In the end every task ends. */
  async #toTheEnd(): Promise<void> {
    for (let round = 0; this.#model.queued.length + this.#model.running.length > 0; round += 1) {
      ok(round < 500, 'the tasks come to no end')
      for (const { end } of this.#world.attempts.values()) end(OUTCOMES.value)
      await this.#world.clock.advance(1000)
      this.#rethrow()
    }
  }
}

/** Rejects when the engine does anything that the model does not allow. */
export const live = (actions: readonly Action[]): Promise<void> => new Life().live(actions)
