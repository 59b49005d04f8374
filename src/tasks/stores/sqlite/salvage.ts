/** Goes on with what can be read of a damaged store, and keeps the damaged files. */
import { copyFileSync, existsSync, rmSync } from 'node:fs'
import type { Report } from '../../store.ts'
import { CommitMark } from './commit-mark.ts'
import { DamagedStore } from './failures.ts'
import type { Database, Sqlite } from './load.ts'
import { isIntact, type Row } from './row.ts'
import { checkHead, createDraft, moveIntoPlace } from './schema.ts'

/** Which store, and who is told. */
export interface SalvageOptions {
  readonly path: string
  readonly report: Report
}

/**
 * Makes a new file of the rows that can be read.
 * @throws DamagedStore when there are none: to start empty is for a human to decide
 */
export const salvage = (
  sqlite: Sqlite,
  { message }: DamagedStore,
  { path, report }: SalvageOptions,
): void => {
  const rows = hasHead(path) ? readRows(sqlite, path) : new Map<string, Row>()
  if (rows.size === 0) throw new DamagedStore(`${message}. Tried just now: no record can be read`)
  const aside = keepAside(path)
  const draft = createDraft(sqlite, path)
  fill(sqlite, draft, rows.values())
  // Beside the new file it would be taken for its log. A process that is killed here leaves the copies.
  for (const end of ['-wal', '-shm']) rmSync(path + end, { force: true })
  moveIntoPlace(draft, path)
  new CommitMark(path, 0).close(0)
  report(
    `The task store ${path} was damaged. ${rows.size} rows could be read and are used; others, and what was in ` +
      `its log behind a damaged place, are lost. The damaged files were kept as ${aside.join(', ')}`,
  )
}

/** Without one SQLite reads nothing, and may remove the log. */
const hasHead = (path: string): boolean => {
  try {
    checkHead(path)
    return true
  } catch {
    return false
  }
}

/** From both ends up to the first damaged place. */
const readRows = ({ DatabaseSync }: Sqlite, path: string): ReadonlyMap<string, Row> => {
  const rows = new Map<string, Row>()
  const db = new DatabaseSync(path, { readOnly: true, timeout: 5000 })
  for (const order of ['ASC', 'DESC'] as const) collect(db, order, rows)
  db.close()
  return rows
}

const collect = (db: Database, order: 'ASC' | 'DESC', rows: Map<string, Row>): void => {
  try {
    const all = db.prepare(`SELECT key, sum, expires, value FROM entry ORDER BY key ${order}`)
    for (const found of all.iterate()) {
      const row = found as unknown as Row
      if (isIntact(row)) rows.set(row.key, row)
    }
  } catch {
    // The damaged place.
  }
}

const fill = ({ DatabaseSync }: Sqlite, path: string, rows: Iterable<Row>): void => {
  const db = new DatabaseSync(path)
  const insert = db.prepare('INSERT INTO entry VALUES (?, ?, ?, ?)')
  db.exec('BEGIN')
  for (const { key, sum, expires, value } of rows) insert.run(key, sum, expires, value)
  db.exec('COMMIT')
  db.close()
}

const keepAside = (path: string): readonly string[] => {
  const name = `${path}.damaged-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`
  const files = ['', '-wal'].filter((end) => existsSync(path + end))
  for (const end of files) copyFileSync(path + end, name + end)
  return files.map((end) => name + end)
}
