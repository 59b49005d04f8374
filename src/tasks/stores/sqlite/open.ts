/** Opens a store: lock, checks, the connection that reads and the writer. */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { CommitMark, readMark } from './commit-mark.ts'
import { DamagedStore, missing } from './failures.ts'
import { loadSqlite, type Database, type Sqlite } from './load.ts'
import { takeLock } from './lock.ts'
import { MovingWriter } from './moving-writer.ts'
import { SqliteReader } from './reader.ts'
import { salvage } from './salvage.ts'
import { adoptRows, createDraft, isLogEmpty, moveIntoPlace } from './schema.ts'
import { verify, verifyHead, type VerifyOptions } from './verify.ts'
import { openWriterThread } from './writer-thread.ts'
import { openWriter, type Writer } from './writer.ts'

/** Where commits are made: on the event loop, in a thread, or in a thread once the disk proves slow. */
export type WriterPlace = 'auto' | 'inline' | 'thread'

/** An open store. */
export interface OpenStore {
  readonly reader: SqliteReader
  readonly writer: Writer
  /** When nothing is being written any more. */
  close(): Promise<void>
}

/** What to do with a damaged store: refuse it, or set it aside and go on with what can be read. */
export type OnDamage = 'refuse' | 'salvage'

/** How to open one. */
export interface OpenOptions extends VerifyOptions {
  readonly writer: WriterPlace
  readonly onDamage: OnDamage
}

/**
 * Opens a file, and makes it where there is none.
 * @throws Error when another process owns it or when it is damaged
 */
export const openStore = async (options: OpenOptions): Promise<OpenStore> => {
  const { path } = options
  const sqlite = await loadSqlite()
  makeDirectory(dirname(path))
  const lock = await takeLock(sqlite, path)
  try {
    if (!existsSync(path)) create(sqlite, path)
    const reader = openOrSalvage(sqlite, options)
    return await withWriter(reader, lock, options)
  } catch (error) {
    lock.close()
    throw error
  }
}

const makeDirectory = (dir: string): void => {
  if (existsSync(dir)) return
  // Inputs and results of tasks are nobody else's business, nor the repository's.
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  writeFileSync(join(dir, '.gitignore'), '*\n')
}

/** Never beside what is left of another: its log would be taken for the new one's. */
const create = (sqlite: Sqlite, path: string): void => {
  const mark = readMark(path)
  const left = [
    ...(isLogEmpty(path) ? [] : [`${path}-wal`]),
    ...(typeof mark === 'object' && mark.commits > 0 ? [`${path}-mark`] : []),
  ]
  if (left.length > 0) throw missing(path, left)
  new CommitMark(path, 0).close(0) // First, so that a store without one has lost it.
  moveIntoPlace(createDraft(sqlite, path), path)
}

const openOrSalvage = (sqlite: Sqlite, options: OpenOptions): SqliteReader => {
  try {
    return openReader(sqlite, options)
  } catch (error) {
    if (!(error instanceof DamagedStore) || options.onDamage === 'refuse') throw error
    salvage(sqlite, error, options)
    return openReader(sqlite, options)
  }
}

const openReader = (sqlite: Sqlite, options: OpenOptions): SqliteReader => {
  const { path } = options
  verifyHead(path)
  // A connection that only reads changes neither the file nor its log, whatever it finds.
  const db = new sqlite.DatabaseSync(path, { readOnly: true, timeout: 5000 })
  try {
    if (!verify(db, options)) adoptRows(sqlite, path)
    return new SqliteReader(db, path)
  } catch (error) {
    db.close()
    throw error
  }
}

const withWriter = async (reader: SqliteReader, lock: Database, options: OpenOptions): Promise<OpenStore> => {
  try {
    const writer = await openAt(options)
    return { reader, writer, close: () => closeAll(reader, writer, lock) }
  } catch (error) {
    reader.close()
    throw error
  }
}

const openAt = ({ writer, path, report }: OpenOptions): Promise<Writer> => {
  const inline = () => openWriter(path)
  const thread = () => openWriterThread(path)
  if (writer === 'inline') return inline()
  return writer === 'thread' ? thread() : new MovingWriter({ inline, thread, report }).open()
}

/** The writer after the reader: the last one moves the log into the file. */
const closeAll = async (reader: SqliteReader, writer: Writer, lock: Database): Promise<void> => {
  try {
    reader.close()
    await writer.close()
  } finally {
    lock.close()
  }
}
