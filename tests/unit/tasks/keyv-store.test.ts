import { EventEmitter } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { Keyv } from 'keyv'
import { describe, expect, it } from 'vitest'
import { EngineUnavailable } from '../../../src/tasks/engine.ts'
import { createTaskId } from '../../../src/tasks/id.ts'
import { created } from '../../../src/tasks/lifecycle.ts'
import { KeyvStore } from '../../../src/tasks/stores/keyv-store.ts'
import { encodeEnvelope } from '../../../src/tasks/stores/record-codec.ts'
import type { Adapter } from '../../../src/tasks/stores/adapter.ts'

const task = created(
  { id: createTaskId(), procedure: 'add', input: 1, maxAttempts: 3, owner: null, priority: 0 },
  Date.now(),
)

/** A map in the clothes of an adapter with a lock of its own, with parts replaced. */
const adapterWith = (parts: object): Adapter & { rows: Map<string, unknown> } => {
  const rows = new Map<string, unknown>()
  return {
    rows,
    exclusive: true,
    opts: { dialect: 'sqlite', url: '' },
    get: async (key: string) => rows.get(key),
    set: async (key: string, value: unknown) => void rows.set(key, value),
    delete: async (key: string) => rows.delete(key),
    clear: async () => rows.clear(),
    on: () => {},
    async *iterator() {
      yield* rows
    },
    ...parts,
  } as never
}

const allOf = async (store: KeyvStore) => {
  const all = []
  for await (const each of store.loadAll()) all.push(each)
  return all
}

describe('a store that fails', () => {
  const open = async (parts: object) => {
    const store = new KeyvStore(adapterWith(parts), { timeout: 50 })
    await store.open(() => {})
    return store
  }

  it.each<[string, object, string]>([
    ['throws', { set: async () => Promise.reject(new Error('no connection')) }, 'no connection'],
    ['answers false', { set: async () => false }, 'refused to write'],
    ['never answers', { set: () => new Promise(() => {}) }, 'did not answer within 50 ms'],
  ])('is told when a write %s', async (_, parts, message) => {
    const store = await open(parts)
    const put = store.put(task)
    await expect(put).rejects.toThrow(EngineUnavailable)
    await expect(put).rejects.toThrow(message)
  })

  it.each<[string, object, string]>([
    ['throws', { get: async () => Promise.reject(new Error('no connection')) }, 'no connection'],
    ['never answers', { get: () => new Promise(() => {}) }, 'did not answer within 50 ms'],
  ])('is told when a read %s: that is no absent task', async (_, parts, message) => {
    const store = await open(parts)
    await expect(store.get(task.id)).rejects.toThrow(message)
  })

  it('is told when a walk breaks off or stands still', async () => {
    const broken = await open({
      async *iterator() {
        yield ['errand:task/x', '{}']
        throw new Error('cursor lost')
      },
    })
    const still = await open({
      async *iterator() {
        await new Promise(() => {})
      },
    })
    await expect(allOf(broken)).rejects.toThrow('cursor lost')
    await expect(allOf(still)).rejects.toThrow('did not answer')
  })

  it('does not let an old write that hung overtake a new one', async () => {
    const hung = Promise.withResolvers<void>()
    const written: unknown[] = []
    const store = await open({
      set: async (_: string, value: string) => {
        if (written.length === 0 && value.includes('"revision":1')) await hung.promise
        written.push(JSON.parse(value).value.revision)
      },
    })
    await expect(store.put(task)).rejects.toThrow('did not answer')
    const second = store.put({ ...task, revision: 2 })
    hung.resolve()
    await second
    expect(written).toEqual([1, 2])
  })
})

describe('an adapter that tells of failures by an event only', () => {
  /** `failing` names what fails; then the event is all that is seen of it. */
  const swallowing = async (failing: Set<string>) => {
    const events = new EventEmitter()
    const rows = new Map<string, unknown>()
    const fails = (what: string) => failing.has(what) && events.emit('error', new Error('no connection'))
    const adapter = adapterWith({
      on: events.on.bind(events),
      get: async (key: string) => (fails('get') ? undefined : rows.get(key)),
      set: async (key: string, value: unknown) => void (fails('set') || rows.set(key, value)),
      delete: async (key: string) => !fails('delete') && rows.delete(key),
      async *iterator() {
        for (const row of rows) {
          yield row
          if (fails('iterator')) return
        }
      },
    })
    const store = new KeyvStore(adapter)
    await store.open(() => {})
    return store
  }

  it('is believed nothing of it', async () => {
    const failing = new Set<string>()
    const store = await swallowing(failing)
    await store.put(task)
    const other = createTaskId()
    await store.put({ ...task, id: other })
    for (const what of ['get', 'set', 'delete', 'iterator']) failing.add(what)
    await expect(store.get(task.id)).rejects.toThrow('no connection')
    await expect(store.put(task)).rejects.toThrow('no connection')
    await expect(store.delete(task.id)).rejects.toThrow('no connection')
    await expect(allOf(store)).rejects.toThrow('no connection')
  })

  it('is believed again when it is well', async () => {
    const failing = new Set(['get'])
    const store = await swallowing(failing)
    await expect(store.get(task.id)).rejects.toThrow('no connection')
    failing.clear()
    expect(await store.get(task.id)).toBeUndefined()
    await store.put(task)
    await store.delete(task.id)
    await store.delete(task.id)
    expect(await allOf(store)).toEqual([])
  })

  it('is told to throw, where it can be', () => {
    const adapter = adapterWith({ throwOnErrors: false })
    new KeyvStore(adapter)
    expect(adapter).toMatchObject({ throwOnErrors: true })
  })
})

describe('rows of others in the same place', () => {
  it('are walked past, and are signs of life', async () => {
    const store = new KeyvStore(
      adapterWith({
        async *iterator() {
          for (let n = 0; n < 20; n++) {
            await sleep(10)
            yield [`other:${n}`, 'x']
          }
          yield [`errand:task/${task.id}`, encodeEnvelope({ value: task })]
        },
      }),
      { timeout: 100 },
    )
    expect(await allOf(store)).toEqual([task])
  })

  it('are kept apart by the namespace that the adapter was given', async () => {
    const adapter = adapterWith({ namespace: 'shop' })
    const store = new KeyvStore(adapter)
    await store.open(() => {})
    await store.put(task)
    expect([...adapter.rows.keys()]).toEqual([`shop:task/${task.id}`])
    expect(await allOf(store)).toEqual([task])
  })
})

describe('what can be a store', () => {
  it('is refused with what it lacks', () => {
    expect(() => new KeyvStore(adapterWith({ iterator: undefined }))).toThrow('it lacks iterator')
    expect(() => new KeyvStore({} as Adapter)).toThrow('it lacks get, set, delete, clear, iterator')
    expect(() => new KeyvStore(new Keyv() as never)).toThrow('give the adapter')
  })

  it('says what its writes survive', () => {
    expect(new KeyvStore(new Map()).capabilities.durable).toBe('none')
    expect(new KeyvStore(adapterWith({})).capabilities.durable).toBe('process')
    expect(new KeyvStore(adapterWith({ durable: 'power' })).capabilities.durable).toBe('power')
    expect(new KeyvStore(adapterWith({}), { durable: 'none' }).capabilities.durable).toBe('none')
  })

  it('is one adapter object per engine', async () => {
    const map = new Map()
    const [first, second] = [new KeyvStore(map), new KeyvStore(map)]
    await first.open(() => {})
    await expect(second.open(() => {})).rejects.toThrow('one adapter object per engine')
    await first.close()
    await second.open(() => {})
  })
})
