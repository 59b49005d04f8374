/**
 * The engine of one process is killed at a random moment under load, with its Redis where it has one: everything it
 * acknowledged is there.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { isFinished } from '../../src/protocol/task.ts'
import type { EngineHost, TaskEngine } from '../../src/tasks/engine.ts'
import { local, type LocalOptions } from '../../src/tasks/engines/local.ts'
import { toPolicy } from '../../src/tasks/policy.ts'
import { DURABLE, noRedis, startRedis } from '../support/servers/redis.ts'
import { tempDir } from '../support/temp.ts'

const ROUNDS = Number(process.env['CRASH_ROUNDS'] ?? 4)
const CHILD = new URL('engine-crash-child.ts', import.meta.url).pathname

interface Acknowledged {
  readonly started: Map<string, number>
  readonly ended: Set<string>
  readonly cancelled: Set<string>
}

/** Where tasks live. */
interface Place {
  /** As the child gets it: a directory, or a URL. */
  readonly argument: string
  readonly options: LocalOptions
  /** Ends what keeps the records too, and brings it back. */
  readonly crash: () => Promise<void>
}

const sqlitePlace = async (): Promise<Place> => {
  const dir = await tempDir()
  return { argument: dir, options: { dir }, crash: async () => {} }
}

const redisPlace = async (): Promise<Place> => {
  const redis = await startRedis(DURABLE)
  const crash = async (): Promise<void> => {
    await redis.kill()
    await redis.start()
  }
  return { argument: redis.url(), options: { store: redis.url() }, crash }
}

const startChild = ({ argument }: Place) =>
  spawn(process.execPath, [CHILD, argument], { stdio: ['ignore', 'pipe', 'inherit'] })

/** Everything the child says until it is killed. The last line may be cut off. */
const listen = (child: ChildProcess, said: Acknowledged) => {
  let text = ''
  child.stdout!.on('data', (chunk) => (text += chunk))
  const heard = once(child, 'close').then(() => {
    for (const line of text.split('\n').slice(0, -1)) {
      const [what, id = '', n] = line.split(' ')
      if (what === 'started') said.started.set(id, Number(n))
      if (what === 'ended') said.ended.add(id)
      if (what === 'cancel') said.cancelled.add(id)
    }
  })
  return { opened: once(child.stdout!, 'data'), heard }
}

const runUntilKilled = async (place: Place, said: Acknowledged): Promise<void> => {
  const child = startChild(place)
  const { opened, heard } = listen(child, said)
  await opened
  await sleep(Math.random() * 900)
  child.kill('SIGKILL')
  await heard
  await place.crash()
}

/** Finishes what the killed ones left. */
const finishingHost: EngineHost = {
  policy: () => toPolicy({ retry: { attempts: 1000 } }),
  slots: () => 1000,
  run: async ({ task }) => ({ kind: 'value', value: task.input }),
  report: (message) => {
    throw new Error(message)
  },
}

const untilIdle = async (engine: TaskEngine): Promise<void> => {
  const isBusy = async (status: 'queued' | 'running') =>
    (await engine.list({ status, limit: 1 })).items.length > 0
  while ((await isBusy('queued')) || (await isBusy('running'))) await sleep(20)
}

describe.each([
  { name: 'SQLite', make: sqlitePlace, skip: undefined },
  { name: 'Redis', make: redisPlace, skip: noRedis },
])('SIGKILL under load, tasks in $name', ({ make, skip }) => {
  it.skipIf(skip)(
    `loses nothing that was acknowledged, in ${ROUNDS} rounds`,
    async () => {
      const place = await make()
      const said: Acknowledged = { started: new Map(), ended: new Set(), cancelled: new Set() }
      for (let round = 0; round < ROUNDS; round++) await runUntilKilled(place, said)
      expect(said.started.size).toBeGreaterThan(100)

      const engine = await local(place.options).create()
      await engine.open(finishingHost)
      engine.work(['work'])
      for (const id of said.ended) expect(await engine.get(id), id).toMatchObject({ status: 'succeeded' })
      await untilIdle(engine)
      for (const [id, n] of said.started) {
        const task = await engine.get(id)
        expect(task && isFinished(task.status), id).toBe(true)
        if (said.cancelled.has(id)) expect(task, id).toMatchObject({ status: 'cancelled' })
        else if (task?.status !== 'cancelled')
          expect(task, id).toMatchObject({ status: 'succeeded', result: { n } })
      }
      await engine.close()
    },
    60_000,
  )

  it.skipIf(skip)(
    'gives the lock back, and only then',
    async () => {
      const place = await make()
      const child = startChild(place)
      await once(child.stdout, 'data')
      const engine = await local(place.options).create()
      await expect(engine.open(finishingHost)).rejects.toThrow(/in use by another process/)
      child.kill('SIGKILL')
      child.stdout.resume()
      await once(child, 'close')
      await engine.open(finishingHost)
      engine.work(['work'])
      await engine.close()
    },
    20_000,
  )
})
