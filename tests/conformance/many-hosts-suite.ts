/**
 * What engines on a server do that share one place, beyond the engine suite: their lines to it can be cut and mended. Each
 * is a host of its own.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { FakeHost, createGate, failure, never, value } from 'errand/testing/suites'
import { isFinished } from '../../src/protocol/task.ts'
import { EngineUnavailable, type TaskEngine, type TaskSpec } from '../../src/tasks/engine.ts'
import type { StoredTask } from '../../src/tasks/stored-task.ts'
import { collect, spec } from '../../src/testing/suites/engine/bench.ts'
import { until } from '../support/until.ts'

/** A host: an engine, and the line to what it shares with others. */
export interface Member {
  readonly engine: TaskEngine
  /** From now on it reaches nothing, as one whose machine is gone. */
  cut(): void
  /** It reaches everything again. */
  mend(): void
}

/** One place that hosts share. */
export interface SharedPlace {
  join(): Promise<Member>
}

/** Many more than a round of events takes. */
const LONG = 100

export const manyHostsSuite = (name: string, make: () => SharedPlace | Promise<SharedPlace>): void => {
  describe(`many hosts: ${name}`, () => {
    let place: SharedPlace
    const members: Member[] = []

    const join = async (host: FakeHost): Promise<Member> => {
      const member = await place.join()
      members.push(member)
      await member.engine.open(host)
      member.engine.work(host.procedures)
      return member
    }
    const start = async ({ engine }: Member, procedure: string, extra?: Partial<TaskSpec>) =>
      (await engine.submit(spec(procedure, extra))).task
    const reach = ({ engine }: Member, id: string, isSo: (task: StoredTask) => boolean) =>
      until(`a state of task ${id}`, async () => {
        const task = await engine.get(id)
        return task && isSo(task) ? task : undefined
      })
    const end = (member: Member, id: string) => reach(member, id, ({ status }) => isFinished(status))
    const begun = (host: FakeHost, id: string) =>
      until(`an attempt of ${id}`, () => host.claims.find(({ task }) => task.id === id))
    const watch = ({ engine }: Member, id: string) =>
      collect(engine.events(id, { signal: new AbortController().signal }))

    beforeEach(async () => {
      place = await make()
    })
    afterEach(async () => {
      for (const member of members) member.mend()
      await Promise.all(members.splice(0).map(({ engine }) => engine.close()))
    })

    test('a cancel of a delayed task is seen by all, and it never runs', async () => {
      const host = new FakeHost().on('later', () => value(1))
      const [idle, busy] = [await join(new FakeHost()), await join(host)]
      // Far enough away for a slow machine to cancel it in time.
      const runAt = Date.now() + 3000
      const { id } = await start(idle, 'later', { runAt })
      const events = watch(busy, id)
      expect(await idle.engine.cancel(id)).toMatchObject({ kind: 'settled' })
      expect((await events).at(-1)).toMatchObject({ type: 'done', task: { status: 'cancelled' } })
      await sleep(runAt + 300 - Date.now())
      expect(host.claims).toHaveLength(0)
      expect(await idle.engine.get(id)).toMatchObject({ status: 'cancelled', attempt: 0, attempts: [] })
    })

    test('a task that is cancelled on one and queued again on another at that moment runs', async () => {
      const hosts = [1, 2].map(() => new FakeHost().on('later', () => value('ok')))
      const [one, two] = (await Promise.all(hosts.map(join))) as [Member, Member]
      for (let round = 0; round < 10; round++) {
        const { id } = await start(one, 'later', { runAt: Date.now() + 60_000 })
        await two.engine.cancel(id)
        expect(await one.engine.retry(id)).toMatchObject({ maxAttempts: 3 })
        expect(await end(two, id)).toMatchObject({ status: 'succeeded', attempt: 1 })
      }
    })

    test('a host that is cut off loses its task to another, and what it ends with changes nothing', async () => {
      const gate = createGate()
      const lostHost = new FakeHost().on('long', () => gate.wait.then(() => value('late')))
      const lost = await join(lostHost)
      const { id } = await start(lost, 'long')
      await begun(lostHost, id)
      lost.cut()
      const host = new FakeHost().on('long', () => value('again'))
      const next = await join(host)
      const task = await end(next, id)
      expect(task).toMatchObject({ status: 'succeeded', attempt: 2, result: 'again' })
      expect(task.attempts).toMatchObject([{ n: 1, error: { code: 'WORKER_LOST' } }, { n: 2 }])
      lost.mend()
      await until('the lost host to hear of it', () => lostHost.claims[0]!.signal.aborted, 20_000)
      expect(lostHost.claims[0]!.signal.reason).toMatchObject({ name: 'LeaseLost' })
      gate.open()
      await sleep(LONG)
      expect(await next.engine.get(id)).toEqual(task)
    })

    test('a task that kills every host has no more attempts than it was given', async () => {
      let id = ''
      for (let n = 1; n <= 2; n++) {
        const host = new FakeHost().on('poison', never)
        const member = await join(host)
        id ||= (await start(member, 'poison', { maxAttempts: 2 })).id
        await begun(host, id)
        member.cut()
      }
      const host = new FakeHost().on('poison', () => value('no'))
      const last = await join(host)
      const task = await end(last, id)
      expect(task).toMatchObject({ status: 'failed', attempt: 2, error: { code: 'WORKER_LOST' } })
      expect(task.attempts.map(({ n, error }) => [n, error?.code])).toEqual([
        [1, 'WORKER_LOST'],
        [2, 'WORKER_LOST'],
      ])
      expect(host.claims).toHaveLength(0)
    })

    test('all together run no more of a procedure at once than its concurrency', async () => {
      let [now, most] = [0, 0]
      const script = async () => {
        most = Math.max(most, ++now)
        await sleep(20)
        now -= 1
        return value(null)
      }
      const hosts = [1, 2].map(() => new FakeHost().on('few', script, { concurrency: 2 }))
      const [one] = (await Promise.all(hosts.map(join))) as [Member, Member]
      const tasks = await Promise.all(Array.from({ length: 12 }, () => start(one, 'few')))
      for (const { id } of tasks) expect(await end(one, id)).toMatchObject({ status: 'succeeded' })
      expect(most).toBe(2)
    })

    test('list what others start, end, queue again and remove', async () => {
      let works = false
      const host = new FakeHost().on('flaky', () => (works ? value(1) : failure('no', { status: 400 })))
      const [idle, busy] = [await join(new FakeHost()), await join(host)]
      const listed = async (status?: 'failed' | 'succeeded') =>
        (await idle.engine.list({ limit: 9, ...(status ? { status } : {}) })).items.map(({ id }) => id)
      expect(await listed()).toEqual([])
      const { id } = await start(busy, 'flaky')
      await until('it to be listed as failed', async () => (await listed('failed')).includes(id))
      works = true
      await busy.engine.retry(id)
      await until('it to be listed as succeeded', async () => (await listed('succeeded')).includes(id))
      expect(await listed('failed')).toEqual([])
      await busy.engine.remove(id)
      await until('it to be gone', async () => !(await listed()).includes(id))
    })

    test('a host whose line is down says so at once, and goes on when it is back', async () => {
      const host = new FakeHost().on('add', () => value(3))
      const [one, two] = [await join(host), await join(new FakeHost())]
      const { id } = await start(one, 'add')
      await end(one, id)
      one.cut()
      const { engine } = one
      const calls = [engine.get(id), start(one, 'add'), engine.cancel(id), engine.list({ limit: 1 })]
      await Promise.all(calls.map((call) => expect(call).rejects.toThrow(EngineUnavailable)))
      const waiting = await start(two, 'add')
      one.mend()
      expect(await end(two, waiting.id)).toMatchObject({ status: 'succeeded' })
      const again = await until('a start through it', () => start(one, 'add').catch(() => undefined))
      expect(await end(one, again.id)).toMatchObject({ status: 'succeeded' })
    })

    test('a watcher whose line was down hears of the end', async () => {
      const gate = createGate()
      const host = new FakeHost().on('long', () => gate.wait.then(() => value('ok')))
      const [far] = [await join(new FakeHost()), await join(host)]
      const { id } = await start(far, 'long')
      await begun(host, id)
      const events = watch(far, id)
      await sleep(LONG)
      far.cut()
      gate.open()
      await sleep(LONG)
      far.mend()
      expect((await events).at(-1)).toMatchObject({ type: 'done', task: { result: 'ok' } })
    })
  })
}
