/** The settings of tasks. */
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Worker } from 'node:worker_threads'
import { expect } from 'vitest'
import { createApp, inline, type AppOptions } from 'errand'
import { bullmq } from 'errand/bullmq'
import { module, procedures } from '../../fixtures/settings/app.ts'
import { recordingLogger } from '../serve.ts'
import { startRedis } from '../servers/redis.ts'
import { tempDir } from '../temp.ts'
import type { Effects } from './effect.ts'

const appOf = (names: readonly (keyof typeof procedures)[], options: AppOptions = {}) =>
  createApp(Object.fromEntries(names.map((name) => [name, procedures[name]])), {
    module,
    logger: recordingLogger([]),
    ...options,
  })

type TaskApp = ReturnType<typeof appOf>

const opened = async <T>(app: TaskApp, look: (app: TaskApp) => Promise<T>): Promise<T> => {
  const server = await app.listen({ port: 0 })
  try {
    return await look(app)
  } finally {
    await server.close()
  }
}

/** What so many tasks at once gave. */
const results = async (app: TaskApp, name: string, count: number, input?: unknown): Promise<unknown[]> => {
  const started = await Promise.all(Array.from({ length: count }, () => app.tasks.start(name, input)))
  return Promise.all(started.map((task) => task.result()))
}

/** In how many places four tasks ran that were there together. */
const places = (name: 'inThread' | 'inProcess') => async (): Promise<number> =>
  opened(appOf([name]), async (app) => new Set(await results(app, name, 4, { ms: 100 })).size)

const data = async () => ({ ERRAND_DATA: await tempDir() })

/** Whether an app that ran left a file. */
const leavesFile = async (): Promise<boolean> => {
  const dir = process.env['ERRAND_DATA']
  if (dir) rmSync(dir, { recursive: true, force: true })
  await opened(appOf(['crowd']), (app) => results(app, 'crowd', 1))
  return existsSync(join(dir ?? '.errand', 'tasks.db'))
}

/** How many threads an app without workers made. */
const threadsMade = async (): Promise<number> => {
  const threads: Worker[] = []
  const watch = (worker: Worker): void => void threads.push(worker)
  process.on('worker', watch)
  await opened(appOf(['crowd']), (app) => results(app, 'crowd', 1))
  process.off('worker', watch)
  return threads.length
}

const started = (app: TaskApp): Promise<string> =>
  opened(app, () => Promise.resolve('starts')).catch((error: Error) => error.message)

const atDamage = async (): Promise<string> => {
  writeFileSync(join(process.env['ERRAND_DATA'] as string, 'tasks.db'), 'x'.repeat(8192))
  return started(appOf(['crowd']))
}

const thirdStart = async (): Promise<string> =>
  opened(appOf(['crowd'], { tasks: inline({ inline: 1, drainGrace: '10ms' }) }), (app) =>
    Promise.all(Array.from({ length: 4 }, () => app.tasks.start('crowd', undefined))).then(
      () => 'taken',
      (error: Error) => error.message,
    ),
  )

/** A task that never ends, in an app that closes. */
const givesUp = () =>
  opened(appOf(['deaf'], { tasks: inline() }), async (app) => {
    await app.tasks.start('deaf', undefined)
    return true
  })

export const TASKS: Effects = {
  'tasks.connection': {
    text: async () => (await startRedis({ appendonly: 'yes', appendfsync: 'always' })).url(),
    look: async () => {
      try {
        return await opened(appOf(['crowd'], { tasks: bullmq() }), (app) => results(app, 'crowd', 1))
      } catch (error) {
        return (error as Error).message
      }
    },
    without: expect.stringContaining('ERRAND_TASKS_CONNECTION'),
    with: [1],
  },
  'tasks.store': { text: 'memory', beside: data, look: leavesFile, without: true, with: false },
  'tasks.dir': { text: tempDir, look: leavesFile, with: true },
  'tasks.writer': { text: 'thread', beside: data, look: threadsMade, without: 0, with: 1 },
  'tasks.onDamage': {
    text: 'salvage',
    beside: data,
    look: atDamage,
    without: expect.stringContaining("start with local({ onDamage: 'salvage' })"),
    with: expect.stringContaining('no record can be read'),
  },
  'tasks.threads': { text: '1', beside: data, look: places('inThread'), with: 1 },
  'tasks.processes': { text: '1', beside: data, look: places('inProcess'), with: 1 },
  'tasks.inline': {
    text: '2',
    beside: data,
    look: () =>
      opened(appOf(['crowd']), async (app) => Math.max(...((await results(app, 'crowd', 6)) as number[]))),
    without: 6,
    with: 2,
  },
  'tasks.memoryLimit': {
    text: '128mb',
    beside: data,
    look: () => opened(appOf(['memory']), (app) => results(app, 'memory', 1)),
    without: expect.not.arrayContaining([128]),
    with: [128],
  },
  'tasks.queueLimit': {
    text: '1',
    look: thirdStart,
    without: 'taken',
    with: expect.stringMatching(/queue/i),
  },
  // Without it a test would wait for 25 s.
  'tasks.drainGrace': { text: '10ms', look: givesUp, with: true },
}
