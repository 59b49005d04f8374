/** Engines over BullMQ for tests: on a server of the test's own, with queues of their own, and quick to notice. */
import type { TaskEngine } from '../../src/tasks/engine.ts'
import { createEngine } from '../../src/tasks/engines/bullmq/create.ts'
import { toTarget } from '../../src/tasks/engines/bullmq/options.ts'
import type { Timing } from '../../src/tasks/engines/bullmq/timing.ts'

/** A lost task is back after two seconds; shorter, and a busy machine loses leases that are alive. */
export const QUICK: Timing = { lease: 1500, recoverEvery: 300, sweepEvery: 1000, lookEvery: 500 }

let places = 0

/** Names that no other test of this process uses. */
export const freshName = (): string => `t${process.pid}-${++places}`

export const createBullmqEngine = (
  url: string,
  { name, timing = QUICK, queueLimit = 1000 }: { name: string; timing?: Timing; queueLimit?: number },
): TaskEngine =>
  createEngine({
    target: toTarget({ connection: url }),
    name,
    prefix: 'bull',
    migrate: true,
    queueLimit,
    timing,
  })
