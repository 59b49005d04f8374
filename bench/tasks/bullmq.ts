/**
 * Tasks per second through the bullmq engine beside BullMQ itself, start to done, on a server that is there already.
 * The two take turns in one process, so that a busy machine hits both alike. No handler: what is measured is the queue.
 *
 * Run: node --conditions=errand-source bench/tasks/bullmq.ts redis://127.0.0.1:6379 [inFlight=64] [rounds=5] [seconds=2]
 */
import { randomUUID } from 'node:crypto'
import { Queue, QueueEvents, Worker, createPostgresBackend, type BackendFactory, type Job } from 'bullmq'
import pg from 'pg'
import { systemClock } from '../../src/tasks/clock.ts'
import type { EngineHost } from '../../src/tasks/engine.ts'
import { bullmq } from '../../src/tasks/engines/bullmq/index.ts'
import { createTaskId } from '../../src/tasks/id.ts'
import { toPolicy } from '../../src/tasks/policy.ts'

const [url = 'redis://127.0.0.1:6379', inFlightText = '64', rounds = '5', seconds = '2'] = process.argv.slice(2)
const inFlight = Number(inFlightText)
const input = { below: 10 }
const output = { count: 3, largest: 7 }

interface Side {
  readonly name: string
  runOne(): Promise<unknown>
  close(): Promise<unknown>
}

const errand = async (): Promise<Side> => {
  const policy = toPolicy({})
  const host: EngineHost = {
    clock: systemClock,
    policy: () => policy,
    slots: () => inFlight,
    run: async () => ({ kind: 'value', value: output }),
    report: console.error,
  }
  const engine = await bullmq({ connection: url, name: `bench-${randomUUID()}` }).create()
  await engine.open(host)
  engine.work(['noop'])
  return {
    name: 'errand',
    runOne: async () => {
      const id = createTaskId()
      await engine.submit({ id, procedure: 'noop', input, maxAttempts: 3, owner: null, priority: 0 })
      const { signal } = new AbortController()
      for await (const _ of engine.events(id, { signal }));
    },
    close: () => engine.close(),
  }
}

/** As BullMQ's documentation shows it; `waits` by its events, as another process must, or by its worker's. */
const bare = async (waits: 'events' | 'worker'): Promise<Side> => {
  const name = `bench-${randomUUID()}`
  const isPostgres = url.startsWith('postgres')
  const pool = () => new pg.Pool({ connectionString: url, options: '-c search_path=bullmq', max: 10 })
  const connection = () => (isPostgres ? pool() : { url }) as never
  const factory = (isPostgres ? createPostgresBackend : undefined) as BackendFactory | undefined
  const queue = new Queue(name, { connection: connection() }, factory as never)
  const done = new Map<string, () => void>()
  const worker = new Worker(
    name,
    async () => output,
    { connection: connection(), concurrency: inFlight },
    factory as never,
  )
  worker.on('completed', (job: Job) => done.get(job.id as string)?.())
  const events = new QueueEvents(name, { connection: connection() }, factory as never)
  for (const each of [queue, worker, events]) each.setMaxListeners(0)
  await Promise.all([queue.waitUntilReady(), worker.waitUntilReady(), events.waitUntilReady()])
  return {
    name: `bullmq, by ${waits}`,
    runOne: async () => {
      const jobId = randomUUID()
      const ended = Promise.withResolvers<void>()
      if (waits === 'worker') done.set(jobId, ended.resolve)
      const job = await queue.add('noop', input, { jobId })
      await (waits === 'worker' ? ended.promise : job.waitUntilFinished(events))
      done.delete(jobId)
    },
    close: () => Promise.all([worker.close(), queue.close(), events.close()]),
  }
}

const loop = async ({ runOne }: Side, until: number): Promise<number> => {
  let count = 0
  for (; performance.now() < until; count++) await runOne()
  return count
}

/** Rate, and processor time of this process: the second is what a busy machine changes least. */
const measure = async (side: Side, ms: number) => {
  const [from, before] = [performance.now(), process.cpuUsage()]
  const counts = await Promise.all(Array.from({ length: inFlight }, () => loop(side, from + ms)))
  const count = counts.reduce((a, b) => a + b)
  const { user, system } = process.cpuUsage(before)
  return {
    perSecond: Math.round((count / (performance.now() - from)) * 1000),
    cpuUs: Math.round((user + system) / count),
  }
}

const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] as number

// On Postgres BullMQ's events can pass one by (a number that commits late), and a wait for it has no end.
const ways = url.startsWith('postgres') ? (['worker'] as const) : (['events', 'worker'] as const)
const sides = [await errand(), ...(await Promise.all(ways.map(bare)))]
const results = new Map(sides.map(({ name }) => [name, [] as Awaited<ReturnType<typeof measure>>[]]))
for (const side of sides) await measure(side, 1000)
for (let round = 0; round < Number(rounds); round++)
  for (const side of round % 2 ? sides.toReversed() : sides)
    results.get(side.name)!.push(await measure(side, Number(seconds) * 1000))
for (const [name, all] of results)
  console.log(
    name.padEnd(20),
    String(median(all.map(({ perSecond }) => perSecond))).padStart(7),
    'tasks/s',
    String(median(all.map(({ cpuUs }) => cpuUs))).padStart(6),
    'µs cpu',
    JSON.stringify(all.map(({ perSecond }) => perSecond)),
  )
await Promise.all(sides.map((side) => side.close()))
process.exit(0) // BullMQ's workers may keep a blocking connection for a while.
