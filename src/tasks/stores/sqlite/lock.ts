/** The lock that makes one process the owner of a store. */
import { setTimeout as sleep } from 'node:timers/promises'
import { errorCode, locked, SQLITE_BUSY } from './failures.ts'
import type { Database, Sqlite } from './load.ts'

/** How long a process that is about to end may still hold the lock while its successor starts. */
const LOCK_WAIT = 1000

/**
 * The lock is an open transaction on a database of its own. The system releases it when the process dies,
 * however it dies; a file with a process id would stay.
 * @throws Error when another process holds it
 */
export const takeLock = async (sqlite: Sqlite, path: string): Promise<Database> => {
  const giveUpAt = Date.now() + LOCK_WAIT
  for (;;) {
    const lock = tryLock(sqlite, `${path}-lock`)
    if (lock) return lock
    if (Date.now() >= giveUpAt) throw locked(path)
    await sleep(50)
  }
}

const tryLock = (sqlite: Sqlite, path: string): Database | undefined => {
  const db = new sqlite.DatabaseSync(path, { timeout: 0 })
  try {
    db.exec('PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE') // Nothing is ever written: no journal file.
    return db
  } catch (error) {
    db.close()
    if (errorCode(error) === SQLITE_BUSY) return undefined
    throw unusable(path, error)
  }
}

const unusable = (path: string, cause: unknown): Error =>
  new Error(
    `The lock file ${path} can't be used: ${(cause as Error).message}. It holds nothing: ` +
      'see that no other process uses the store and that the file may be written, or remove it.',
    { cause },
  )
