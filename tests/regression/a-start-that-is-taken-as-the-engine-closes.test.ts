/** A start that is durable was taken, whatever became of the engine meanwhile: telling the host of it must not undo that. */
import { FakeHost } from 'errand/testing/suites'
import { expect, test } from 'vitest'
import { FleetEngine } from '../../src/tasks/engines/fleet/fleet-engine.ts'
import { spec } from '../../src/testing/suites/engine/bench.ts'
import { MemoryPlace, MemoryQueue } from '../support/fleet/memory-queue.ts'

test('a start that is written while the engine closes is taken, and its host told', async () => {
  const place = new MemoryPlace()
  const engine = new FleetEngine({ queue: new MemoryQueue(place), queueLimit: 10 })
  const host = new FakeHost()
  await engine.open(host)
  const submitting = engine.submit(spec('add'))
  await Promise.resolve()
  const closing = engine.close()
  expect(await submitting).toMatchObject({ kind: 'created' })
  await closing
  expect(place.rows.size).toBe(1)
  expect(host.changes.map(({ name }) => name)).toEqual(['queued'])
})
