/** One process alone has a store: two stores over the same rows stand for two processes. */
import { spawnSync } from 'node:child_process'
import { hostname } from 'node:os'
import { afterEach, describe, expect, it } from 'vitest'
import { EngineUnavailable } from '../../../src/tasks/engine.ts'
import type { Adapter } from '../../../src/tasks/stores/adapter.ts'
import { KeyvStore } from '../../../src/tasks/stores/keyv-store.ts'
import { createMark } from '../../../src/tasks/stores/occupant.ts'
import { encodeEnvelope } from '../../../src/tasks/stores/record-codec.ts'
import { newTask } from 'errand/testing/suites'
import { until } from '../../support/until.ts'

const TIMES = { beat: 40, hold: 400, look: 20 }
const OWNER = 'errand:owner'

/** Rows that several adapters lead to, as processes share a server; without a lock. */
const place = () => {
  const rows = new Map<string, unknown>()
  const state = { down: false }
  const check = () => {
    if (state.down) throw new Error('no connection')
  }
  const adapter = (): Adapter =>
    ({
      get: async (key: string) => (check(), rows.get(key)),
      set: async (key: string, value: unknown) => (check(), rows.set(key, value), true),
      delete: async (key: string) => (check(), rows.delete(key)),
      clear: async () => rows.clear(),
      async *iterator() {
        yield* rows
      },
    }) as never
  return { rows, state, store: () => new KeyvStore(adapter(), { name: 'test', seatTimes: TIMES }) }
}

const stores: KeyvStore[] = []
const open = async (store: KeyvStore) => {
  const losses: EngineUnavailable[] = []
  stores.push(store)
  await store.open(
    () => {},
    (reason) => losses.push(reason),
  )
  return { store, losses }
}
afterEach(() => Promise.all(stores.splice(0).map((store) => store.close())))

/** The mark of a process that was killed. */
const markOfTheDead = (changes: object = {}) => {
  const { pid } = spawnSync('true')
  return encodeEnvelope({
    value: { mark: JSON.stringify({ ...JSON.parse(createMark()), pid, ...changes }), count: 7 },
  })
}

describe('the guard of a store without a lock', () => {
  it('refuses a second process while the first one lives, and says who that is', async () => {
    const { store } = place()
    await open(store())
    const second = open(store())
    await expect(second).rejects.toThrow(EngineUnavailable)
    await expect(second).rejects.toThrow(
      `(test) is in use by another process: process ${process.pid} on host ${hostname()}`,
    )
  })

  it('lets the next one in at once when the first one closed', async () => {
    const { store, rows } = place()
    const first = store()
    await first.open(() => {})
    await first.close()
    expect(rows.has(OWNER)).toBe(false)
    await open(store())
  })

  it('lets one in at once when the first one was killed on this machine', async () => {
    const { store, rows } = place()
    rows.set(OWNER, markOfTheDead())
    await open(store())
    expect(String(rows.get(OWNER))).toContain(`\\"pid\\":${process.pid},`)
  })

  it('waits out the time of one that was killed elsewhere', async () => {
    const { store, rows } = place()
    rows.set(OWNER, markOfTheDead({ place: 'another kernel' }))
    const startedAt = performance.now()
    await open(store())
    expect(performance.now() - startedAt).toBeGreaterThanOrEqual(TIMES.hold)
  })

  it('lets one in where something lies that is no mark', async () => {
    const { store, rows } = place()
    rows.set(OWNER, encodeEnvelope({ value: { mark: 'hello', count: 1 } }))
    await open(store())
  })

  it('lets one of many in that come at the same moment', async () => {
    const { store } = place()
    const all = await Promise.allSettled(Array.from({ length: 4 }, () => open(store())))
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1)
  })

  it('tells a process once that another has taken over, and lets it write no more', async () => {
    const { store, rows } = place()
    const { store: first, losses } = await open(store())
    rows.set(OWNER, markOfTheDead({ host: 'b', place: 'another kernel' }))
    await until('the loss', () => losses.length > 0)
    expect(losses[0]!.message).toContain(`(test) was taken over by process`)
    expect(losses[0]!.message).toContain('on host b')
    await expect(first.put(newTask())).rejects.toThrow('was taken over')
    await expect(first.delete(newTask().id)).rejects.toThrow('was taken over')
    expect([...rows.keys()]).toEqual([OWNER])
    await first.close()
    expect(rows.has(OWNER)).toBe(true)
    expect(losses).toHaveLength(1)
  })

  it('asks before it writes when it could not keep the seat for a while', async () => {
    const { store, rows, state } = place()
    const { store: first, losses } = await open(store())
    state.down = true
    await new Promise((resolve) => setTimeout(resolve, TIMES.hold))
    await expect(first.put(newTask())).rejects.toThrow('no connection')
    rows.set(OWNER, markOfTheDead({ place: 'another kernel' }))
    state.down = false
    await expect(first.put(newTask())).rejects.toThrow('was taken over')
    expect(losses).toHaveLength(1)
    expect([...rows.keys()]).toEqual([OWNER])
  })

  it('takes the seat again when somebody cleared the store', async () => {
    const { store, rows } = place()
    const { store: first, losses } = await open(store())
    rows.clear()
    await until('its return', () => rows.has(OWNER))
    await first.put(newTask())
    expect(losses).toEqual([])
  })
})
