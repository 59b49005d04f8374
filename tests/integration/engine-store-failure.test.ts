/** The engine over a store that fails: callers are told, nothing hangs, nothing runs that was not written. */
import { setTimeout as sleep } from 'node:timers/promises'
import { createGate, FakeHost, untilAborted, value } from 'errand/testing/suites'
import { afterEach, describe, expect, it } from 'vitest'
import { EngineUnavailable, type TaskEngine } from '../../src/tasks/engine.ts'
import { LocalEngine } from '../../src/tasks/engines/local-engine.ts'
import { createTaskId } from '../../src/tasks/id.ts'
import { KeyvStore } from '../../src/tasks/stores/keyv-store.ts'
import type { StoredTask } from '../../src/tasks/stored-task.ts'

/** Fails writes while `isDown` says so. */
class FailingStore extends KeyvStore {
  isDown: (task: StoredTask) => boolean = () => false

  override async put(task: StoredTask): Promise<void> {
    if (this.isDown(task)) throw new EngineUnavailable('The store is down')
    await super.put(task)
  }
}

const engines: TaskEngine[] = []
const open = async (host: FakeHost) => {
  const store = new FailingStore(new Map())
  const engine = new LocalEngine({ name: 'local', store, queueLimit: 100 })
  engines.push(engine)
  await engine.open(host)
  engine.work(host.procedures)
  const start = async (procedure: string, extra = {}) => {
    const spec = {
      id: createTaskId(),
      procedure,
      input: 1,
      maxAttempts: 3,
      owner: null,
      priority: 0,
      ...extra,
    }
    return (await engine.submit(spec)).task.id
  }
  const until = async (id: string, status: string) => {
    for (const giveUpAt = Date.now() + 5000; Date.now() < giveUpAt; await sleep(5))
      if ((await engine.get(id))?.status === status) return
    throw new Error(`Task is ${JSON.stringify(await engine.get(id))}`)
  }
  return { store, engine, start, until }
}
afterEach(() => Promise.all(engines.splice(0).map((engine) => engine.close())))

describe('a store that fails', () => {
  it('refuses starts, runs nothing of them, and takes them again when it is back', async () => {
    const host = new FakeHost().on('add', () => value(3))
    const { store, engine, start, until } = await open(host)
    store.isDown = () => true
    const key = { idempotencyKey: 'k', inputDigest: 'd' }
    await expect(start('add', key)).rejects.toThrow(EngineUnavailable)
    await expect(Promise.all([start('add', key), start('add', key)])).rejects.toThrow(EngineUnavailable)
    store.isDown = () => false
    expect(host.claims).toHaveLength(0)
    expect((await engine.list({ limit: 9 })).items).toEqual([])
    await until(await start('add', key), 'succeeded')
    expect(host.claims).toHaveLength(1)
  })

  it('holds up claims, and reports it once', async () => {
    const gate = createGate()
    const host = new FakeHost(1).on('first', () => gate.wait.then(() => value(1))).on('next', () => value(2))
    const { store, start, until } = await open(host)
    const first = await start('first')
    const next = [await start('next'), await start('next')]
    store.isDown = ({ procedure, status }) => procedure === 'next' && status === 'running'
    gate.open()
    await until(first, 'succeeded')
    await sleep(100)
    expect(host.claims).toHaveLength(1)
    expect(host.reports).toEqual(['No task can be claimed'])
    store.isDown = () => false
    for (const id of next) await until(id, 'succeeded')
    expect(host.claims).toHaveLength(3)
  })

  it('an outcome that can not be written is written later, and told nobody before', async () => {
    const host = new FakeHost().on('add', () => value(3))
    const { store, engine, start, until } = await open(host)
    store.isDown = ({ status }) => status === 'succeeded'
    const id = await start('add')
    const events: string[] = []
    const watching = (async () => {
      for await (const { type } of engine.events(id, { signal: new AbortController().signal }))
        events.push(type)
    })()
    await sleep(100)
    expect(await engine.get(id)).toMatchObject({ status: 'running' })
    expect(events).toEqual(['state'])
    store.isDown = () => false
    await until(id, 'succeeded')
    await watching
    expect(events).toEqual(['state', 'done'])
    expect(host.claims).toHaveLength(1)
  })

  it('refuses a cancel that can not be written: the handler is not told either', async () => {
    const host = new FakeHost().on('long', untilAborted(value(1)))
    const { store, engine, start, until } = await open(host)
    const id = await start('long')
    await until(id, 'running')
    store.isDown = () => true
    await expect(engine.cancel(id)).rejects.toThrow(EngineUnavailable)
    expect(host.claims[0]!.signal.aborted).toBe(false)
    store.isDown = () => false
    expect(await engine.cancel(id)).toMatchObject({ kind: 'requested' })
  })

  it('does not keep the engine from closing', async () => {
    const host = new FakeHost().on('long', untilAborted(value(1)))
    const { store, engine, start, until } = await open(host)
    await until(await start('long'), 'running')
    store.isDown = () => true
    await engine.close()
    expect(host.reports.length).toBeGreaterThan(0)
  })

  it('can be opened when it is back', async () => {
    class ClosedStore extends KeyvStore {
      opens = 0
      override async open(report: never): Promise<void> {
        if (this.opens++ === 0) throw new Error('not yet')
        await super.open(report)
      }
    }
    const engine = new LocalEngine({ name: 'local', store: new ClosedStore(new Map()), queueLimit: 10 })
    const host = new FakeHost()
    await expect(engine.open(host)).rejects.toThrow('not yet')
    await expect(engine.get('a')).rejects.toThrow('not open yet')
    await engine.open(host)
    expect(await engine.get('a')).toBeUndefined()
    await engine.close()
  })
})
