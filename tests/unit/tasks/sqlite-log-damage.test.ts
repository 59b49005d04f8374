/** What a start notices of the log and of the mark, one damage at a time. Random ones: integration/store-corruption. */
import { copyFileSync, readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { newTask } from 'errand/testing/suites'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { KeyvStore } from '../../../src/tasks/stores/keyv-store.ts'
import { SqliteAdapter } from '../../../src/tasks/stores/sqlite.ts'
import { flip, KilledStore, onlyReport } from '../../support/damage/killed-store.ts'

const FRAME = 4096 + 24

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

/** As if the machine had been started again since, with a mark of a few commits ago. */
const cutPower = (commits: number): void => {
  const text = `errand-mark 1 ${String(commits).padStart(16)} 00000000-0000-0000-0000-000000000000 `
  writeFileSync(`${file}-mark`, `${text}${String(crc32(text)).padStart(10)}\n`)
}

describe('a log', () => {
  it('is whole after a kill, and nothing is reported', async () => {
    expect(await open()).toEqual({ ids: new Set(tasks.map(({ id }) => id)), reports: [] })
    expect(await open()).toMatchObject({ reports: [] })
  })

  it('that was cut off at the end of a commit is told from one that ended there', async () => {
    truncateSync(store.log, 32 + 6 * FRAME)
    const { ids, reports } = await open()
    expect(ids.size).toBe(8)
    expect(reports).toEqual(onlyReport(`The last 2 of 10 commits to the task store ${file} are missing`))
    expect(await open()).toEqual({ ids, reports: [] })
  })

  it('that is gone is missed', async () => {
    rmSync(store.log)
    expect(await open()).toMatchObject({ reports: onlyReport('The last 5 of 10 commits') })
  })

  it('that is damaged in the middle is refused, as long as there is something to save', async () => {
    flip(store.log, 32 + 5 * FRAME + 2000)
    await expect(open()).rejects.toThrow(
      `The task store ${file} is damaged: 3 acknowledged commits are missing, and 3 in ${store.log} lie behind a damaged`,
    )
    await expect(open()).rejects.toThrow(`start with local({ onDamage: 'salvage' })`)
  })

  it('that is damaged is kept aside by a salvage, which goes on with what came before', async () => {
    flip(store.log, 32 + 5 * FRAME + 2000)
    const { ids, reports } = await open('salvage')
    expect([...ids].sort()).toEqual(
      tasks
        .slice(0, 7)
        .map(({ id }) => id)
        .sort(),
    )
    expect(reports).toEqual(onlyReport('was damaged. 7 rows could be read and are used'))
    expect(readdirSync(dir).filter((name) => name.includes('damaged'))).toHaveLength(2)
    expect(await open()).toEqual({ ids, reports: [] })
  })

  describe('after a power cut', () => {
    it('may hold a last commit that was never acknowledged: that is said', async () => {
      cutPower(9)
      flip(store.log, 32 + 9 * FRAME + 100)
      const { ids, reports } = await open()
      expect(ids.size).toBe(9)
      expect(reports).toEqual(onlyReport('The last commit to the task store'))
      expect(await open()).toEqual({ ids, reports: [] })
    })

    it('is refused where two commits lie behind the damage, for one at least was acknowledged', async () => {
      cutPower(8)
      flip(store.log, 32 + 7 * FRAME + 100)
      await expect(open()).rejects.toThrow('of its commits 2 in')
    })

    it('is whole when the mark is behind', async () => {
      cutPower(3)
      expect(await open()).toMatchObject({ reports: [], ids: { size: 10 } })
    })
  })

  it('of another store is not taken for that of a new one', async () => {
    rmSync(file)
    await expect(open()).rejects.toThrow(
      `The task store ${file} is missing, and there is ${store.log} and ${file}-mark`,
    )
    rmSync(store.log)
    await expect(open()).rejects.toThrow(`there is ${file}-mark, which belongs to it`)
    rmSync(`${file}-mark`)
    expect(await open()).toMatchObject({ reports: [], ids: { size: 0 } })
  })
})

describe('a mark', () => {
  it.each<[string, () => void]>([
    ['missing', () => rmSync(`${file}-mark`)],
    ['damaged', () => flip(`${file}-mark`, 30)],
  ])('that is %s is reported, once', async (how, damage) => {
    damage()
    const { ids, reports } = await open()
    expect(ids.size).toBe(10)
    expect(reports).toEqual(onlyReport(`${file}-mark is ${how}, so it can't be told whether`))
    expect(await open()).toEqual({ ids, reports: [] })
  })

  it('tells a store from an older copy of it', async () => {
    copyFileSync(join(store.root, 'live', 'tasks.db'), join(store.root, 'copy'))
    const opened = new KeyvStore(new SqliteAdapter({ dir: join(store.root, 'live') }))
    await opened.open((message) => expect.unreachable(message))
    await opened.put(newTask())
    await opened.close()
    copyFileSync(join(store.root, 'copy'), join(store.root, 'live', 'tasks.db'))
    expect(await open('refuse', store.live)).toMatchObject({
      reports: onlyReport('Was it restored from a backup'),
    })
  })
})
