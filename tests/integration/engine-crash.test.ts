/** The embedded engine is killed at a random moment under load: everything it acknowledged is there. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isFinished } from '../../src/protocol/task.ts'
import type { EngineHost, TaskEngine } from '../../src/tasks/engine.ts'
import { local } from '../../src/tasks/engines/local.ts'
import { toPolicy } from '../../src/tasks/policy.ts'

const ROUNDS = Number(process.env['CRASH_ROUNDS'] ?? 4)
const CHILD = new URL('engine-crash-child.ts', import.meta.url).pathname

interface Acknowledged {
  readonly started: Map<string, number>
  readonly ended: Set<string>
  readonly cancelled: Set<string>
}

let dir: string
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'errand-crash-'))
})
afterAll(() => rmSync(dir, { recursive: true }))

const startChild = () => spawn(process.execPath, [CHILD, dir], { stdio: ['ignore', 'pipe', 'inherit'] })

/** Everything the child said until it was killed. */
const listen = async (child: ChildProcess, said: Acknowledged): Promise<void> => {
  let text = ''
  for await (const chunk of child.stdout!) text += chunk
  // The last line may be cut off.
  for (const line of text.split('\n').slice(0, -1)) {
    const [what, id = '', n] = line.split(' ')
    if (what === 'started') said.started.set(id, Number(n))
    if (what === 'ended') said.ended.add(id)
    if (what === 'cancel') said.cancelled.add(id)
  }
}

const runUntilKilled = async (said: Acknowledged): Promise<void> => {
  const child = startChild()
  const heard = listen(child, said)
  await sleep(400 + Math.random() * 900)
  child.kill('SIGKILL')
  await heard
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

describe('SIGKILL under load', () => {
  it(`loses nothing that was acknowledged, in ${ROUNDS} rounds`, async () => {
    const said: Acknowledged = { started: new Map(), ended: new Set(), cancelled: new Set() }
    for (let round = 0; round < ROUNDS; round++) await runUntilKilled(said)
    expect(said.started.size).toBeGreaterThan(100)

    const engine = await local({ dir }).create()
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
  }, 60_000)

  it('gives the lock back, and only then', async () => {
    const child = startChild()
    await once(child.stdout, 'data')
    const engine = await local({ dir }).create()
    await expect(engine.open(finishingHost)).rejects.toThrow(/in use by another process/)
    child.kill('SIGKILL')
    child.stdout.resume()
    await once(child, 'close')
    await engine.open(finishingHost)
    engine.work(['work'])
    await engine.close()
  }, 20_000)
})
