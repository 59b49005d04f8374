/** Task handles in Node, over every kind of client, through a network that fails and a server that is restarted. */
import { execFile } from 'node:child_process'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { beforeAll, describe, expect, test } from 'vitest'
import { serveChild } from '../support/child-server.ts'
import { openTcpProxy } from '../support/tcp-proxy.ts'
import { tempDir } from '../support/temp.ts'
import { until } from '../support/until.ts'
import {
  expectOneStory,
  generatedWalk,
  openGate,
  overPolling,
  overTrpc,
  WALK,
  type WalkClient,
  type WalkEvent,
  type WalkHandle,
} from '../support/walk.ts'

const dir = await tempDir()
const server = await serveChild(WALK)
let gates = 0
const newGate = (): string => path.join(dir, `gate-${gates++}`)

let overRest: (url: string) => WalkClient
beforeAll(async () => {
  overRest = await generatedWalk()
})

/** Collects what a handle tells, while the test goes on. */
const listen = (task: WalkHandle) => {
  const seen: WalkEvent[] = []
  const ended = (async () => {
    for await (const event of task.events()) seen.push(event)
  })()
  ended.catch(() => undefined) // Awaited where it is expected to end.
  const steps = (): number => seen.filter(({ type }) => type === 'progress').length
  const untilSteps = (count: number) => until(`${count} steps`, () => steps() >= count, 20_000)
  return { seen, ended, steps, untilSteps, moreSteps: (count: number) => untilSteps(steps() + count) }
}

test('a process that has what it waited for ends by itself', async () => {
  const gate = newGate()
  openGate(gate)
  const script = path.resolve(import.meta.dirname, '../fixtures/watching/leaving.ts')
  const args = ['--conditions=errand-source', script, server.url, gate]
  const env = { ...process.env, NODE_OPTIONS: '' }
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { env, timeout: 25_000 })
  expect([stdout, stderr]).toEqual(['done\n', ''])
})

describe.each([
  { name: 'tRPC', client: () => overTrpc, polled: false },
  { name: 'a generated REST client', client: () => overRest, polled: false },
  { name: 'tRPC that polls', client: () => overPolling, polled: true },
])('a handle over $name', ({ client, polled }) => {
  const prepare = async () => {
    const proxy = await openTcpProxy(server.port)
    const gate = newGate()
    return { proxy, gate, at: client()(proxy.url) }
  }

  test('tells one story, without a hole, through a connection that is cut again and again', async () => {
    const { proxy, gate, at } = await prepare()
    const task = await at.start({ gate })
    const watcher = listen(task)
    const result = task.result()
    for (let cuts = 0; cuts < 8; cuts++) {
      await watcher.moreSteps(1)
      await sleep(Math.random() * 30)
      proxy.cut()
    }
    await watcher.moreSteps(2)
    openGate(gate)
    await watcher.ended
    expectOneStory(watcher.seen, { polled })
    expect(watcher.seen.some(({ type }) => type === 'gap')).toBe(false)
    const done = watcher.seen.at(-1)
    expect(done).toMatchObject({ type: 'done', record: { status: 'succeeded', result: await result } })
    expect(await result).toMatchObject({ attempt: 1 })
  })

  test.each(['SIGKILL', 'SIGTERM'] as const)('goes on where it was after a restart by %s', async (signal) => {
    const { gate, at } = await prepare()
    const task = await at.start({ gate })
    const watcher = listen(task)
    const progress: number[] = []
    const reading = (async () => {
      for await (const { attempt } of task.progress()) progress.push(attempt)
    })()
    const result = task.result()
    await watcher.untilSteps(3)
    await server.stop(signal)
    await sleep(300)
    await server.start()
    await until('the second attempt', () => progress.at(-1) === 2, 20_000)
    await watcher.moreSteps(2)
    openGate(gate)
    await Promise.all([watcher.ended, reading])
    expectOneStory(watcher.seen, { polled })
    expect(watcher.seen.some(({ type }) => type === 'gap')).toBe(!polled)
    expect(await result).toMatchObject({ attempt: 2 })
  })

  test('is had again from its id, while the task runs and after', async () => {
    const { gate, at, proxy } = await prepare()
    const { id } = await at.start({ gate })
    const other = client()(proxy.url).attach(id)
    const watcher = listen(other)
    await watcher.untilSteps(3)
    openGate(gate)
    await watcher.ended
    expectOneStory(watcher.seen, { polled })
    expect(await other.result()).toEqual(await client()(proxy.url).attach(id).result())
    const late = listen(client()(proxy.url).attach(id))
    await late.ended
    expect(late.seen.map(({ type }) => type)).toEqual(['state', 'done'])
  })

  test('of a start whose answer was lost is that of the one task', async () => {
    const { gate, at, proxy } = await prepare()
    openGate(gate)
    const tag = path.basename(gate)
    proxy.loseAnswers(/walk/, 2)
    const task = await at.start({ gate }, { tags: [tag] })
    expect(await task.result()).toMatchObject({ steps: 1 })
    const list = (await (await fetch(`${server.url}/tasks?tag=${tag}`)).json()) as { items: { id: string }[] }
    expect(list.items.map(({ id }) => id)).toEqual([task.id])
    expect(proxy.connections).toBeGreaterThan(2)
  })

  test('stops when it is told to, and lets go of the connection', async () => {
    const { gate, at, proxy } = await prepare()
    const task = await at.start({ gate })
    const stop = new AbortController()
    const result = task.result({ signal: stop.signal })
    const events = task.events({ signal: stop.signal })[Symbol.asyncIterator]()
    await events.next()
    await until('the long poll', () => proxy.open(/get|tasks\/[^/]+\?wait|wait/) > 0)
    stop.abort(new Error('enough'))
    await expect(result).rejects.toThrow('enough')
    await expect(
      (async () => {
        for (;;) if ((await events.next()).done) return
      })(),
    ).rejects.toThrow('enough')
    await until('the end of the connections', () => proxy.open(/wait|events|watch/) === 0)
    expect(await task.record()).toMatchObject({ status: 'running' })
    openGate(gate)
  })

  test('does not wait longer than it is told', async () => {
    const { gate, at, proxy } = await prepare()
    const task = await at.start({ gate })
    await expect(task.result({ timeout: 100 })).rejects.toMatchObject({ name: 'TimeoutError' })
    await until('the end of the long poll', () => proxy.open(/wait/) === 0)
    openGate(gate)
    expect(await task.result({ timeout: '20s' })).toMatchObject({ attempt: 1 })
  })

  test('hangs up when its reader leaves', async () => {
    const { gate, at, proxy } = await prepare()
    const task = await at.start({ gate })
    for await (const event of task.events()) if (event.type === 'progress') break
    for await (const _ of task.progress()) break
    await until('the end of the connections', () => proxy.open(/events|watch|wait/) === 0)
    openGate(gate)
  })

  test('ends in an error when the task is gone', async () => {
    const { gate, at, proxy } = await prepare()
    openGate(gate)
    const task = await at.start({ gate })
    await task.result()
    expect((await fetch(`${server.url}/tasks/${task.id}`, { method: 'DELETE' })).status).toBe(204)
    const watcher = listen(client()(proxy.url).attach(task.id))
    await expect(watcher.ended).rejects.toThrow(/No task has the id/)
    await expect(task.result()).rejects.toThrow(/No task has the id/)
    await expect(task.record()).rejects.toThrow(/No task has the id/)
  })

  test('gives the results of three hundred tasks at once', async () => {
    const { gate, at } = await prepare()
    openGate(gate)
    const tasks = await Promise.all(Array.from({ length: 300 }, () => at.start({ gate, everyMs: 0 })))
    expect(new Set(tasks.map(({ id }) => id)).size).toBe(300)
    const results = await Promise.all(tasks.map((task) => task.result()))
    expect(results).toHaveLength(300)
  })
})
