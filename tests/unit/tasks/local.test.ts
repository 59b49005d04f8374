import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { endedTask, FakeHost, newTask } from 'errand/testing/suites'
import { Keyv } from 'keyv'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../../src/tasks/clock.ts'
import { EventHub } from '../../../src/tasks/engines/event-hub.ts'
import { Ledger } from '../../../src/tasks/engines/ledger.ts'
import { inline, local, type LocalOptions } from '../../../src/tasks/engines/local.ts'
import { Slots } from '../../../src/tasks/engines/slots.ts'
import { Sweeper } from '../../../src/tasks/engines/sweeper.ts'
import { toPolicy } from '../../../src/tasks/policy.ts'
import { KeyvStore } from '../../../src/tasks/stores/keyv-store.ts'
import { until } from '../../support/until.ts'

describe('local()', () => {
  it('has the documented defaults and opens nothing', async () => {
    const dir = join(tmpdir(), 'errand-never-made')
    const { create, configure: _, ...option } = local({ dir })
    expect(option).toEqual({
      kind: 'local',
      executors: {},
      queueLimit: 100_000,
      drainGrace: 25_000,
      multiHost: false,
      given: { dir },
    })
    expect((await create()).capabilities).toEqual({
      durable: 'power',
      multiHost: false,
      transactionalStart: false,
    })
    expect(existsSync(dir)).toBe(false)
  })

  it('keeps its file where it is told to', async () => {
    const dir = mkdtempSync(join(tmpdir(), 'errand-local-'))
    const engine = await local({ dir }).create()
    await engine.open(new FakeHost())
    await engine.close()
    expect(existsSync(join(dir, 'tasks.db'))).toBe(true)
    rmSync(dir, { recursive: true })
  })

  it('takes from outside what code does not say, and what is for its file only where it has one', () => {
    const outside = { threads: 2, inline: 3, dir: '/outside', connection: 'redis://h' }
    expect(local({ threads: 4 }).configure?.(outside).given).toEqual({
      threads: 4,
      inline: 3,
      dir: '/outside',
    })
    expect(local({ store: 'memory' }).configure?.(outside).given).not.toHaveProperty('dir')
    expect(inline().configure?.(outside).given).toEqual({ inline: 3 })
  })

  it('passes on how many workers were asked for, and how much memory each may have', () => {
    expect(local({ threads: 4, inline: 10, drainGrace: '5s', memoryLimit: '1.5gb' })).toMatchObject({
      executors: { threads: 4, inline: 10 },
      drainGrace: 5000,
      memoryLimit: 1536,
    })
    expect(local({ memoryLimit: 64 })).toMatchObject({ memoryLimit: 64 })
  })

  it.each<[unknown, string]>([
    [{ threads: 0 }, 'local(): option threads is 0, expected a whole number from 1 up'],
    [{ queueLimit: '10' }, 'local(): option queueLimit is "10"'],
    [
      { drainGrace: 'soon' },
      'local(): option drainGrace is "soon", expected a duration: milliseconds or a text',
    ],
    [
      { memoryLimit: 536_870_912 },
      `option memoryLimit is 536870912, expected MiB from 32 up, or a text like`,
    ],
    [{ memoryLimit: '8mb' }, 'option memoryLimit is "8mb"'],
    [{ memoryLimit: '1tb' }, 'option memoryLimit is "1tb"'],
    [
      { thread: 2 },
      'local(): option thread is unknown, expected one of threads, processes, inline, memoryLimit,',
    ],
    [
      { threads: 0, queueLimit: -1 },
      'option threads is 0, expected a whole number from 1 up, such as 4; option',
    ],
    [{ threads: 0, queueLimit: -1 }, 'option queueLimit is -1'],
    [{ store: 'postgres' }, `local(): option store is "postgres", expected 'sqlite', 'memory', the URL of a`],
    [{ store: 'postgres://u:secret@h' }, `local(): option store is "postgres://***@h", expected`],
    [{ store: 'redis://:se/cret@h' }, `local(): option store can't be used: it is no URL, expected redis://`],
    [{ store: {} }, 'it lacks get, set, delete, clear, iterator'],
    [{ store: new Keyv() }, 'store is a Keyv'],
    [{ store: 'memory', dir: 'data' }, `option dir is for the 'sqlite' store`],
    [{ writer: 'slow' }, `option writer is "slow", expected one of 'auto', 'inline', 'thread'`],
    [{ onDamage: true }, `option onDamage is true, expected one of 'refuse', 'salvage'`],
    [{ store: 'memory', writer: 'thread' }, `option writer is for the 'sqlite' store`],
    [{ dir: '' }, 'local(): option dir is "", expected a path'],
  ])('refuses %o', (options, message) => {
    expect(() => local(options as LocalOptions)).toThrow(TypeError)
    expect(() => local(options as LocalOptions)).toThrow(message)
  })
})

describe('inline()', () => {
  it('is the same in memory, with everything on the event loop', async () => {
    const option = inline({ inline: 5 })
    expect(option).toMatchObject({ kind: 'inline', runOn: 'inline', executors: { inline: 5 } })
    expect(await option.create()).toMatchObject({ name: 'inline', capabilities: { durable: 'none' } })
  })

  it('has no workers, and says so to who gives it some', () => {
    const wrong = () => inline({ threads: 2 } as never)
    expect(wrong).toThrow(
      'inline(): option threads is unknown, expected one of inline, queueLimit, drainGrace',
    )
  })
})

describe('the sweeper', () => {
  it('deletes what is over from the store, and nothing else', async () => {
    const rows = new Map<string, unknown>()
    const store = new KeyvStore(rows)
    const [live, kept, over] = [newTask(), endedTask(), endedTask(Date.now(), 20)]
    await store.putMany([live, kept, over])
    const ledger = new Ledger({ host: { clock: systemClock }, store, hub: new EventHub() })
    await ledger.load()
    const sweeper = new Sweeper(systemClock, ledger, () => {})
    sweeper.start(30)
    await until('the sweep', () => rows.size === 2)
    sweeper.stop()
    expect([...rows.keys()].sort()).toEqual([live, kept].map(({ id }) => `errand:task/${id}`).sort())
    expect([ledger.index.count('queued'), ledger.index.count('succeeded')]).toEqual([1, 1])
    expect(ledger.index.size).toBe(2)
  })
})

describe('slots', () => {
  const takeAll = (slots: Slots, runOn: 'threads' | 'inline', concurrency?: number) => {
    const policy = toPolicy({ runOn, ...(concurrency === undefined ? {} : { concurrency }) })
    const taken = []
    while (slots.isFree('p', policy) && taken.length < 100) taken.push(slots.take('p', policy))
    return taken
  }

  it('look ahead of short tasks in workers, never on the event loop, never beyond the concurrency', () => {
    const slots = new Slots(() => 2)
    for (const runOn of ['threads', 'inline'] as const)
      for (const slot of takeAll(slots, runOn)) {
        slots.begin(slot)
        slots.release(slot)
      }
    const ahead = takeAll(slots, 'threads')
    expect(ahead.length).toBeGreaterThan(2)
    for (const slot of ahead) slots.release(slot)
    expect(takeAll(slots, 'threads', 3)).toHaveLength(3)
    expect(takeAll(new Slots(() => 2), 'inline')).toHaveLength(2)
    expect(takeAll(slots, 'inline', 10)).toHaveLength(2)
  })
})
