/** Node's own SQLite, loaded when it is needed: on Node 22 the import prints an experimental warning. */
import type { DatabaseSync } from 'node:sqlite'

export type Sqlite = typeof import('node:sqlite')
export type Database = DatabaseSync

/** @throws Error when this Node has none */
export const loadSqlite = async (): Promise<Sqlite> => {
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
