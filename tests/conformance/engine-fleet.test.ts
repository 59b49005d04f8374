/** The engine of many hosts over a shared queue in memory. */
import { FleetEngine } from '../../src/tasks/engines/fleet/fleet-engine.ts'
import { MemoryPlace, MemoryQueue } from '../support/fleet/memory-queue.ts'
import { engineSuite } from './engine-suite.ts'

engineSuite('fleet, in memory', () => {
  const place = new MemoryPlace()
  let last: MemoryQueue | undefined
  return {
    create: async () => {
      last = new MemoryQueue(place)
      return new FleetEngine({ queue: last, queueLimit: 1000 })
    },
    crash: () => last?.cut(),
    dispose: () => {},
  }
})
