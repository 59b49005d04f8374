/** Who works: a server that only starts tasks, workers that only run them, and what a single process can't leave to others. */
import { createApp, inline, procedure, runWorker, type AppOptions } from 'errand'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { z } from 'zod'
import { FleetEngine } from '../../src/tasks/engines/fleet/fleet-engine.ts'
import type { TasksOption } from '../../src/tasks/engines/options.ts'
import { MemoryPlace, MemoryQueue } from '../support/fleet/memory-queue.ts'
import { afterwards } from '../support/afterwards.ts'
import { until } from '../support/until.ts'

/** An engine of many hosts, all of them in this process. */
const fleet = (place: MemoryPlace): TasksOption => ({
  kind: 'fleet',
  create: async () => new FleetEngine({ queue: new MemoryQueue(place), queueLimit: 1000 }),
  executors: {},
  queueLimit: 1000,
  drainGrace: 1000,
  runOn: 'inline',
  multiHost: true,
})

const host = (name: string, tasks: TasksOption, options: AppOptions = {}) => {
  const tell = procedure.task({ input: z.void(), output: z.string(), handler: () => name })
  const app = createApp({ tell, media: { thumb: tell } }, { tasks, ...options })
  afterwards(() => app.close())
  return app
}

afterEach(() => vi.unstubAllEnvs())

describe('a process that only starts tasks', () => {
  test('leaves them to one that works', async () => {
    const place = new MemoryPlace()
    const server = host('server', fleet(place))
    const worker = host('worker', fleet(place))
    await server.listen({ port: 0, work: false })
    const task = await server.tasks.start('tell', undefined)
    await runWorker(worker, { signals: false })
    expect(await task.result()).toBe('worker')
  })

  test('is one where ERRAND_WORK is 0, and one that was never told to work', async () => {
    vi.stubEnv('ERRAND_WORK', '0')
    const place = new MemoryPlace()
    const server = host('server', fleet(place))
    await server.listen({ port: 0 })
    const script = host('script', fleet(place))
    const tasks = [await server.tasks.start('tell', undefined), await script.tasks.start('tell', undefined)]
    await runWorker(host('worker', fleet(place)), { signals: false })
    expect(await Promise.all(tasks.map((task) => task.result()))).toEqual(['worker', 'worker'])
  })

  test('begins to work when it is told to later', async () => {
    const app = host('late', fleet(new MemoryPlace()))
    const task = await app.tasks.start('tell', undefined)
    await app.listen({ port: 0 })
    expect(await task.result()).toBe('late')
  })

  test('is refused by an engine of one process, with what to do', async () => {
    const app = host('alone', inline())
    await expect(app.listen({ port: 0, work: false })).rejects.toThrow(
      /can't leave the work to others.*bullmq\(\) or pgmq\(\)/,
    )
    vi.stubEnv('ERRAND_WORK', '0')
    await expect(host('told', inline()).listen({ port: 0 })).rejects.toThrow(/ERRAND_WORK/)
  })
})

describe('runWorker', () => {
  test('runs only what it is asked to', async () => {
    const place = new MemoryPlace()
    const thumbs = host('thumbs', fleet(place))
    await runWorker(thumbs, { only: ['media.thumb'], signals: false })
    const other = await thumbs.tasks.start('tell', undefined)
    expect(await (await thumbs.tasks.start('media.thumb', undefined)).result()).toBe('thumbs')
    expect((await other.record()).status).toBe('queued')
    await runWorker(host('rest', fleet(place)), { only: ['tell'], signals: false })
    expect(await other.result()).toBe('rest')
  })

  test('works alone on an engine of one process', async () => {
    const app = host('alone', inline())
    await using _worker = await runWorker(app, { signals: false })
    expect(await (await app.tasks.start('tell', undefined)).result()).toBe('alone')
  })

  test('gives back what it runs when it is closed, for others to run', async () => {
    const place = new MemoryPlace()
    const forever = (name: string) => {
      const wait = procedure.task({
        input: z.void(),
        output: z.string(),
        handler: async ({ attempt }) => (attempt === 1 ? new Promise<never>(() => {}) : name),
      })
      const app = createApp({ wait }, { tasks: { ...fleet(place), drainGrace: 10 } })
      afterwards(() => app.close())
      return app
    }
    const first = forever('first')
    const worker = await runWorker(first, { signals: false })
    const second = forever('second')
    const task = await second.tasks.start('wait', undefined)
    await until('its first attempt', async () => (await task.record()).status === 'running')
    await worker.close()
    await runWorker(second, { signals: false })
    expect(await task.result()).toBe('second')
  })

  test('says what is wrong with its options, and with what is no app', async () => {
    const app = host('wrong', fleet(new MemoryPlace()))
    await expect(runWorker(app, { only: ['tel'] })).rejects.toThrow(
      '"tel" is not a task of this app; it has tell, media.thumb',
    )
    await expect(runWorker(app, { only: [], signal: true } as never)).rejects.toThrow(
      /only is \[\][^]*signal is unknown/,
    )
    await expect(runWorker({})).rejects.toThrow('no app')
  })
})
