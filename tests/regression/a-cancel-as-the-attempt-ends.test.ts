/** A cancel that another host wrote while an attempt was ending was overwritten: the task ran again. */
import { expect, test } from 'vitest'
import { FleetEngine } from '../../src/tasks/engines/fleet/fleet-engine.ts'
import { spec } from '../../src/testing/suites/engine/bench.ts'
import { failure, FakeHost } from 'errand/testing/suites'
import { MemoryPlace, MemoryQueue } from '../support/fleet/memory-queue.ts'
import { until } from '../support/until.ts'

test('a task that is asked to stop while its attempt fails is cancelled, not run again', async () => {
  const place = new MemoryPlace()
  const elsewhere = new MemoryQueue(place)
  const host = new FakeHost().on('fails', async ({ task }) => {
    await elsewhere.cancel(task.id, 60_000)
    return failure()
  })
  const engine = new FleetEngine({ queue: new MemoryQueue(place), queueLimit: 10 })
  await engine.open(host)
  engine.work(['fails'])
  const { id } = (await engine.submit(spec('fails'))).task
  const task = await until('the end of the task', async () => {
    const found = await engine.get(id)
    return found?.finishedAt !== undefined && found
  })
  expect(task).toMatchObject({ status: 'cancelled', attempt: 1 })
  await engine.close()
})
