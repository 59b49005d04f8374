/**
 * The `rev` of a live task bore the mark of the process that answered: behind two of them, whoever waited for the next rev
 * was told at each request that there was one.
 */
import { cpSync } from 'node:fs'
import { expect, test } from 'vitest'
import { FleetEngine } from '../../src/tasks/engines/fleet/fleet-engine.ts'
import { local } from '../../src/tasks/engines/local.ts'
import { revOf } from '../../src/tasks/record.ts'
import { spec } from '../../src/testing/suites/engine/bench.ts'
import { FakeHost, value } from 'errand/testing/suites'
import { MemoryPlace, MemoryQueue } from '../support/fleet/memory-queue.ts'
import { tempDir } from '../support/temp.ts'
import { until } from '../support/until.ts'

test('a live task has the same rev on each host', async () => {
  const place = new MemoryPlace()
  const engines = [0, 1].map(() => new FleetEngine({ queue: new MemoryQueue(place), queueLimit: 10 }))
  for (const engine of engines) await engine.open(new FakeHost())
  const { task } = await engines[0]!.submit(spec('nobodys'))
  const seen = await Promise.all(engines.map((engine) => engine.get(task.id)))
  expect(new Set(seen.map((each) => revOf(each!))).size).toBe(1)
  for (const engine of engines) await engine.close()
})

test('no rev comes again after a crash, although progress is not stored', async () => {
  const [before, after] = [await tempDir(), await tempDir()]
  const first = await local({ dir: before }).create()
  const { promise: forever } = Promise.withResolvers<never>()
  const host = new FakeHost().on('slow', async ({ progress, task }) => {
    if (task.attempt > 1) return value('ok')
    for (let step = 0; step < 5; step++) progress(step)
    return forever
  })
  await first.open(host)
  first.work(['slow'])
  const { task } = await first.submit(spec('slow'))
  const seen = await until('progress', async () => {
    const found = await first.get(task.id)
    return found?.progress === 4 && found
  })
  cpSync(before, after, { recursive: true }) // What a kill at this moment leaves.
  const second = await local({ dir: after }).create()
  await second.open(host)
  expect((await second.get(task.id))!.revision).toBeGreaterThan(seen.revision)
  await second.close()
  await first.drain(0)
  await first.close()
})
