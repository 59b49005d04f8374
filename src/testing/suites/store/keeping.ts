/** A store keeps what it was given, for as long as it should. */
import { setTimeout as sleep } from 'node:timers/promises'
import { createTaskId } from '../../../tasks/id.ts'
import { expect } from '../runner.ts'
import type { StoreCases } from './bench.ts'
import { endedTask, newTask } from './records.ts'

export const keeping = {
  'gives back what was put, to the letter': async ({ store }) => {
    const task = newTask({
      input: { text: ':colon " \u2028 \\ 💥', deep: [{ __proto__: null, n: -0.5e-7 }] },
      tags: [':t'],
    })
    await store.put(task)
    expect(await store.get(task.id)).toEqual(JSON.parse(JSON.stringify(task)))
    expect(await store.get(createTaskId())).toBeUndefined()
  },

  'keeps the last of many writes of one task, in the order they were asked for': async ({ store }) => {
    const task = newTask()
    await Promise.all(Array.from({ length: 50 }, (_, n) => store.put({ ...task, revision: n + 1 })))
    expect(await store.get(task.id)).toMatchObject({ revision: 50 })
  },

  deletes: async (bench) => {
    const { store } = bench
    const task = newTask()
    await store.put(task)
    await store.delete(task.id)
    await store.delete(task.id)
    expect(await store.get(task.id)).toBeUndefined()
    expect((await bench.loadAll()).size).toBe(0)
  },

  'loads every record': async (bench) => {
    const { store } = bench
    const tasks = Array.from({ length: 1234 }, () => newTask())
    await store.putMany(tasks)
    await store.putMany(tasks.slice(0, 100).map((task) => ({ ...task, revision: 2 })))
    const all = await bench.loadAll()
    expect(all.size).toBe(1234)
    expect([...all.values()].filter(({ revision }) => revision === 2)).toHaveLength(100)
  },

  'keeps everything over a close': async (bench) => {
    const tasks = Array.from({ length: 300 }, () => newTask())
    const writing = bench.store.putMany(tasks)
    await bench.reopen()
    await writing
    expect([...(await bench.loadAll()).keys()].sort()).toEqual(tasks.map(({ id }) => id).sort())
    expect(await bench.store.get(tasks[0]!.id)).toEqual(tasks[0])
  },

  'lets an ended task vanish when its time is over, and no other': async (bench) => {
    const { store } = bench
    const [live, kept, over] = [newTask(), endedTask(), endedTask(Date.now(), 500)]
    await store.putMany([live, kept, over])
    expect(await store.get(over.id)).toMatchObject({ status: 'succeeded' })
    await sleep(520)
    expect(await store.get(over.id)).toBeUndefined()
    expect([...(await bench.loadAll()).keys()].sort()).toEqual([live.id, kept.id].sort())
  },

  'a task that lives again does not vanish': async ({ store }) => {
    const over = endedTask(Date.now(), 30)
    await store.put(over)
    const { expiresAt: _, ...again } = over
    await store.put(again)
    await sleep(50)
    expect(await store.get(over.id)).toMatchObject({ id: over.id })
  },

  'lets timers run while it is written to without a pause': async ({ store }) => {
    const clock = { ticks: 0 }
    const timer = setInterval(() => (clock.ticks += 1), 1)
    const task = newTask()
    for (let puts = 0; puts < 100_000 && clock.ticks < 5; puts++) await store.put(task)
    clearInterval(timer)
    expect(clock.ticks).toBeGreaterThan(4)
  },

  'refuses what JSON can not hold, and goes on': async ({ store }) => {
    const task = newTask()
    await expect(store.put({ ...task, result: 1n })).rejects.toMatchObject({ name: 'NotJson' })
    await store.put(task)
    expect(await store.get(task.id)).toEqual(task)
  },
} satisfies StoreCases
