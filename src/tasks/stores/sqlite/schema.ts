/** What is in the file of a store: its tables, how it is made, and whether a file is one. */
import { closeSync, fsyncSync, openSync, readSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Database, Sqlite } from './load.ts'

/** 'Errd': tells our files from those of others. */
const APPLICATION_ID = 0x45727264

/** Raised when an older Errand could not use the file. */
export const VERSION = 1

/** Sums are kept to 32 bits. */
const MASK = 0xffffffff

/**
 * Rows are found by their key alone, so they live in its tree: half the pages of a table with a separate
 * index. `state` counts commits, and knows how many rows there are and the sum of their checksums: a row
 * that vanished, or came back as it was before, is noticed though SQLite finds nothing wrong.
 */
const TABLES = [
  `CREATE TABLE entry (key TEXT PRIMARY KEY, sum INTEGER NOT NULL, expires INTEGER, value TEXT NOT NULL) WITHOUT ROWID`,
  `CREATE TABLE state (commits INTEGER NOT NULL, rows INTEGER NOT NULL, sum INTEGER NOT NULL)`,
  `CREATE TRIGGER inserted AFTER INSERT ON entry BEGIN
    UPDATE state SET rows = rows + 1, sum = (sum + new.sum) & ${MASK}; END`,
  `CREATE TRIGGER updated AFTER UPDATE ON entry BEGIN
    UPDATE state SET sum = (sum + new.sum - old.sum) & ${MASK}; END`,
  `CREATE TRIGGER deleted AFTER DELETE ON entry BEGIN
    UPDATE state SET rows = rows - 1, sum = (sum - old.sum) & ${MASK}; END`,
]

/** What `state` should say of the rows. */
export const TOTALS = `SELECT count(*) AS rows, coalesce(sum(sum), 0) & ${MASK} AS sum FROM entry`

const CREATE = `
  PRAGMA journal_mode = WAL;
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${VERSION};
  ${TABLES.join(';\n')};
  INSERT INTO state VALUES (0, 0, 0);
`

/** Made under another name and moved into place, so that an empty or half-made file is always damage. */
export const createDraft = ({ DatabaseSync }: Sqlite, path: string): string => {
  const draft = `${path}.new`
  for (const file of [draft, `${draft}-wal`, `${draft}-shm`]) rmSync(file, { force: true })
  const db = new DatabaseSync(draft)
  db.exec(CREATE)
  db.close()
  return draft
}

export const moveIntoPlace = (draft: string, path: string): void => {
  renameSync(draft, path)
  syncDirectory(dirname(path))
}

/** Makes `state` say what the rows are. */
export const adoptRows = ({ DatabaseSync }: Sqlite, path: string): void => {
  const db = new DatabaseSync(path)
  db.exec(`UPDATE state SET (rows, sum) = (${TOTALS})`)
  db.close()
}

/** Makes a new name survive a power cut. */
export const syncDirectory = (dir: string): void => {
  if (process.platform === 'win32') return // can't open directories, and doesn't need to
  const handle = openSync(dir, 'r')
  fsyncSync(handle)
  closeSync(handle)
}

const MAGIC = 'SQLite format 3\0'

/** 2: with a write-ahead log. The file says it twice, for reading and for writing. */
const WITH_LOG = 0x0202

/** As `VACUUM INTO` makes a backup. */
const WITHOUT_LOG = 0x0101

export const isLogEmpty = (path: string): boolean => !statSync(`${path}-wal`, { throwIfNoEntry: false })?.size

/**
 * Looks at the head of a file before SQLite does, which removes the log of an empty file, and leaves out the
 * log of one that seems to have none.
 * @throws Error when it is not that of a store
 */
export const checkHead = (path: string): void => {
  const head = Buffer.alloc(100)
  const file = openSync(path, 'r')
  readSync(file, head)
  closeSync(file)
  const mode = head.readUInt16BE(18)
  const isStore =
    head.toString('latin1', 0, 16) === MAGIC &&
    (mode === WITH_LOG || (mode === WITHOUT_LOG && isLogEmpty(path))) &&
    head.readUInt32BE(68) === APPLICATION_ID
  if (!isStore) throw new Error('it is empty, its first bytes are damaged, or it belongs to another program')
}

/** The version of a file's format. */
export const versionOf = (db: Database): number =>
  Number(db.prepare('PRAGMA user_version').get()?.['user_version'])

/** @throws Error when the tables are not as they were made */
export const checkTables = (db: Database): void => {
  const found = db.prepare('SELECT sql FROM sqlite_schema').all()
  if (!TABLES.every((sql) => found.some((row) => row['sql'] === sql)))
    throw new Error('its tables are not those that Errand makes')
}
