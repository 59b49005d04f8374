/** `local({ store: 'redis://…' })` and `local({ store: new KeyvRedis(…) })` on a real server. */
import { inspect } from 'node:util'
import KeyvRedis, { createClient } from '@keyv/redis'
import { describe, expect, test } from 'vitest'
import { KeyvStore } from '../../src/tasks/stores/keyv-store.ts'
import { findServerStore, type ServerStore } from '../../src/tasks/stores/servers.ts'
import { newTask } from 'errand/testing/suites'
import { createRedisApp, serveRedisApp, warningsIn } from '../support/redis-app.ts'
import { afterwards } from '../support/afterwards.ts'
import { DURABLE, noRedis, startRedis, type RedisServer } from '../support/servers/redis.ts'
import { taskOf, tasksIn } from '../support/tasks.ts'

const clientOf = async (redis: RedisServer) => {
  const client = await createClient({ url: redis.url() }).connect()
  afterwards(async () => client.destroy())
  return client
}

const openStore = async (of: string | KeyvRedis<unknown>) => {
  const { adapter, ...options } = (await findServerStore(of)) as ServerStore
  const store = new KeyvStore(adapter, options)
  const reports: string[] = []
  afterwards(() => store.close())
  await store.open((message) => reports.push(message))
  return { store, reports }
}

describe.skipIf(noRedis)('a Redis as a store', () => {
  test('runs tasks, whichever way it was named', async () => {
    const redis = await startRedis(DURABLE)
    const url = redis.url(1)
    for (const store of [url, url.replace('redis:', 'valkey:'), new KeyvRedis(url)]) {
      const api = await serveRedisApp(store)
      expect((await api.call('/by/two', { n: 21 })).json).toBe(42)
      await api.app.close()
    }
  })

  test('keeps apart what has a namespace of its own', async () => {
    const redis = await startRedis(DURABLE)
    const open = (namespace: string) => serveRedisApp(new KeyvRedis(redis.url(), { namespace }))
    const [shop, farm] = [await open('shop'), await open('farm')]
    const { id } = taskOf(await shop.call('/by/four/tasks', { n: 1 }))
    expect((await farm.get(`/tasks/${id}`)).status).toBe(404)
    expect(tasksIn(await farm.get('/tasks'))).toEqual([])
    const keys = await (await clientOf(redis)).keys('*')
    expect(keys.sort()).toEqual(['farm::farm:owner', 'shop::shop:owner', `shop::shop:task/${id}`])
  })

  test('refuses a namespace that Redis would read as a pattern, and so find nothing', async () => {
    const redis = await startRedis()
    const { app } = createRedisApp(new KeyvRedis(redis.url(), { namespace: 'shop[1]' }))
    await expect(app.listen({ port: 0 })).rejects.toThrow('has a [, which Redis reads as part of a pattern')
  })

  test('lets only records of ended tasks run out', async () => {
    const redis = await startRedis(DURABLE)
    const api = await serveRedisApp(redis.url())
    const ended = taskOf(await api.call('/by/four/tasks', { n: 1 }))
    await api.get(`/tasks/${ended.id}?wait=10`)
    const waiting = taskOf(await api.call('/by/four/tasks', { n: 1 }, { 'task-delay': '1h' }))
    const client = await clientOf(redis)
    const left = (id: string) => client.pTTL(`errand::errand:task/${id}`)
    expect(await left(ended.id)).toBeGreaterThan(6.9 * 86_400_000)
    expect(await left(waiting.id)).toBe(-1)
  })

  test('finds its records among a hundred thousand keys of others, in few steps', async () => {
    const redis = await startRedis({ ...DURABLE, appendfsync: 'no' })
    const { store } = await openStore(redis.url())
    const tasks = Array.from({ length: 300 }, () => newTask())
    await store.putMany(tasks)
    const client = await clientOf(redis)
    for (let from = 0; from < 100_000; from += 10_000)
      await client.mSet(
        Array.from({ length: 10_000 }, (_, n): [string, string] => [`other::${from + n}`, 'x']),
      )
    await client.configResetStat()
    const found = new Set<string>()
    for await (const { id } of store.loadAll()) found.add(id)
    expect(found.size).toBe(300)
    const calls = /cmdstat_scan:calls=(\d+)/.exec(await client.info('commandstats'))?.[1]
    expect(Number(calls)).toBeLessThan(200)
  })
})

describe.skipIf(noRedis)('what a Redis survives', () => {
  test.each<[string, object, 'power' | 'process', RegExp[]]>([
    ['writes each to its disk', DURABLE, 'power', []],
    ['writes to its disk each second', { ...DURABLE, appendfsync: 'everysec' }, 'process', []],
    ['may not, while it rewrites', { ...DURABLE, 'no-appendfsync-on-rewrite': 'yes' }, 'process', []],
    ['keeps nothing', {}, 'process', [/keeps nothing on its disk \(appendonly is no\)/]],
    ['writes snapshots', { save: '3600 1' }, 'process', [/writes snapshots only/]],
    [
      'drops what it likes',
      { ...DURABLE, 'maxmemory-policy': 'allkeys-lru' },
      'power',
      [/maxmemory-policy is allkeys-lru/],
    ],
  ])('is told at the start: one that %s', async (_, settings, durable, warnings) => {
    const redis = await startRedis(settings as Record<string, string>)
    const { store, reports } = await openStore(redis.url())
    expect(store.capabilities).toEqual({ durable })
    expect(reports).toHaveLength(warnings.length)
    warnings.forEach((warning, index) => expect(reports[index]).toMatch(warning))
  })

  test('is told as far as it says, when it refuses to show its settings', async () => {
    const redis = await startRedis({ 'maxmemory-policy': 'volatile-ttl' })
    const client = await clientOf(redis)
    await client.sendCommand(['ACL', 'SETUSER', 'app', 'on', '>pw', '~*', '+@all', '-config'])
    await client.sendCommand(['ACL', 'SETUSER', 'less', 'on', '>pw', '~*', '+@all', '-config', '-info'])
    const as = (user: string) => redis.url().replace('//', `//${user}:pw@`)
    const { store, reports } = await openStore(as('app'))
    expect(store.capabilities).toEqual({ durable: 'process' })
    expect(reports).toHaveLength(2)
    expect(reports[1]).toContain('maxmemory-policy is volatile-ttl')
    await store.close()
    expect((await openStore(as('less'))).reports).toEqual([
      expect.stringContaining('does not tell whether it can lose tasks'),
    ])
  })

  test('is a warning in the log, not an error', async () => {
    const redis = await startRedis()
    const { logs } = await serveRedisApp(redis.url())
    expect(warningsIn(logs)).toEqual([
      expect.stringContaining(`127.0.0.1:${redis.port}/0) can lose tasks: it keeps nothing on its disk`),
    ])
    expect(logs).toHaveLength(1)
  })
})

describe.skipIf(noRedis)('the password of a Redis', () => {
  const withPassword = (url: string, password: string) =>
    url.replace('//', `//:${encodeURIComponent(password)}@`)

  test('lets the app in, whatever characters it has', async () => {
    const redis = await startRedis({ ...DURABLE, requirepass: 'a/b#c@d:e%' })
    const api = await serveRedisApp(withPassword(redis.url(), 'a/b#c@d:e%'))
    expect((await api.call('/by/two', { n: 21 })).json).toBe(42)
  })

  test('stands in no error and no log when it is wrong', async () => {
    const redis = await startRedis({ ...DURABLE, requirepass: 'right' })
    const { app, logs } = createRedisApp(withPassword(redis.url(), 'sesame'))
    const error: unknown = await app.listen({ port: 0 }).catch((thrown: unknown) => thrown)
    expect(String(error)).toContain('WRONGPASS')
    expect(inspect([error, logs], { depth: 20, showHidden: true })).not.toContain('sesame')
  })

  test('stands in no error and no log when the server goes away', async () => {
    const redis = await startRedis({ ...DURABLE, requirepass: 'sesame' })
    const api = await serveRedisApp(withPassword(redis.url(), 'sesame'))
    await redis.kill()
    const answer = await api.call('/by/four/tasks', { n: 1 })
    expect(answer.status).toBe(503)
    await api.app.close()
    expect(answer.text + inspect(api.logs, { depth: 20, showHidden: true })).not.toContain('sesame')
  })
})
