/** The connection that writes, and what any other writer has to do. */
import type { StatementSync } from 'node:sqlite'
import type { Commit, Write, WriteResult } from '../group-commit.ts'
import { CommitMark } from './commit-mark.ts'
import { damaged, isDamage } from './failures.ts'
import { loadSqlite, type Database } from './load.ts'

/** Makes commits, one at a time. */
export interface Writer {
  readonly commit: Commit
  /** How long the event loop waited for the disk at the last commit, in ms; nothing when it did not. */
  readonly waited?: number
  close(): void | Promise<void>
}

// FULL: a commit is on the disk before it is acknowledged. Checkpoints each 16 MB instead of 4. What an earlier
// process left in the log goes into the file first, so that the log holds nothing but what comes from now on.
const SETTINGS = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  PRAGMA wal_autocheckpoint = 4000;
  PRAGMA wal_checkpoint(TRUNCATE);
`

const STATEMENTS = {
  put: `INSERT INTO entry VALUES (?, ?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET sum = excluded.sum, expires = excluded.expires, value = excluded.value`,
  delete: 'DELETE FROM entry WHERE key = ?',
  expire: 'DELETE FROM entry WHERE key = ? AND expires <= ?',
  clear: 'DELETE FROM entry WHERE key >= ? AND key < ?',
} as const satisfies Record<Write['kind'], string>

/** Opens the connection that writes to a store, of which there must be no other. */
export const openWriter = async (path: string): Promise<SqliteWriter> => {
  const { DatabaseSync } = await loadSqlite()
  const db = new DatabaseSync(path, { timeout: 5000 })
  try {
    return new SqliteWriter(db, path)
  } catch (error) {
    db.close()
    throw error
  }
}

/** Writes on the thread that calls it. */
export class SqliteWriter implements Writer {
  waited = 0
  readonly #path: string
  readonly #db: Database
  readonly #mark: CommitMark
  readonly #writes: Record<Write['kind'], StatementSync>
  readonly #begin: StatementSync
  readonly #count: StatementSync
  readonly #end: StatementSync
  #commits: number

  constructor(db: Database, path: string) {
    this.#path = path
    this.#db = db
    db.exec(SETTINGS)
    this.#writes = {
      put: db.prepare(STATEMENTS.put),
      delete: db.prepare(STATEMENTS.delete),
      expire: db.prepare(STATEMENTS.expire),
      clear: db.prepare(STATEMENTS.clear),
    }
    this.#begin = db.prepare('BEGIN IMMEDIATE')
    this.#count = db.prepare('UPDATE state SET commits = commits + 1 RETURNING commits')
    this.#end = db.prepare('COMMIT')
    this.#commits = Number(db.prepare('SELECT commits FROM state').get()?.['commits'])
    this.#mark = new CommitMark(path, this.#commits)
  }

  /**
   * Makes all writes in one transaction, or throws and makes none. One that fails alone is reported alone.
   */
  commit(writes: readonly Write[]): readonly WriteResult[] {
    try {
      this.#begin.run()
      const results = writes.map((write) => this.#write(write))
      const commits = Number(this.#count.get()?.['commits'])
      this.#finish()
      this.#commits = commits
      this.#mark.write(commits)
      return results
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
      throw isDamage(error) ? damaged(this.#path, error) : error
    }
  }

  /** The last connection to close moves the log into the file. */
  close(): void {
    this.#db.close()
    this.#mark.close(this.#commits)
  }

  #finish(): void {
    const from = performance.now()
    this.#end.run()
    this.waited = performance.now() - from
  }

  #write({ kind, values }: Write): WriteResult {
    try {
      return Number(this.#writes[kind].run(...values).changes)
    } catch (error) {
      // A full disk ends the transaction, and with it all that was written before.
      if (!this.#db.isTransaction) throw error
      return error as Error
    }
  }
}
