/** Whoever began to watch a task as the engine closed waited for its next event for ever. */
import { expect, test } from 'vitest'
import type { EngineEvent } from '../../src/tasks/engine.ts'
import { Watching } from '../../src/tasks/engines/fleet/watching.ts'
import { createTaskId } from '../../src/tasks/id.ts'
import { created } from '../../src/tasks/lifecycle.ts'

test('a watcher whose task is still being read when watching ends is told how it is, and let go', async () => {
  const task = created(
    { id: createTaskId(), procedure: 'p', input: 1, maxAttempts: 1, owner: null, priority: 0 },
    Date.now(),
  )
  const read = Promise.withResolvers<typeof task>()
  const watching = new Watching({ get: () => read.promise, running: () => undefined, report: () => {} })
  const events: EngineEvent[] = []
  const watched = (async () => {
    for await (const event of watching.watch(task.id, { signal: new AbortController().signal }))
      events.push(event)
  })()
  watching.close()
  read.resolve(task)
  await watched
  expect(events).toMatchObject([{ type: 'state', task: { id: task.id } }])
})
