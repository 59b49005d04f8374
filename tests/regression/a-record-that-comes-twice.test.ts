/** A walk over a store may give a record twice (Redis promises no less): it is still one task. */
import { expect, test } from 'vitest'
import { LocalEngine } from '../../src/tasks/engines/local-engine.ts'
import { createTaskId } from '../../src/tasks/id.ts'
import { KeyvStore } from '../../src/tasks/stores/keyv-store.ts'
import type { StoredTask } from '../../src/tasks/stored-task.ts'
import { FakeHost, newTask } from 'errand/testing/suites'

/** Gives everything twice. */
class TwiceStore extends KeyvStore {
  override async *loadAll(): AsyncGenerator<StoredTask> {
    for await (const task of super.loadAll()) yield* [task, structuredClone(task)]
  }
}

test('it is listed once, and takes one place of the queue', async () => {
  const store = new TwiceStore(new Map())
  await store.putMany([newTask(), newTask()])
  const engine = new LocalEngine({ name: 'local', store, queueLimit: 3 })
  await engine.open(new FakeHost())
  expect((await engine.list({ limit: 10 })).items).toHaveLength(2)
  const start = () =>
    engine.submit({ id: createTaskId(), procedure: 'x', input: 1, maxAttempts: 1, owner: null, priority: 0 })
  await start()
  await expect(start()).rejects.toThrow('3 tasks are queued')
  await engine.close()
})
