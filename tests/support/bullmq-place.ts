/** Engines over BullMQ for tests: on a server of the test's own, with queues of their own, and quick to notice. */
import { Redis } from 'ioredis'
import pg from 'pg'
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
    target: toTarget(url),
    name,
    prefix: 'bull',
    migrate: true,
    queueLimit,
    timing,
  })

/** Takes the lease of a running task away, as if its host had been silent for as long as it holds. */
export const loseLeaseAt = (url: string, name: string, id: string): Promise<void> =>
  url.startsWith('redis') ? loseOnRedis(url, name, id) : loseOnPostgres(url, id)

const loseOnRedis = async (url: string, name: string, id: string): Promise<void> => {
  const client = new Redis(url)
  const [lock = ''] = await client.keys(`bull:${name}.*:${id}:lock`)
  const queue = lock.slice(0, -`:${id}:lock`.length)
  // As BullMQ's own look would leave it: marked, and no longer locked.
  await client.multi().del(lock).sadd(`${queue}:stalled`, id).del(`${queue}:stalled-check`).exec()
  client.disconnect()
}

const loseOnPostgres = async (url: string, id: string, tries = 9): Promise<void> => {
  const client = new pg.Client(url)
  await client.connect()
  try {
    await client.query('BEGIN')
    await client.query('UPDATE bullmq.job SET stalled_marked = true, locked_until_ms = 0 WHERE id = $1', [id])
    await client.query(
      "DELETE FROM bullmq.meta WHERE field = 'stalled-check' AND queue = (SELECT queue FROM bullmq.job WHERE id = $1)",
      [id],
    )
    await client.query(
      'SELECT bullmq.move_stalled_jobs_to_wait(queue, 1000, $2, 0) FROM bullmq.job WHERE id = $1',
      [id, Date.now()],
    )
    await client.query('COMMIT')
  } catch (error) {
    // The engine looks for lost tasks at this moment too.
    if ((error as { code?: unknown }).code !== '40P01' || tries === 1) throw error
    return await loseOnPostgres(url, id, tries - 1)
  } finally {
    await client.end()
  }
}
