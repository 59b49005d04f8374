/** What a start notices of the file and its rows, one damage at a time. Random ones: integration/store-corruption. */
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { newTask } from 'errand/testing/suites'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { KeyvStore } from '../../../src/tasks/stores/keyv-store.ts'
import { SqliteAdapter } from '../../../src/tasks/stores/sqlite.ts'
import { change, KilledStore, onlyReport } from '../../support/damage/killed-store.ts'

let store: KilledStore
let dir: string
let file: string
let tasks: KilledStore['tasks']
const open: KilledStore['open'] = (...args) => store.open(...args)
beforeEach(async () => {
  store = new KilledStore()
  await store.make()
  ;({ dir, file, tasks } = store)
})
afterEach(() => store.dispose())

describe('a row', () => {
  /** Moves the log into the file, so that the file can be damaged. */
  beforeEach(async () => void (await open()))

  const flipIn = (text: string, at: number): void =>
    change(file, (bytes) => void (bytes[bytes.indexOf(text) + at]! ^= 1))

  it('whose value is changed is set aside, and the others are used', async () => {
    const { id } = tasks[3]!
    flipIn(`"id":"${id}","procedure":"shop`, 55)
    const { ids, reports } = await open()
    expect(ids.size).toBe(9)
    expect(reports).toEqual(onlyReport(`The record of task ${id} can't be read (its checksum is wrong)`))
    expect(await open()).toEqual({ ids, reports: [] })
  })

  it('that was damaged since the start is set aside when it is read', async () => {
    const reports: string[] = []
    const opened = new KeyvStore(new SqliteAdapter({ dir }))
    await opened.open((message) => reports.push(message))
    const { id } = tasks[3]!
    // Not through a second handle on the file in this process: to close it would take SQLite's locks away.
    const other = new DatabaseSync(file)
    other.prepare("UPDATE entry SET value = replace(value, 'zwei', 'drei') WHERE key LIKE ?").run(`%${id}`)
    other.close()
    expect(await opened.get(id)).toBeUndefined()
    expect(reports).toEqual(onlyReport(`The record of task ${id} can't be read`))
    await opened.close()
  })

  it('whose key is changed is told of: it is set aside, or the store refused', async () => {
    const [first, last] = [tasks[0]!.id, tasks[9]!.id]
    flipIn(`errand:task/${last}`, 47) // Still in order.
    expect(await open()).toMatchObject({ ids: { size: 9 }, reports: onlyReport('its checksum is wrong') })
    flipIn(`errand:task/${first}`, 0) // Out of the store's own range.
    await expect(open()).rejects.toThrow(/can't be read: .*Restore a backup/)
  })

  it('that was removed by other means is missed, once', async () => {
    const other = new DatabaseSync(file)
    other.exec('DROP TRIGGER deleted')
    other.prepare('DELETE FROM entry WHERE key LIKE ?').run(`%${tasks[0]!.id}`)
    other.exec(
      'CREATE TRIGGER deleted AFTER DELETE ON entry BEGIN\n    UPDATE state SET rows = rows - 1, ' +
        'sum = (sum - old.sum) & 4294967295; END',
    )
    other.close()
    const { ids, reports } = await open()
    expect(ids.size).toBe(9)
    expect(reports).toEqual(onlyReport(`The task store ${file} holds 9 rows, and 10 were written`))
    expect(await open()).toEqual({ ids, reports: [] })
  })

  it('that is as it was before is noticed, as after a write that the disk lost', async () => {
    const { id } = tasks[0]!
    copyFileSync(file, join(store.root, 'before'))
    const opened = new KeyvStore(new SqliteAdapter({ dir }))
    await opened.open((message) => expect.unreachable(message))
    await opened.put({ ...tasks[0]!, revision: 2 })
    await opened.close()
    // The page with the row comes back, the page with the totals stays.
    const old = readFileSync(join(store.root, 'before'))
    change(file, (bytes) => {
      const page = Math.floor(bytes.indexOf(`errand:task/${id}`) / 4096) * 4096
      old.copy(bytes, page, page, page + 4096)
    })
    expect(await open()).toMatchObject({
      ids: { size: 10 },
      reports: onlyReport(`Not every row of the task store ${file} is as it was written last`),
    })
  })
})

describe('a file', () => {
  beforeEach(async () => void (await open()))

  it('with a damaged page is salvaged on request: what can be read goes on, the damaged file stays beside it', async () => {
    const opened = new KeyvStore(new SqliteAdapter({ dir }))
    await opened.open((message) => expect.unreachable(message))
    await opened.putMany(Array.from({ length: 90 }, () => newTask()))
    await opened.close()
    // A leaf somewhere in the middle: the root is further in front.
    change(file, (bytes) => void bytes.fill(0, bytes.length - 3 * 4096, bytes.length - 2 * 4096))
    const damagedFile = readFileSync(file)
    await expect(open()).rejects.toThrow(/can't be read: .*Nothing in it was changed/)
    const { ids, reports } = await open('salvage')
    expect(ids.size).toBeGreaterThan(80)
    expect(ids.size).toBeLessThan(100)
    expect(reports).toEqual(onlyReport(`was damaged. ${ids.size} rows could be read`))
    const [kept = ''] = readdirSync(dir).filter((name) => name.includes('damaged'))
    expect(readFileSync(join(dir, kept)).equals(damagedFile)).toBe(true)
    expect(await open()).toEqual({ ids, reports: [] })
  })

  it.each(['inline', 'thread'] as const)(
    'that VACUUM INTO made as a backup is taken, and written %s from then on',
    async (writer) => {
      const other = new DatabaseSync(file)
      other.exec(`VACUUM INTO '${join(store.root, 'backup')}'`)
      other.close()
      for (const end of ['', '-mark']) rmSync(file + end)
      copyFileSync(join(store.root, 'backup'), file)
      const reports: string[] = []
      const opened = new KeyvStore(new SqliteAdapter({ dir, writer }))
      await opened.open((message) => reports.push(message))
      const task = newTask()
      await opened.put(task)
      expect(await opened.get(task.id)).toEqual(task)
      expect(readdirSync(dir)).toContain('tasks.db-wal')
      await opened.close()
      expect(reports).toEqual(onlyReport(`${file}-mark is missing`))
      expect(await open()).toMatchObject({ ids: { size: 11 }, reports: [] })
    },
  )

  it('of which nothing can be read is not salvaged to an empty one', async () => {
    change(file, (bytes) => void bytes.fill(0, 4096))
    const before = readFileSync(file)
    await expect(open('salvage')).rejects.toThrow('Tried just now: no record can be read')
    expect(readFileSync(file).equals(before)).toBe(true)
  })

  it('of a newer Errand is refused, and never salvaged', async () => {
    const other = new DatabaseSync(file)
    other.exec('PRAGMA user_version = 2')
    other.close()
    await expect(open('salvage')).rejects.toThrow(
      `The task store ${file} has format 2, which this Errand does not know`,
    )
  })
})

describe('a lock file', () => {
  it('that is damaged is named, with what to do', async () => {
    writeFileSync(`${file}-lock`, 'To whom it may concern. '.repeat(50))
    await expect(open()).rejects.toThrow(`The lock file ${file}-lock can't be used: file is not a database`)
    rmSync(`${file}-lock`)
    expect(await open()).toMatchObject({ reports: [] })
    expect(existsSync(`${file}-lock`)).toBe(true)
  })
})
