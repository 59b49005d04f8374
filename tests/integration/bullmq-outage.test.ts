/** What callers, workers and watchers meet when the server of their tasks stands still, dies and comes back. */
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { FakeHost, value } from 'errand/testing/suites'
import { EngineUnavailable, type TaskEngine } from '../../src/tasks/engine.ts'
import { createTaskId } from '../../src/tasks/id.ts'
import { createBullmqEngine, freshName } from '../support/bullmq-place.ts'
import { noPostgres, startPostgres } from '../support/servers/postgres.ts'
import { DURABLE, noRedis, startRedis } from '../support/servers/redis.ts'
import { until } from '../support/until.ts'

const start = async (engine: TaskEngine, procedure: string): Promise<string> => {
  const spec = { id: createTaskId(), procedure, input: 1, maxAttempts: 9, owner: null, priority: 0 }
  return (await engine.submit(spec)).task.id
}

const ended = (engine: TaskEngine, id: string) =>
  until(
    `the end of ${id}`,
    async () => {
      // Until its lines are made anew, a host says that it can't tell.
      const task = await engine.get(id).catch((error: unknown) => {
        expect(error).toBeInstanceOf(EngineUnavailable)
        return undefined
      })
      return task?.status === 'succeeded' && task
    },
    25_000,
  )

const servers = [
  { kind: 'Redis', reason: noRedis, serve: () => startRedis(DURABLE) },
  { kind: 'Postgres', reason: noPostgres, serve: () => startPostgres() },
]

for (const { kind, reason, serve } of servers)
  describe.skipIf(reason)(kind, () => {
    test('that stands still: no call waits for ever, and all goes on when it does', async () => {
      const server = await serve()
      const engine = createBullmqEngine(server.url(), { name: freshName() })
      await engine.open(new FakeHost().on('add', () => value(3)))
      engine.work(['add'])
      const id = await start(engine, 'add')
      await ended(engine, id)
      server.freeze()
      const calls = [engine.get(id), start(engine, 'add'), engine.cancel(id), engine.list({ limit: 1 })]
      await Promise.all(calls.map((call) => expect(call).rejects.toThrow(EngineUnavailable)))
      server.thaw()
      const next = await until('a start', () => start(engine, 'add').catch(() => undefined), 20_000)
      await ended(engine, next)
      await engine.close()
    }, 60_000)

    test('that is killed again and again: what it acknowledged is done, and no start waits for ever', async () => {
      const server = await serve()
      const name = freshName()
      const engines = [1, 2].map(() => createBullmqEngine(server.url(), { name }))
      const host = new FakeHost().on('add', () => sleep(5, value(3)))
      for (const engine of engines) {
        await engine.open(host)
        engine.work(['add'])
      }
      const accepted: string[] = []
      let refused = 0
      const isOver = new AbortController()
      const load = async (engine: TaskEngine): Promise<void> => {
        for (; !isOver.signal.aborted; await sleep(10))
          await start(engine, 'add').then(
            (id) => accepted.push(id),
            (error: unknown) => {
              expect(error).toBeInstanceOf(EngineUnavailable)
              refused += 1
            },
          )
      }
      const loads = Promise.all(engines.map(load))
      for (let round = 0; round < 3; round++) {
        await sleep(1000)
        await server.kill()
        await sleep(300)
        await server.start()
      }
      await sleep(1000)
      isOver.abort()
      await loads
      expect(accepted.length).toBeGreaterThan(20)
      expect(refused).toBeGreaterThan(0)
      for (const id of accepted) expect(await ended(engines[0]!, id)).toMatchObject({ result: 3 })
      await Promise.all(engines.map((engine) => engine.close()))
    }, 120_000)

    test('that comes back: a watcher hears of what ended meanwhile', async () => {
      const server = await serve()
      const name = freshName()
      const [far, near] = [1, 2].map(() => createBullmqEngine(server.url(), { name })) as [
        TaskEngine,
        TaskEngine,
      ]
      await far.open(new FakeHost())
      await near.open(new FakeHost().on('long', () => sleep(1500, value('ok'))))
      near.work(['long'])
      const id = await start(far, 'long')
      const seen: string[] = []
      const watching = (async () => {
        for await (const event of far.events(id, { signal: AbortSignal.timeout(40_000) }))
          seen.push(event.type)
      })()
      await until('it to run', async () => (await far.get(id))?.status === 'running')
      await server.kill()
      await sleep(500)
      await server.start()
      await watching
      expect(seen.at(-1)).toBe('done')
      await Promise.all([far.close(), near.close()])
    }, 60_000)
  })
