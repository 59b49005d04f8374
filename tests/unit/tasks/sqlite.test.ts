import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Keyv } from 'keyv'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { SqliteAdapter } from '../../../src/tasks/stores/sqlite.ts'

let dir: string
const adapters: SqliteAdapter[] = []
const create = (options: object = {}) => {
  const adapter = new SqliteAdapter({ dir, ...options })
  adapters.push(adapter)
  return adapter
}
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'errand-sqlite-'))
})
afterEach(async () => {
  await Promise.all(adapters.splice(0).map((adapter) => adapter.disconnect()))
  rmSync(dir, { recursive: true })
})

const keysOf = async (rows: AsyncIterable<unknown>) => {
  const keys = []
  for await (const [key] of rows as AsyncIterable<[string]>) keys.push(key)
  return keys
}

describe('as a plain Keyv store', () => {
  it('does what Keyv asks of a store', async () => {
    const keyv = new Keyv({ store: create(), throwOnErrors: true })
    expect(await keyv.set('a', { deep: [1] })).toBe(true)
    expect(await keyv.get('a')).toEqual({ deep: [1] })
    expect(await keyv.has('a')).toBe(true)
    expect(
      await keyv.setMany([
        { key: 'b', value: 2 },
        { key: 'c', value: 3 },
      ]),
    ).toEqual([true, true])
    expect(await keyv.getMany(['a', 'x', 'c'])).toEqual([{ deep: [1] }, undefined, 3])
    expect(await keyv.delete('a')).toBe(true)
    expect(await keyv.delete('a')).toBe(false)
    expect(await keyv.delete(['b', 'x'])).toBe(true)
    expect(await keysOf(keyv.iterator!(undefined))).toEqual(['c'])
    await keyv.clear()
    expect(await keyv.get('c')).toBeUndefined()
  })

  it('opens nothing before it is used', () => {
    new Keyv({ store: create() })
    expect(readdirSync(dir)).toEqual([])
  })

  it('keeps namespaces apart', async () => {
    const use = async (namespace: string, work: (keyv: Keyv) => Promise<void>) => {
      const keyv = new Keyv({ store: create(), namespace })
      await work(keyv)
      await keyv.disconnect()
    }
    await use('a', async (a) => void (await a.set('x', 1)))
    await use('ab', async (ab) => {
      expect(await ab.get('x')).toBeUndefined()
      await ab.set('x', 2)
    })
    await use('a', async (a) => {
      expect(await a.get('x')).toBe(1)
      await a.clear()
      expect(await a.get('x')).toBeUndefined()
    })
    await use('ab', async (ab) => {
      expect(await ab.get('x')).toBe(2)
      expect(await keysOf(ab.iterator!(undefined))).toEqual(['x'])
    })
  })

  it('lets values vanish at their time, and not the ones that replaced them', async () => {
    const adapter = create()
    const keyv = new Keyv({ store: adapter })
    await keyv.set('short', 1, 20)
    await keyv.set('again', 1, 20)
    await keyv.set('long', 1)
    await sleep(30)
    const rewritten = keyv.set('again', 2)
    expect(await keyv.get('short')).toBeUndefined()
    await rewritten
    expect(await keyv.get('again')).toBe(2)
    expect(await keysOf(adapter.iterator('keyv'))).toEqual(['keyv:again', 'keyv:long'])
  })

  it('walks everything once, whatever is written and deleted meanwhile', async () => {
    const adapter = create()
    await Promise.all(Array.from({ length: 1000 }, (_, n) => adapter.set(`n:${n}`, 'x')))
    const seen = []
    for await (const [key] of adapter.iterator('n')) {
      seen.push(key)
      if (seen.length % 3 === 0) await adapter.delete(key as string)
    }
    expect(new Set(seen).size).toBe(1000)
    expect(seen).toHaveLength(1000)
  })

  it('keeps everything over a restart', async () => {
    const first = new Keyv({ store: create() })
    await first.set('a', '"quotes" and \u{1F4A5}')
    await first.disconnect()
    expect(await new Keyv({ store: create() }).get('a')).toBe('"quotes" and \u{1F4A5}')
  })

  it('refuses to be used after it was disconnected, until it is opened again', async () => {
    const adapter = create()
    await adapter.set('a', '1')
    await adapter.disconnect()
    await adapter.disconnect()
    await expect(adapter.get('a')).rejects.toThrow('Call open() to use it again')
    await adapter.open()
    expect(await adapter.get('a')).toBe('1')
  })

  it('takes text only', async () => {
    await expect(create().set('a', { b: 1 })).rejects.toThrow('the value of "a" is object')
  })
})

describe('the file', () => {
  it('makes its directory, out of reach of the repository', async () => {
    const adapter = create({ dir: join(dir, 'deep', 'er') })
    await adapter.open()
    expect(readdirSync(join(dir, 'deep', 'er')).sort()).toEqual([
      '.gitignore',
      'tasks.db',
      'tasks.db-lock',
      'tasks.db-mark',
      'tasks.db-shm',
      'tasks.db-wal',
    ])
  })

  it('belongs to one opener at a time', async () => {
    const first = create()
    await first.open()
    await expect(create().open()).rejects.toThrow(/tasks\.db is in use by another process.*ERRAND_DATA/)
    await first.disconnect()
    await create().open()
  })

  it('is waited for while its last owner ends', async () => {
    const first = create()
    await first.open()
    const second = create().open()
    await sleep(100)
    await first.disconnect()
    await second
  })

  const fill = async () => {
    const adapter = create()
    await Promise.all(Array.from({ length: 500 }, (_, n) => adapter.set(`n:${n}`, 'x'.repeat(500))))
    await adapter.disconnect()
    return join(dir, 'tasks.db')
  }
  const readAll = async () => {
    const adapter = create()
    try {
      return await keysOf(adapter.iterator('n'))
    } finally {
      await adapter.disconnect()
    }
  }

  it.each<[string, (file: string) => void]>([
    ['empty', (file) => truncateSync(file, 0)],
    ['cut off', (file) => truncateSync(file, 8192)],
    ['another file', (file) => writeFileSync(file, 'To whom it may concern. '.repeat(500))],
    [
      'overwritten in the middle',
      (file) => {
        const handle = openSync(file, 'r+')
        writeSync(handle, Buffer.alloc(40_000, 0x5a), 0, 40_000, 8192)
        closeSync(handle)
      },
    ],
  ])('that is %s is refused with what to do, and never taken for an empty one', async (_, damage) => {
    const file = await fill()
    expect(await readAll()).toHaveLength(500)
    damage(file)
    await expect(readAll()).rejects.toThrow(/The task store .*tasks\.db can't be read: .*Restore a backup/)
    expect(existsSync(file)).toBe(true)
    await expect(readAll()).rejects.toThrow('Nothing in it was changed')
  })

  it('of another program is refused', async () => {
    const { DatabaseSync } = await import('node:sqlite')
    const other = new DatabaseSync(join(dir, 'tasks.db'))
    other.exec('CREATE TABLE t (x)')
    other.close()
    await expect(create().open()).rejects.toThrow('belongs to another program')
  })
})
