/** A store on disk that was killed, how it is damaged, and how it is opened again. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { newTask } from 'errand/testing/suites'
import { expect } from 'vitest'
import { KeyvStore } from '../../../src/tasks/stores/keyv-store.ts'
import { SqliteAdapter } from '../../../src/tasks/stores/sqlite.ts'
import type { OnDamage } from '../../../src/tasks/stores/sqlite/open.ts'
import type { StoredTask } from '../../../src/tasks/stored-task.ts'

/** Ten tasks, of which five are in the file and five in the log, each in a commit of its own. */
export class KilledStore {
  readonly root = mkdtempSync(join(tmpdir(), 'errand-damage-'))
  /** Where the store was that was not killed. */
  readonly live = join(this.root, 'live')
  readonly dir = join(this.root, 'killed')
  readonly file = join(this.dir, 'tasks.db')
  readonly log = `${this.file}-wal`
  readonly mark = `${this.file}-mark`
  readonly tasks: readonly StoredTask[] = Array.from({ length: 10 }, () => newTask())

  async make(): Promise<void> {
    const put = async (some: readonly StoredTask[], then: () => void) => {
      const store = new KeyvStore(new SqliteAdapter({ dir: this.live, writer: 'inline' }))
      await store.open((message) => expect.unreachable(message))
      for (const task of some) await store.put(task)
      then()
      await store.close()
    }
    await put(this.tasks.slice(0, 5), () => {})
    await put(this.tasks.slice(5), () => cpSync(this.live, this.dir, { recursive: true }))
  }

  /** Which tasks are there, and what was reported. */
  async open(onDamage: OnDamage = 'refuse', dir = this.dir) {
    const reports: string[] = []
    const store = new KeyvStore(new SqliteAdapter({ dir, onDamage }))
    await store.open((message) => reports.push(message))
    try {
      const ids = new Set<string>()
      for await (const task of store.loadAll()) ids.add(task.id)
      return { ids, reports }
    } finally {
      await store.close()
    }
  }

  dispose(): void {
    rmSync(this.root, { recursive: true })
  }
}

export const change = (path: string, edit: (bytes: Buffer) => void): void => {
  const bytes = readFileSync(path)
  edit(bytes)
  writeFileSync(path, bytes)
}

/** Changes one bit. */
export const flip = (path: string, at: number): void => change(path, (bytes) => void (bytes[at]! ^= 1))

/** Nothing but one report with these words. */
export const onlyReport = (text: string) => [expect.stringContaining(text)]
