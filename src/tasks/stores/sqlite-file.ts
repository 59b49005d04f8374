/** One SQLite file of key-value rows: where it is, how it is made, locked, opened, read and written. */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Write, WriteResult } from './group-commit.ts'

type Sqlite = typeof import('node:sqlite')

/** A stored value with its end. */
export interface Row {
  readonly key: string
  readonly value: string
  readonly expires: number | null
}

/** 'Errd': tells our files from those of others. */
const APPLICATION_ID = 0x45727264

// Rows are found by their key alone, so they live in its tree: half the pages of a table with a separate
// index.
const SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = 1;
  CREATE TABLE entry (key TEXT PRIMARY KEY, value TEXT NOT NULL, expires INTEGER) WITHOUT ROWID;
`

// FULL: a commit is on the disk before it is acknowledged. Checkpoints each 16 MB instead of 4.
const SETTINGS = 'PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000'

const STATEMENTS = {
  put: `INSERT INTO entry VALUES (?, ?, ?)
    ON CONFLICT (key) DO UPDATE SET value = excluded.value, expires = excluded.expires`,
  delete: 'DELETE FROM entry WHERE key = ?',
  expire: 'DELETE FROM entry WHERE key = ? AND expires <= ?',
  clear: 'DELETE FROM entry WHERE key >= ? AND key < ?',
} as const satisfies Record<Write['kind'], string>

/** An open file. */
export class SqliteFile {
  readonly #path: string
  readonly #db: DatabaseSync
  readonly #lock: DatabaseSync | undefined
  readonly #writes: Record<Write['kind'], StatementSync>
  readonly #begin: StatementSync
  readonly #end: StatementSync
  readonly #read: StatementSync
  readonly #page: StatementSync

  constructor(path: string, db: DatabaseSync, lock: DatabaseSync | undefined) {
    this.#path = path
    this.#db = db
    this.#lock = lock
    this.#writes = {
      put: db.prepare(STATEMENTS.put),
      delete: db.prepare(STATEMENTS.delete),
      expire: db.prepare(STATEMENTS.expire),
      clear: db.prepare(STATEMENTS.clear),
    }
    this.#begin = db.prepare('BEGIN IMMEDIATE')
    this.#end = db.prepare('COMMIT')
    this.#read = db.prepare('SELECT key, value, expires FROM entry WHERE key = ?')
    this.#page = db.prepare(
      'SELECT key, value, expires FROM entry WHERE key > ? AND key < ? ORDER BY key LIMIT 100',
    )
  }

  read(key: string): Row | undefined {
    // The statement selects exactly the fields of a row.
    return this.#try(() => this.#read.get(key) as unknown as Row | undefined)
  }

  /** Rows between two keys, a page at a time. */
  page(after: string, before: string | Uint8Array): readonly Row[] {
    return this.#try(() => this.#page.all(after, before) as unknown as Row[])
  }

  /**
   * Makes all writes in one transaction, or throws and makes none. One that fails alone is reported alone.
   */
  commit(writes: readonly Write[]): readonly WriteResult[] {
    return this.#try(() => {
      this.#begin.run()
      try {
        const results = writes.map((write) => this.#write(write))
        this.#end.run()
        return results
      } catch (error) {
        if (this.#db.isTransaction) this.#db.exec('ROLLBACK')
        throw error
      }
    })
  }

  close(): void {
    this.#db.close()
    this.#lock?.close()
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

  #try<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      throw isDamage(error) ? damaged(this.#path, error) : error
    }
  }
}

/**
 * Opens a file, and makes it where there is none.
 * @throws Error when another process owns it or when it is damaged
 */
export const openSqliteFile = async (
  path: string,
  options: { readonly exclusive: boolean },
): Promise<SqliteFile> => {
  const sqlite = await loadSqlite()
  makeDirectory(dirname(path))
  const lock = options.exclusive ? await takeLock(sqlite, path) : undefined
  try {
    if (!existsSync(path)) createFile(sqlite, path)
    return new SqliteFile(path, openDatabase(sqlite, path), lock)
  } catch (error) {
    lock?.close()
    throw isDamage(error) ? damaged(path, error) : error
  }
}

/** Only when it is needed: on Node 22 the import prints an experimental warning. */
const loadSqlite = async (): Promise<Sqlite> => {
  try {
    return await import('node:sqlite')
  } catch (cause) {
    const message = `The embedded task store needs node:sqlite, which Node ${process.version} lacks. `
    throw new Error(
      `${message}Use Node 22.18 or later, or local({ store: 'memory' }) to go without a file.`,
      { cause },
    )
  }
}

const makeDirectory = (dir: string): void => {
  if (existsSync(dir)) return
  // Inputs and results of tasks are nobody else's business, nor the repository's.
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  writeFileSync(join(dir, '.gitignore'), '*\n')
}

/** How long a process that is about to end may still hold the lock while its successor starts. */
const LOCK_WAIT = 1000

/**
 * The lock is an open transaction on a database of its own. The system releases it when the process dies,
 * however it dies; a file with a process id would stay.
 */
const takeLock = async (sqlite: Sqlite, path: string): Promise<DatabaseSync> => {
  const giveUpAt = Date.now() + LOCK_WAIT
  for (;;) {
    const lock = tryLock(sqlite, `${path}-lock`)
    if (lock) return lock
    if (Date.now() >= giveUpAt) throw locked(path)
    await sleep(50)
  }
}

const tryLock = (sqlite: Sqlite, path: string): DatabaseSync | undefined => {
  const db = new sqlite.DatabaseSync(path, { timeout: 0 })
  try {
    db.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE') // Nothing is ever written: no journal file.
    return db
  } catch (error) {
    db.close()
    if (errorCode(error) === SQLITE_BUSY) return undefined
    throw error
  }
}

/** Made under another name and moved into place, so that an empty or half-made file is always damage. */
const createFile = (sqlite: Sqlite, path: string): void => {
  const draft = `${path}.new`
  for (const file of [draft, `${draft}-wal`, `${draft}-shm`]) rmSync(file, { force: true })
  const db = new sqlite.DatabaseSync(draft)
  db.exec(SCHEMA)
  db.close()
  renameSync(draft, path)
  syncDirectory(dirname(path))
}

/** Makes the new name survive a power cut. */
const syncDirectory = (dir: string): void => {
  if (process.platform === 'win32') return // can't open directories, and doesn't need to
  const handle = openSync(dir, 'r')
  fsyncSync(handle)
  closeSync(handle)
}

const openDatabase = (sqlite: Sqlite, path: string): DatabaseSync => {
  const db = new sqlite.DatabaseSync(path, { timeout: 5000 })
  try {
    const id = db.prepare('PRAGMA application_id').get()?.['application_id']
    if (id !== APPLICATION_ID) throw damaged(path, new Error('it is empty or belongs to another program'))
    db.exec(SETTINGS)
    return db
  } catch (error) {
    db.close()
    throw error
  }
}

const SQLITE_BUSY = 5
const SQLITE_CORRUPT = 11
const SQLITE_NOTADB = 26

/** SQLite's primary result code, without the extension in the upper bits. */
const errorCode = (error: unknown): number =>
  Number((error as { errcode?: number } | undefined)?.errcode) & 0xff

const isDamage = (error: unknown): boolean => [SQLITE_CORRUPT, SQLITE_NOTADB].includes(errorCode(error))

const damaged = (path: string, cause: unknown): Error =>
  new Error(
    `The task store ${path} can't be read: ${(cause as Error).message}. Nothing in it was changed. ` +
      `Restore a backup, or save what can be saved with \`sqlite3 ${path} .recover\`, ` +
      'or move it away together with its -wal and -shm files to start empty.',
    { cause },
  )

const locked = (path: string): Error =>
  new Error(
    `The task store ${path} is in use by another process. Expected: one process per directory. ` +
      'Stop the other one, or give this one a directory of its own (local({ dir }) or ERRAND_DATA), ' +
      'or choose an engine for many processes.',
  )
