/** The engine of many hosts over a shared queue in memory. */
import { engineSuite } from 'errand/testing/suites'
import type { TaskEngine } from '../../src/tasks/engine.ts'
import { FleetEngine } from '../../src/tasks/engines/fleet/fleet-engine.ts'
import { MemoryPlace, MemoryQueue } from '../support/fleet/memory-queue.ts'

const LEASE = 300

engineSuite('fleet, in memory', () => {
  const place = new MemoryPlace()
  const queues = new Map<TaskEngine, MemoryQueue>()
  return {
    lease: LEASE,
    create: async () => {
      const queue = new MemoryQueue(place, LEASE)
      const engine = new FleetEngine({ queue, queueLimit: 1000 })
      queues.set(engine, queue)
      return engine
    },
    crash: (engine) => queues.get(engine)?.cut(),
    loseLease: async (id) => place.loseLease(id),
    dispose: () => {},
  }
})
