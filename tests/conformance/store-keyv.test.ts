/** The Keyv store over a map, over SQLite, which is written on the event loop or in a thread, and over a real Redis. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import KeyvRedis from '@keyv/redis'
import { storeSuite, type StorePlace } from 'errand/testing/suites'
import { afterAll, describe } from 'vitest'
import type { Adapter } from '../../src/tasks/stores/adapter.ts'
import { KeyvStore } from '../../src/tasks/stores/keyv-store.ts'
import type { WriterPlace } from '../../src/tasks/stores/sqlite/open.ts'
import { findServerStore, type ServerStore } from '../../src/tasks/stores/servers.ts'
import { SqliteAdapter } from '../../src/tasks/stores/sqlite.ts'
import { DURABLE, noRedis, startRedis } from '../support/servers/redis.ts'
import { RedisPlaces } from './redis-place.ts'

const mapPlace = (): StorePlace => {
  const map = new Map<string, unknown>()
  return {
    create: () => new KeyvStore(map),
    write: async (id, text) => void map.set(`errand:task/${id}`, text),
    readAside: async (id) => map.get(`errand:bad/${id}`) as string | undefined,
    dispose: () => {},
  }
}

const sqlitePlace = (writer: WriterPlace) => (): StorePlace => {
  const dir = mkdtempSync(join(tmpdir(), 'errand-store-'))
  const use = async <T>(work: (adapter: SqliteAdapter) => Promise<T>): Promise<T> => {
    const adapter = new SqliteAdapter({ dir })
    try {
      return await work(adapter)
    } finally {
      await adapter.disconnect()
    }
  }
  return {
    create: () => new KeyvStore(new SqliteAdapter({ dir, writer })),
    write: (id, text) => use(async (adapter) => void (await adapter.set(`errand:task/${id}`, text))),
    readAside: (id) =>
      use((adapter) => adapter.get<string>(`errand:bad/${id}`) as Promise<string | undefined>),
    dispose: () => rmSync(dir, { recursive: true }),
  }
}

storeSuite('Keyv over a map', mapPlace)
storeSuite('Keyv over SQLite', sqlitePlace('inline'))
storeSuite('Keyv over SQLite, written in a thread', sqlitePlace('thread'))

const redisPlace = (places: RedisPlaces, toStore: (url: string) => string | Adapter): StorePlace => {
  const database = places.fresh()
  const key = (name: string) => `errand::errand:${name}`
  return {
    create: async () => {
      const { adapter, ...options } = (await findServerStore(
        toStore(places.server.url(database)),
      )) as ServerStore
      return new KeyvStore(adapter, options)
    },
    write: async (id, text) => void (await (await places.client(database)).set(key(`task/${id}`), text)),
    readAside: async (id) => (await (await places.client(database)).get(key(`bad/${id}`))) ?? undefined,
    dispose: () => {},
  }
}

describe.skipIf(noRedis)('in Redis', async () => {
  if (noRedis) return
  const places = new RedisPlaces(await startRedis(DURABLE))
  afterAll(() => places.close())
  storeSuite('Redis by its URL', () => redisPlace(places, (url) => url))
  storeSuite('Keyv over a KeyvRedis', () => redisPlace(places, (url) => new KeyvRedis(url)))
})
