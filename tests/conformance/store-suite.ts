/** What every task store must do. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createTaskId } from '../../src/tasks/id.ts'
import { created, ended, started } from '../../src/tasks/lifecycle.ts'
import { toPolicy } from '../../src/tasks/policy.ts'
import type { TaskStore } from '../../src/tasks/store.ts'
import type { StoredTask } from '../../src/tasks/stored-task.ts'

/** One place where records lie, and stores over it. */
export interface StorePlace {
  create(): TaskStore | Promise<TaskStore>
  /** Puts a text where the record of a task should be, behind the store's back. The store is closed. */
  write(id: string, text: string): Promise<void>
  /** Reads such a text, or what was set aside of it. */
  readAside(id: string): Promise<string | undefined>
  dispose(): Promise<void> | void
}

const rules = toPolicy({ keep: '1h' })

export const newTask = (extra: Partial<StoredTask> = {}): StoredTask => ({
  ...created(
    {
      id: createTaskId(),
      procedure: 'shop.ship',
      input: { a: [1, 'zwei', null] },
      maxAttempts: 3,
      owner: null,
      priority: 0,
    },
    Date.now(),
  ),
  ...extra,
})

export const endedTask = (now = Date.now(), keep = rules.keep): StoredTask =>
  ended(
    started(newTask(), now),
    1,
    { kind: 'value', value: { ok: true } },
    { now, rules: { ...rules, keep } },
  )

export const storeSuite = (
  name: string,
  make: () => StorePlace | Promise<StorePlace>,
  { skip = {} }: { readonly skip?: Readonly<Record<string, string>> } = {},
): void => {
  const test = (title: string, body: () => Promise<void>) =>
    title in skip ? it.skip(`${title} (${skip[title]})`, body) : it(title, body)

  describe(`store: ${name}`, () => {
    let place: StorePlace
    let store: TaskStore
    let reports: string[]

    const open = async () => {
      reports = []
      store = await place.create()
      await store.open((message) => reports.push(message))
    }
    const reopen = async () => {
      await store.close()
      await open()
    }
    const loadAll = async () => {
      const all = new Map<string, StoredTask>()
      for await (const task of store.loadAll()) all.set(task.id, task)
      return all
    }

    beforeEach(async () => {
      place = await make()
      await open()
    })
    afterEach(async () => {
      await store.close()
      await place.dispose()
    })

    test('gives back what was put, to the letter', async () => {
      const task = newTask({
        input: { text: ':colon " \u2028 \\ 💥', deep: [{ __proto__: null, n: -0.5e-7 }] },
        tags: [':t'],
      })
      await store.put(task)
      expect(await store.get(task.id)).toEqual(JSON.parse(JSON.stringify(task)))
      expect(await store.get(createTaskId())).toBeUndefined()
    })

    test('keeps the last of many writes of one task, in the order they were asked for', async () => {
      const task = newTask()
      await Promise.all(Array.from({ length: 50 }, (_, n) => store.put({ ...task, revision: n + 1 })))
      expect(await store.get(task.id)).toMatchObject({ revision: 50 })
    })

    test('deletes', async () => {
      const task = newTask()
      await store.put(task)
      await store.delete(task.id)
      await store.delete(task.id)
      expect(await store.get(task.id)).toBeUndefined()
      expect((await loadAll()).size).toBe(0)
    })

    test('loads every record', async () => {
      const tasks = Array.from({ length: 1234 }, () => newTask())
      await store.putMany(tasks)
      await store.putMany(tasks.slice(0, 100).map((task) => ({ ...task, revision: 2 })))
      const all = await loadAll()
      expect(all.size).toBe(1234)
      expect([...all.values()].filter(({ revision }) => revision === 2)).toHaveLength(100)
    })

    test('keeps everything over a close', async () => {
      const tasks = Array.from({ length: 300 }, () => newTask())
      const writing = store.putMany(tasks)
      await reopen()
      await writing
      expect([...(await loadAll()).keys()].sort()).toEqual(tasks.map(({ id }) => id).sort())
      expect(await store.get(tasks[0]!.id)).toEqual(tasks[0])
    })

    test('lets an ended task vanish when its time is over, and no other', async () => {
      const [live, kept, over] = [newTask(), endedTask(), endedTask(Date.now(), 500)]
      await store.putMany([live, kept, over])
      expect(await store.get(over.id)).toMatchObject({ status: 'succeeded' })
      await new Promise((resolve) => setTimeout(resolve, 520))
      expect(await store.get(over.id)).toBeUndefined()
      expect([...(await loadAll()).keys()].sort()).toEqual([live.id, kept.id].sort())
    })

    test('a task that lives again does not vanish', async () => {
      const over = endedTask(Date.now(), 30)
      await store.put(over)
      const { expiresAt: _, ...again } = over
      await store.put(again)
      await new Promise((resolve) => setTimeout(resolve, 50))
      expect(await store.get(over.id)).toMatchObject({ id: over.id })
    })

    for (const [what, text, kept] of [
      ['no JSON', '{"v":1,"value":{"id"', '{"v":1,"value":{"id"'],
      ['no envelope', '"hello"', '"hello"'],
      ['no task', '{"v":1,"value":{"id":"x"}}', '{"id":"x"}'],
      ['of another format', '{"value":{}}', '{"value":{}}'],
    ] as const)
      test(`sets a record aside that is ${what}, says so, and loads the others`, async () => {
        const [bad, good] = [newTask(), newTask()]
        await store.put(good)
        await store.close()
        await place.write(bad.id, text)
        await open()
        expect([...(await loadAll()).keys()]).toEqual([good.id])
        expect(reports).toHaveLength(1)
        expect(reports[0]).toContain(bad.id)
        expect(await store.get(bad.id)).toBeUndefined()
        await store.close()
        expect(await place.readAside(bad.id)).toContain(JSON.stringify(kept))
        await open()
        expect([...(await loadAll()).keys()]).toEqual([good.id])
        expect(reports).toHaveLength(0)
      })

    test('refuses records of a newer format and leaves them alone', async () => {
      const { id } = newTask()
      await store.close()
      await place.write(id, '{"v":2,"value":{}}')
      await open()
      await expect(loadAll()).rejects.toThrow('newer Errand')
      expect(reports).toHaveLength(0)
    })

    test('lets timers run while it is written to without a pause', async () => {
      let ticks = 0
      const timer = setInterval(() => (ticks += 1), 1)
      const task = newTask()
      for (const until = Date.now() + 50; Date.now() < until;) await store.put(task)
      clearInterval(timer)
      expect(ticks).toBeGreaterThan(5)
    })

    test('refuses what JSON can not hold, and goes on', async () => {
      const task = newTask()
      await expect(store.put({ ...task, result: 1n })).rejects.toMatchObject({ name: 'NotJson' })
      await store.put(task)
      expect(await store.get(task.id)).toEqual(task)
    })
  })
}
