/** The connection to a Redis that was named by its URL: renewed when it is silent, and never overtaken by an older one. */
import KeyvRedis, { createClient } from '@keyv/redis'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { EngineUnavailable } from '../../src/tasks/engine.ts'
import { KeyvStore } from '../../src/tasks/stores/keyv-store.ts'
import { RedisAdapter } from '../../src/tasks/stores/redis/adapter.ts'
import type { KeyvRedis as Adapter } from '../../src/tasks/stores/redis/client.ts'
import { withOwnConnection } from '../../src/tasks/stores/redis/own-connection.ts'
import { newTask } from 'errand/testing/suites'
import { afterwards } from '../support/afterwards.ts'
import { startProxy } from '../support/servers/proxy.ts'
import { noRedis, startRedis } from '../support/servers/redis.ts'
import { until } from '../support/until.ts'

/** A store that loses its patience soon. */
const openStore = async (port: number, silence = 300) => {
  const url = `redis://127.0.0.1:${port}`
  const { redis, connection } = withOwnConnection(
    (socket) => new KeyvRedis({ url, socket, disableOfflineQueue: true }) as unknown as Adapter,
    silence,
  )
  const adapter = new RedisAdapter(redis, connection, 'test')
  const seatTimes = { beat: 50, hold: 7000, look: 50 }
  const store = new KeyvStore(adapter, { seatTimes, timeout: 500 })
  await store.open(() => {})
  afterwards(() => store.close())
  return store
}

describe.skipIf(noRedis)('a connection that fell silent', () => {
  test('is renewed, and what was under way on it is not written over what came later', async () => {
    const redis = await startRedis()
    const proxy = await startProxy(redis.port)
    const store = await openStore(proxy.port)
    const task = newTask()
    await store.put({ ...task, revision: 1 })
    proxy.hold()
    await expect(store.put({ ...task, revision: 2 })).rejects.toThrow(EngineUnavailable)
    await until('a new connection', () =>
      store.put({ ...task, revision: 3 }).then(
        () => true,
        () => false,
      ),
    )
    proxy.release()
    await sleep(200) // Time enough for the old write to arrive.
    expect(await store.get(task.id)).toMatchObject({ revision: 3 })
  })

  test('is left alone while answers come', async () => {
    const redis = await startRedis()
    const store = await openStore(redis.port, 1000)
    const client = await createClient({ url: redis.url() }).connect()
    afterwards(async () => client.destroy())
    const { total_connections_received: before } = await stats(client)
    for (const end = Date.now() + 2500; Date.now() < end;) await store.put(newTask())
    expect((await stats(client)).total_connections_received).toBe(before)
  })
})

describe.skipIf(noRedis)('a primary that became a replica', () => {
  test('is left for the one that its address leads to now', async () => {
    const [old, next] = [await startRedis(), await startRedis()]
    const proxy = await startProxy(old.port)
    const store = await openStore(proxy.port)
    const client = await createClient({ url: old.url() }).connect()
    await client.sendCommand(['REPLICAOF', '127.0.0.1', String(next.port)])
    client.destroy()
    proxy.leadTo(next.port)
    const task = newTask()
    await until('a write', () =>
      store.put(task).then(
        () => true,
        () => false,
      ),
    )
    expect(await store.get(task.id)).toEqual(task)
  })
})

const stats = async (client: { info(section: string): Promise<string> }) =>
  Object.fromEntries(
    (await client.info('stats')).split('\r\n').map((line) => line.split(':') as [string, string]),
  )
