/** What every engine must do, whatever it is made of. A skipped case carries its reason. */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { isFinished } from '../../src/protocol/task.ts'
import {
  EngineUnavailable,
  type EngineEvent,
  type TaskEngine,
  type TaskSpec,
} from '../../src/tasks/engine.ts'
import { createTaskId } from '../../src/tasks/id.ts'
import type { StoredTask } from '../../src/tasks/stored-task.ts'
import { FakeHost, createGate, failure, lost, returned, untilAborted, value } from './engine-fake-host.ts'

/** One place where tasks live, and engines over it. */
export interface EnginePlace {
  /** An engine over what is there. Its queue takes at most 1000. */
  create(): Promise<TaskEngine>
  /** Ends the last engine as a killed process would: the next one finds what was acknowledged. */
  crash(): Promise<void> | void
  dispose(): Promise<void> | void
}

export interface SuiteOptions {
  /** Titles of cases that can't hold, with the reason. */
  readonly skip?: Readonly<Record<string, string>>
}

const spec = (procedure: string, extra: Partial<TaskSpec> = {}): TaskSpec => ({
  id: createTaskId(),
  procedure,
  input: { n: 1 },
  maxAttempts: 3,
  owner: null,
  priority: 0,
  ...extra,
})

const never = () => new Promise<never>(() => {})

export const engineSuite = (
  name: string,
  make: () => EnginePlace | Promise<EnginePlace>,
  { skip = {} }: SuiteOptions = {},
): void => {
  const test = (title: string, body: () => Promise<void>) =>
    title in skip ? it.skip(`${title} (${skip[title]})`, body) : it(title, body)

  describe(`engine: ${name}`, () => {
    let place: EnginePlace
    let engine: TaskEngine
    let host: FakeHost
    const engines: TaskEngine[] = []

    const open = async (nextHost: FakeHost) => {
      host = nextHost
      engine = await place.create()
      engines.push(engine)
      await engine.open(host)
      engine.work(host.procedures)
    }
    const restart = async (nextHost: FakeHost) => {
      await place.crash()
      await open(nextHost)
    }
    const start = async (procedure: string, extra?: Partial<TaskSpec>): Promise<StoredTask> =>
      (await engine.submit(spec(procedure, extra))).task
    const until = async (id: string, isSo: (task: StoredTask) => boolean): Promise<StoredTask> => {
      for (const giveUpAt = Date.now() + 5000; Date.now() < giveUpAt; await sleep(2)) {
        const task = await engine.get(id)
        if (task && isSo(task)) return task
      }
      throw new Error(`Task ${id} is ${JSON.stringify(await engine.get(id))}`)
    }
    const end = (id: string) => until(id, ({ status }) => isFinished(status))
    const running = (id: string) => until(id, ({ status }) => status === 'running')
    const watch = (id: string, after?: string, signal = new AbortController().signal) =>
      engine.events(id, { signal, ...(after === undefined ? {} : { after }) })
    const collect = async (events: AsyncIterable<EngineEvent>): Promise<EngineEvent[]> => {
      const all = []
      for await (const event of events) all.push(event)
      return all
    }

    beforeEach(async () => {
      place = await make()
    })
    afterEach(async () => {
      await Promise.all(engines.splice(0).map((each) => each.close()))
      await place.dispose()
    })

    describe('running', () => {
      test('runs a task to its end and keeps its result', async () => {
        await open(new FakeHost().on('add', () => value({ sum: 3 })))
        const submitted = await engine.submit(spec('add', { tags: ['a'], carried: { user: 7 } }))
        expect(submitted).toMatchObject({ kind: 'created', task: { status: 'queued', attempt: 0 } })
        const task = await end(submitted.task.id)
        expect(task).toMatchObject({ status: 'succeeded', attempt: 1, result: { sum: 3 }, tags: ['a'] })
        expect(task.attempts).toMatchObject([
          { n: 1, startedAt: expect.any(Number), finishedAt: expect.any(Number) },
        ])
        expect(host.claims[0]!.task).toMatchObject({ input: { n: 1 }, carried: { user: 7 }, attempt: 1 })
      })

      test('an acknowledged task can be read at once', async () => {
        await open(new FakeHost().on('slow', never))
        const { id } = await start('slow')
        expect(await engine.get(id)).toMatchObject({ id, procedure: 'slow' })
      })

      test('an attempt is written before its handler runs', async () => {
        const seen: unknown[] = []
        await open(
          new FakeHost().on('look', async ({ task }) => {
            seen.push(await engine.get(task.id))
            return value(null)
          }),
        )
        await end((await start('look')).id)
        expect(seen).toMatchObject([{ status: 'running', attempt: 1, attempts: [{ n: 1 }] }])
      })

      test('does not run before runAt', async () => {
        await open(new FakeHost().on('later', () => value(Date.now())))
        const runAt = Date.now() + 120
        const { id } = await start('later', { runAt })
        expect(await engine.get(id)).toMatchObject({ status: 'queued', runAt })
        const { result, runAt: left } = await end(id)
        expect(result).toBeGreaterThanOrEqual(runAt)
        expect(left).toBeUndefined()
      })

      test('runs by priority, then in the order of starts', async () => {
        const gate = createGate()
        await open(
          new FakeHost(1).on('first', () => gate.wait.then(() => value(1))).on('next', () => value(2)),
        )
        await start('first')
        const ids: string[] = []
        for (const priority of [0, 5, -5, 5]) ids.push((await start('next', { priority })).id)
        gate.open()
        await Promise.all(ids.map(end))
        const order = host.claims.slice(1).map(({ task }) => ids.indexOf(task.id))
        expect(order).toEqual([1, 3, 0, 2])
      })

      test('runs no more of a procedure at once than its concurrency, and holds up no other', async () => {
        let most = 0
        let now = 0
        const busy = async () => {
          most = Math.max(most, ++now)
          await sleep(20)
          now -= 1
          return value(null)
        }
        await open(new FakeHost().on('few', busy, { concurrency: 2 }).on('many', () => value(null)))
        const few = await Promise.all(Array.from({ length: 6 }, () => start('few')))
        await end((await start('many')).id)
        expect(await engine.get(few.at(-1)!.id)).toMatchObject({ status: 'queued' })
        await Promise.all(few.map(({ id }) => end(id)))
        expect(most).toBe(2)
      })

      test('leaves a task of an unknown procedure queued', async () => {
        await open(new FakeHost().on('known', () => value(1)))
        const { id } = await start('unknown')
        await end((await start('known')).id)
        expect(await engine.get(id)).toMatchObject({ status: 'queued', attempt: 0 })
      })

      test('refuses a start when the queue is full', async () => {
        await open(new FakeHost())
        await Promise.all(Array.from({ length: 1000 }, () => start('unknown')))
        await expect(start('unknown')).rejects.toThrow(EngineUnavailable)
        await expect(start('unknown')).rejects.toThrow('queueLimit')
      })

      test('a result that JSON can not hold ends as OUTPUT_INVALID', async () => {
        await open(new FakeHost().on('big', () => value(1n), { retry: { attempts: 1 } }))
        const task = await end((await start('big', { maxAttempts: 1 })).id)
        expect(task).toMatchObject({ status: 'failed', error: { code: 'OUTPUT_INVALID', status: 500 } })
      })
    })

    describe('failing', () => {
      test('runs again until the attempts are used', async () => {
        await open(new FakeHost().on('bad', () => failure()))
        const task = await end((await start('bad')).id)
        expect(task).toMatchObject({ status: 'failed', attempt: 3, error: { message: 'boom' } })
        expect(task.attempts.map(({ n, error }) => [n, error?.message])).toEqual(
          [1, 2, 3].map((n) => [n, 'boom']),
        )
      })

      test('waits as the backoff says, queued with runAt', async () => {
        const backoff = { initial: 80, backoff: 'fixed' } as const
        await open(
          new FakeHost().on('bad', ({ task }) => (task.attempt < 2 ? failure() : value(1)), {
            retry: backoff,
          }),
        )
        const { id } = await start('bad')
        const waiting = await until(id, ({ status, attempt }) => status === 'queued' && attempt === 1)
        expect(waiting.runAt).toBeGreaterThan(Date.now())
        const { attempts } = await end(id)
        expect(attempts[1]!.startedAt - attempts[0]!.finishedAt!).toBeGreaterThanOrEqual(79)
      })

      test('waits as the error says', async () => {
        await open(
          new FakeHost().on('busy', ({ task }) =>
            task.attempt < 2 ? failure('later', { retryAfter: 0.1 }) : value(1),
          ),
        )
        const { attempts } = await end((await start('busy')).id)
        expect(attempts[1]!.startedAt - attempts[0]!.finishedAt!).toBeGreaterThanOrEqual(99)
      })

      test('does not run again what can not succeed', async () => {
        await open(
          new FakeHost()
            .on('input', () => failure('bad input', { code: 'BAD_REQUEST', status: 400 }))
            .on('declared', () => failure('sold out', { code: 'OUT_OF_STOCK', status: 500, declared: true })),
        )
        for (const procedure of ['input', 'declared'])
          expect(await end((await start(procedure)).id)).toMatchObject({ status: 'failed', attempt: 1 })
      })

      test('a lost worker counts as an attempt', async () => {
        await open(new FakeHost().on('fragile', ({ task }) => (task.attempt < 2 ? lost : value('ok'))))
        const task = await end((await start('fragile')).id)
        expect(task).toMatchObject({ status: 'succeeded', attempt: 2 })
        expect(task.attempts[0]!.error).toMatchObject({ code: 'WORKER_LOST', status: 500 })
      })

      test('a lost worker ends the task where onCrash says so', async () => {
        await open(new FakeHost().on('once', () => lost, { onCrash: 'fail' }))
        expect(await end((await start('once')).id)).toMatchObject({
          status: 'failed',
          attempt: 1,
          error: { code: 'WORKER_LOST', internal: { message: 'killed' } },
        })
      })

      test('an attempt that never began does not count', async () => {
        let calls = 0
        await open(new FakeHost().on('back', () => (++calls < 3 ? returned : value('ok'))))
        const task = await end((await start('back')).id)
        expect(task).toMatchObject({ status: 'succeeded', attempt: 1, attempts: [{ n: 1 }] })
        expect(calls).toBe(3)
      })

      test('a host that breaks its promise loses the attempt, not the task', async () => {
        await open(
          new FakeHost().on('odd', ({ task }) => {
            if (task.attempt < 2) throw new Error('not promised')
            return value('ok')
          }),
        )
        expect(await end((await start('odd')).id)).toMatchObject({ status: 'succeeded', attempt: 2 })
        expect(host.reports).toHaveLength(1)
      })

      test('ends a queued task at its deadline', async () => {
        await open(new FakeHost().on('late', () => value(1)))
        const now = Date.now()
        const { id } = await start('late', { runAt: now + 60_000, deadlineAt: now + 60 })
        expect(await end(id)).toMatchObject({
          status: 'failed',
          attempt: 0,
          error: { code: 'DEADLINE_EXCEEDED', status: 504 },
        })
      })

      test('stops a running task at its deadline', async () => {
        await open(new FakeHost().on('late', untilAborted(failure('stopped'))))
        const task = await end((await start('late', { deadlineAt: Date.now() + 60 })).id)
        expect(task).toMatchObject({ status: 'failed', attempt: 1, error: { code: 'DEADLINE_EXCEEDED' } })
        expect(host.claims[0]!.signal.reason).toMatchObject({ name: 'DEADLINE_EXCEEDED' })
      })
    })

    describe('idempotency', () => {
      test('a hundred starts with one key at once make one task', async () => {
        await open(new FakeHost().on('pay', () => value('paid')))
        const all = await Promise.all(
          Array.from({ length: 100 }, () =>
            engine.submit(spec('pay', { idempotencyKey: 'k', inputDigest: 'd' })),
          ),
        )
        expect(new Set(all.map(({ task }) => task.id)).size).toBe(1)
        expect(all.filter(({ kind }) => kind === 'created')).toHaveLength(1)
        expect(all.filter(({ kind }) => kind === 'replayed')).toHaveLength(99)
        await end(all[0]!.task.id)
        expect(host.claims).toHaveLength(1)
      })

      test('the same key with another input is a conflict', async () => {
        await open(new FakeHost().on('pay', () => value('paid')))
        const { id } = await start('pay', { idempotencyKey: 'k', inputDigest: 'one' })
        const again = await engine.submit(spec('pay', { idempotencyKey: 'k', inputDigest: 'two' }))
        expect(again).toMatchObject({ kind: 'conflict', task: { id } })
      })

      test('a key is the owner’s and the procedure’s', async () => {
        await open(new FakeHost().on('pay', () => value(1)).on('ship', () => value(1)))
        const key = { idempotencyKey: 'k', inputDigest: 'd' }
        const specs = [spec('pay', key), spec('ship', key), spec('pay', { ...key, owner: 'ann' })]
        const kinds = await Promise.all(specs.map(async (each) => (await engine.submit(each)).kind))
        expect(kinds).toEqual(['created', 'created', 'created'])
      })

      test('a key still stands for an ended task, and for none once that is removed', async () => {
        await open(new FakeHost().on('pay', () => value('paid')))
        const key = { idempotencyKey: 'k', inputDigest: 'd' }
        const { id } = await start('pay', key)
        await end(id)
        expect(await engine.submit(spec('pay', key))).toMatchObject({
          kind: 'replayed',
          task: { id, status: 'succeeded', result: 'paid' },
        })
        await engine.remove(id)
        expect(await engine.submit(spec('pay', key))).toMatchObject({ kind: 'created' })
      })
    })

    describe('cancelling', () => {
      test('a queued task never runs', async () => {
        await open(new FakeHost().on('later', () => value(1)))
        const { id } = await start('later', { runAt: Date.now() + 500 })
        expect(await engine.cancel(id)).toMatchObject({
          kind: 'settled',
          task: { status: 'cancelled', error: { code: 'CANCELLED', status: 409 } },
        })
        await sleep(530)
        expect(host.claims).toHaveLength(0)
      })

      test('a running task is told, and is cancelled when it stops', async () => {
        await open(new FakeHost().on('long', untilAborted(failure('stopped'))))
        const { id } = await start('long')
        await running(id)
        expect(await engine.cancel(id)).toMatchObject({
          kind: 'requested',
          task: { status: 'running', cancelRequested: true },
        })
        expect(await end(id)).toMatchObject({ status: 'cancelled', attempt: 1, error: { code: 'CANCELLED' } })
        expect(host.claims[0]!.signal.reason).toMatchObject({ name: 'Cancelled' })
      })

      test('a task that ends well all the same has succeeded', async () => {
        await open(new FakeHost().on('long', untilAborted(value('done'))))
        const { id } = await start('long')
        await running(id)
        await engine.cancel(id)
        expect(await end(id)).toMatchObject({ status: 'succeeded', result: 'done' })
      })

      test('a killed one is cancelled, not run again', async () => {
        await open(new FakeHost().on('deaf', untilAborted(lost)))
        const { id } = await start('deaf')
        await running(id)
        await engine.cancel(id)
        expect(await end(id)).toMatchObject({ status: 'cancelled', attempt: 1 })
      })

      test('an ended task stays as it is, an unknown one is unknown', async () => {
        await open(new FakeHost().on('add', () => value(3)))
        const { id } = await start('add')
        const task = await end(id)
        expect(await engine.cancel(id)).toEqual({ kind: 'settled', task })
        expect(await engine.cancel(createTaskId())).toBeUndefined()
      })

      test('a cancel at any moment settles the task', async () => {
        await open(new FakeHost(2).on('long', untilAborted(failure())))
        const ids = await Promise.all(Array.from({ length: 40 }, async () => (await start('long')).id))
        await Promise.all(ids.map((id) => engine.cancel(id)))
        for (const id of ids) expect(await end(id)).toMatchObject({ status: 'cancelled' })
      })
    })

    describe('retrying by hand', () => {
      test('a failed task runs again with fresh attempts', async () => {
        let works = false
        await open(new FakeHost().on('flaky', () => (works ? value('ok') : failure())))
        const { id } = await start('flaky')
        await end(id)
        works = true
        expect(await engine.retry(id)).toMatchObject({ status: 'queued', attempt: 3, maxAttempts: 6 })
        const task = await end(id)
        expect(task).toMatchObject({ status: 'succeeded', attempt: 4, result: 'ok' })
        expect(task.error).toBeUndefined()
      })

      test('says why it can not', async () => {
        await open(new FakeHost().on('add', () => value(3)).on('long', untilAborted(value(1))))
        const added = await start('add')
        await end(added.id)
        expect(await engine.retry(added.id)).toBe('succeeded')
        expect(await engine.retry((await start('long')).id)).toBe('not-ended')
        expect(await engine.retry(createTaskId())).toBeUndefined()
      })

      test('two at once queue it once', async () => {
        await open(new FakeHost().on('bad', () => failure('no', { code: 'CONFLICT', status: 409 })))
        const { id } = await start('bad')
        await end(id)
        const results = await Promise.all([engine.retry(id), engine.retry(id)])
        expect(results.filter((result) => result !== 'not-ended')).toHaveLength(1)
        expect(await end(id)).toMatchObject({ status: 'failed', attempt: 2 })
      })
    })

    describe('forgetting', () => {
      test('removes ended tasks only', async () => {
        await open(new FakeHost().on('add', () => value(3)).on('long', untilAborted(value(1))))
        const { id } = await start('add')
        await end(id)
        expect(await engine.remove(id)).toBe('removed')
        expect(await engine.get(id)).toBeUndefined()
        expect(await engine.remove(id)).toBe('unknown')
        expect(await engine.remove((await start('long')).id)).toBe('not-ended')
      })

      test('an ended task is gone when its time is over', async () => {
        await open(new FakeHost().on('brief', () => value(3), { keep: 100 }))
        const key = { idempotencyKey: 'k', inputDigest: 'd' }
        const { id } = await start('brief', key)
        await end(id)
        await sleep(120)
        expect(await engine.get(id)).toBeUndefined()
        expect((await engine.list({ limit: 10 })).items).toEqual([])
        expect(await engine.submit(spec('brief', key))).toMatchObject({ kind: 'created' })
      })
    })

    describe('listing', () => {
      test('gives the newest first, page by page', async () => {
        await open(new FakeHost().on('add', () => value(3)))
        const ids = []
        for (let n = 0; n < 5; n++) ids.unshift((await start('add')).id)
        await Promise.all(ids.map(end))
        const seen: string[] = []
        let cursor: string | undefined
        do {
          const page = await engine.list({ limit: 2, ...(cursor === undefined ? {} : { cursor }) })
          seen.push(...page.items.map(({ id }) => id))
          cursor = page.nextCursor
        } while (cursor !== undefined)
        expect(seen).toEqual(ids)
      })

      test('filters by procedure, status, tag and owner', async () => {
        await open(new FakeHost().on('add', () => value(3)).on('bad', () => failure('no', { status: 400 })))
        const a = await start('add', { tags: ['x', 'y'], owner: 'ann' })
        const b = await start('bad', { tags: ['y'], owner: 'bob' })
        const c = await start('add')
        await Promise.all([a, b, c].map(({ id }) => end(id)))
        const ids = async (query: object) =>
          (await engine.list({ limit: 9, ...query })).items.map(({ id }) => id)
        expect(await ids({ procedure: 'add' })).toEqual([c.id, a.id])
        expect(await ids({ status: 'failed' })).toEqual([b.id])
        expect(await ids({ tag: 'y' })).toEqual([b.id, a.id])
        expect(await ids({ owner: 'ann', tag: 'y' })).toEqual([a.id])
        expect(await ids({ owner: 'eve' })).toEqual([])
      })

      test('refuses a cursor that no page gave', async () => {
        await open(new FakeHost())
        await expect(engine.list({ limit: 9, cursor: '???' })).rejects.toMatchObject({ code: 'BAD_REQUEST' })
      })
    })

    describe('watching', () => {
      const types = (events: readonly EngineEvent[]) => events.map(({ type }) => type)

      test('tells everything from the present state to the end', async () => {
        const gate = createGate()
        const script = async ({ progress, log }: { progress(p: unknown): void; log(l: object): void }) => {
          await gate.wait
          progress({ percent: 50 })
          log({ level: 'info', message: 'half', at: 'now' })
          return value('ok')
        }
        await open(new FakeHost().on('long', script))
        const { id } = await start('long')
        await running(id)
        const events = collect(watch(id))
        await sleep(20)
        gate.open()
        const all = await events
        expect(types(all)).toEqual(['state', 'progress', 'log', 'done'])
        expect(all[0]).toMatchObject({ task: { status: 'running' } })
        expect(all[1]).toMatchObject({ progress: { percent: 50 } })
        expect(all[3]).toMatchObject({
          task: { status: 'succeeded', result: 'ok', progress: { percent: 50 } },
        })
        expect(new Set(all.map(({ seq }) => seq)).size).toBe(4)
      })

      test('leaves out progress that JSON can not hold, and says so', async () => {
        await open(
          new FakeHost().on('odd', ({ progress }) => {
            progress({ percent: 10 })
            progress({ percent: 20n })
            return value('ok')
          }),
        )
        const task = await end((await start('odd')).id)
        expect(task).toMatchObject({ status: 'succeeded', progress: { percent: 10 } })
        expect(host.reports).toHaveLength(1)
      })

      test('tells of retries', async () => {
        const gate = createGate()
        await open(
          new FakeHost().on('flaky', ({ task }) =>
            task.attempt < 2 ? gate.wait.then(() => failure()) : value('ok'),
          ),
        )
        const { id } = await start('flaky')
        await running(id)
        const events = collect(watch(id))
        await sleep(10)
        gate.open()
        const states = (await events).map((event) => ('task' in event ? event.task.status : event.type))
        expect(states).toEqual(['running', 'queued', 'running', 'succeeded'])
      })

      test('an ended task tells its state and that it is done, an unknown one nothing', async () => {
        await open(new FakeHost().on('add', () => value(3)))
        const { id } = await start('add')
        await end(id)
        const all = await collect(watch(id))
        expect(types(all)).toEqual(['state', 'done'])
        expect(await collect(watch(id, all[0]!.seq))).toMatchObject([{ type: 'done' }])
        expect(await collect(watch(id, all[1]!.seq))).toEqual([])
        expect(await collect(watch(createTaskId()))).toEqual([])
      })

      test('goes on after the last event seen, without a gap', async () => {
        const gates = [createGate(), createGate()]
        await open(
          new FakeHost().on('long', async ({ progress }) => {
            progress(1)
            await gates[0]!.wait
            progress(2)
            progress(3)
            await gates[1]!.wait
            return value('ok')
          }),
        )
        const { id } = await start('long')
        await running(id)
        const first = watch(id)[Symbol.asyncIterator]()
        expect((await first.next()).value).toMatchObject({ type: 'state' })
        gates[0]!.open()
        const seen = (await first.next()).value as EngineEvent
        expect(seen).toMatchObject({ type: 'progress', progress: 2 })
        await first.return?.()
        await sleep(10)
        const rest = collect(watch(id, seen.seq))
        gates[1]!.open()
        const missed = await rest
        expect(missed).toMatchObject([{ type: 'progress', progress: 3 }, { type: 'done' }])
        expect(await collect(watch(id, seen.seq))).toEqual(missed)
      })

      test('begins anew with a gap after an event it does not know', async () => {
        const gate = createGate()
        await open(new FakeHost().on('long', () => gate.wait.then(() => value(1))))
        const { id } = await start('long')
        await running(id)
        const events = collect(watch(id, 'other.7'))
        await sleep(10)
        gate.open()
        expect(types(await events)).toEqual(['gap', 'state', 'done'])
      })

      test('a watcher that is too slow meets a gap, the state after it, and then the latest events', async () => {
        const gate = createGate()
        await open(
          new FakeHost().on('chatty', async ({ progress }) => {
            await gate.wait
            for (let n = 1; n <= 5000; n++) progress(n)
            return value('ok')
          }),
        )
        const { id } = await start('chatty')
        await running(id)
        const events = watch(id)[Symbol.asyncIterator]()
        await events.next()
        gate.open()
        await end(id)
        const all: EngineEvent[] = []
        for (let next = await events.next(); !next.done; next = await events.next()) all.push(next.value)
        expect(types(all).slice(0, 2)).toEqual(['gap', 'state'])
        expect(new Set(all.map(({ seq }) => seq)).size).toBe(all.length)
        expect(all.at(-2)).toMatchObject({ type: 'progress', progress: 5000 })
        expect(all.at(-1)).toMatchObject({ type: 'done' })
      })

      test('stops when its signal aborts', async () => {
        await open(new FakeHost().on('long', untilAborted(value(1))))
        const { id } = await start('long')
        const abort = new AbortController()
        const events = collect(watch(id, undefined, abort.signal))
        await running(id)
        abort.abort()
        expect(types(await events).includes('done')).toBe(false)
      })

      test('the revision rises with every change', async () => {
        const gate = createGate()
        await open(
          new FakeHost().on('long', async ({ progress, task }) => {
            await gate.wait
            progress(1)
            return task.attempt < 2 ? failure() : value('ok')
          }),
        )
        const { id } = await start('long')
        const events = collect(watch(id))
        await running(id)
        gate.open()
        const revisions = (await events).flatMap((event) => ('task' in event ? [event.task.revision] : []))
        expect(revisions).toEqual([...new Set(revisions)].sort((a, b) => a - b))
      })
    })

    describe('stopping', () => {
      test('a drain takes nothing new and waits for what runs', async () => {
        const gate = createGate()
        await open(new FakeHost(1).on('long', () => gate.wait.then(() => value('ok'))))
        const { id } = await start('long')
        await running(id)
        const waiting = await start('long')
        const drained = engine.drain(5000)
        await expect(start('long')).rejects.toThrow(EngineUnavailable)
        gate.open()
        await drained
        expect(await engine.get(id)).toMatchObject({ status: 'succeeded' })
        expect(await engine.get(waiting.id)).toMatchObject({ status: 'queued', attempt: 0 })
      })

      test('a drain gives back what does not end in time', async () => {
        await open(
          new FakeHost()
            .on('heeding', untilAborted(failure('aborted')))
            .on('deaf', never, { cancelGrace: 20 }),
        )
        const heeding = await start('heeding')
        const deaf = await start('deaf')
        await Promise.all([running(heeding.id), running(deaf.id)])
        await engine.drain(20)
        for (const { id } of [heeding, deaf])
          expect(await engine.get(id)).toMatchObject({
            status: 'queued',
            attempt: 1,
            attempts: [{ error: { code: 'WORKER_LOST' } }],
          })
        expect(host.claims[0]!.signal.reason).toMatchObject({ name: 'Draining' })
      })

      test('the outcome of an attempt that was given back changes nothing', async () => {
        const gate = createGate()
        await open(new FakeHost().on('deaf', () => gate.wait.then(() => value('late')), { cancelGrace: 10 }))
        const { id } = await start('deaf')
        await running(id)
        await engine.drain(10)
        const before = await engine.get(id)
        host.claims[0]!.progress(99)
        gate.open()
        await sleep(20)
        expect(await engine.get(id)).toEqual(before)
      })

      test('a drained engine lets watchers go, before or after, and still reads', async () => {
        await open(new FakeHost(1).on('deaf', never, { cancelGrace: 10 }))
        const runs = await start('deaf')
        const waits = await start('deaf')
        await running(runs.id)
        const watching = [runs, waits].map(({ id }) => collect(watch(id)))
        await engine.drain(10)
        for (const events of await Promise.all(watching)) expect(types(events)).not.toContain('done')
        expect(types(await collect(watch(waits.id)))).toEqual(['state'])
        expect(await engine.get(runs.id)).toMatchObject({ status: 'queued', attempt: 1 })
        expect((await engine.list({ limit: 10 })).items).toHaveLength(2)
      })

      test('closing ends watchers, and later calls are refused', async () => {
        await open(new FakeHost().on('long', untilAborted(value(1))))
        const { id } = await start('unknown')
        const events = collect(watch(id))
        await sleep(10)
        await Promise.all([engine.close(), engine.close()])
        expect(types(await events)).toEqual(['state'])
        await expect(engine.get(id)).rejects.toThrow(EngineUnavailable)
        await expect(start('long')).rejects.toThrow(EngineUnavailable)
      })

      test('opening twice is opening once', async () => {
        await open(new FakeHost().on('add', () => value(3)))
        await engine.open(host)
        await end((await start('add')).id)
        expect(host.claims).toHaveLength(1)
      })

      const types = (events: readonly EngineEvent[]) => events.map(({ type }) => type)
    })

    describe('after a crash', () => {
      test('what was queued runs', async () => {
        await open(new FakeHost())
        const ids = await Promise.all(Array.from({ length: 20 }, async () => (await start('add')).id))
        await restart(new FakeHost().on('add', () => value(3)))
        for (const id of ids) expect(await end(id)).toMatchObject({ status: 'succeeded', attempt: 1 })
      })

      test('what ran runs again, and the lost attempt counts', async () => {
        await open(new FakeHost().on('long', never))
        const { id } = await start('long')
        await running(id)
        await restart(new FakeHost().on('long', () => value('ok')))
        const task = await end(id)
        expect(task).toMatchObject({ status: 'succeeded', attempt: 2 })
        expect(task.attempts[0]!.error).toMatchObject({ code: 'WORKER_LOST' })
      })

      test('what ran is lost where onCrash says so, or no attempt is left', async () => {
        await open(new FakeHost().on('once', never, { onCrash: 'fail' }).on('last', never))
        const ids = [(await start('once')).id, (await start('last', { maxAttempts: 1 })).id]
        await Promise.all(ids.map(running))
        const next = new FakeHost().on('once', () => value(1), { onCrash: 'fail' }).on('last', () => value(1))
        await restart(next)
        for (const id of ids)
          expect(await end(id)).toMatchObject({
            status: 'failed',
            attempt: 1,
            error: { code: 'WORKER_LOST' },
          })
        expect(next.claims).toHaveLength(0)
      })

      test('what was asked to stop is cancelled', async () => {
        await open(new FakeHost().on('deaf', never))
        const { id } = await start('deaf')
        await running(id)
        await engine.cancel(id)
        await restart(new FakeHost().on('deaf', () => value(1)))
        expect(await end(id)).toMatchObject({ status: 'cancelled', attempt: 1 })
      })

      test('results, lists and idempotency keys are still there', async () => {
        await open(new FakeHost().on('pay', () => value('paid')))
        const key = { idempotencyKey: 'k', inputDigest: 'd' }
        const { id } = await start('pay', { ...key, tags: ['t'] })
        const before = await end(id)
        await restart(new FakeHost().on('pay', () => value('again')))
        expect(await engine.get(id)).toEqual(before)
        expect((await engine.list({ limit: 5, tag: 't' })).items).toEqual([before])
        expect(await engine.submit(spec('pay', key))).toMatchObject({ kind: 'replayed', task: { id } })
      })

      test('a watcher of before begins anew with a gap, unless it saw the end', async () => {
        await open(new FakeHost().on('long', never).on('add', () => value(3)))
        const ended = await start('add')
        await end(ended.id)
        const [, done] = await collect(watch(ended.id))
        const { id } = await start('long')
        await running(id)
        const seen = (await watch(id)[Symbol.asyncIterator]().next()).value as EngineEvent
        await restart(new FakeHost().on('long', () => sleep(50, value('ok'))))
        const all = await collect(watch(id, seen.seq))
        expect(all.map(({ type }) => type).slice(0, 2)).toEqual(['gap', 'state'])
        expect(all.at(-1)).toMatchObject({ type: 'done', task: { status: 'succeeded' } })
        expect(await collect(watch(ended.id, done!.seq))).toEqual([])
      })

      test('delays and deadlines still hold', async () => {
        const now = Date.now()
        await open(new FakeHost().on('later', () => value(1)))
        const later = await start('later', { runAt: now + 1000 })
        const late = await start('later', { runAt: now + 60_000, deadlineAt: now + 100 })
        await restart(new FakeHost().on('later', () => value(Date.now())))
        expect(await end(late.id)).toMatchObject({ status: 'failed', error: { code: 'DEADLINE_EXCEEDED' } })
        expect((await end(later.id)).result).toBeGreaterThanOrEqual(now + 1000)
      })
    })
  })
}
