import { Keyv } from 'keyv'
import { describe, expect, it } from 'vitest'
import { EngineUnavailable } from '../../../src/tasks/engine.ts'
import { createTaskId } from '../../../src/tasks/id.ts'
import { created } from '../../../src/tasks/lifecycle.ts'
import { KeyvStore } from '../../../src/tasks/stores/keyv-store.ts'
import type { Adapter } from '../../../src/tasks/stores/adapter.ts'

const task = created(
  { id: createTaskId(), procedure: 'add', input: 1, maxAttempts: 3, owner: null, priority: 0 },
  Date.now(),
)

/** A map in the clothes of an adapter, with parts replaced. */
const adapterWith = (parts: object): Adapter & { rows: Map<string, unknown> } => {
  const rows = new Map<string, unknown>()
  return {
    rows,
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
    const walk = async (store: KeyvStore) => {
      for await (const _ of store.loadAll());
    }
    await expect(walk(broken)).rejects.toThrow('cursor lost')
    await expect(walk(still)).rejects.toThrow('did not answer')
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
