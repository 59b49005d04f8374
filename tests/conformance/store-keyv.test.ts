/** The Keyv store over a map and over SQLite. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { KeyvStore } from '../../src/tasks/stores/keyv-store.ts'
import { SqliteAdapter } from '../../src/tasks/stores/sqlite.ts'
import { storeSuite, type StorePlace } from './store-suite.ts'

const mapPlace = (): StorePlace => {
  const map = new Map<string, unknown>()
  return {
    create: () => new KeyvStore(map),
    write: async (id, text) => void map.set(`errand:task/${id}`, text),
    readAside: async (id) => map.get(`errand:bad/${id}`) as string | undefined,
    dispose: () => {},
  }
}

const sqlitePlace = (): StorePlace => {
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
    create: () => new KeyvStore(new SqliteAdapter({ dir })),
    write: (id, text) => use(async (adapter) => void (await adapter.set(`errand:task/${id}`, text))),
    readAside: (id) =>
      use((adapter) => adapter.get<string>(`errand:bad/${id}`) as Promise<string | undefined>),
    dispose: () => rmSync(dir, { recursive: true }),
  }
}

storeSuite('Keyv over a map', mapPlace)
storeSuite('Keyv over SQLite', sqlitePlace)
