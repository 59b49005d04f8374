/** The connection that reads. It sees every commit as soon as it is made, whoever makes it. */
import type { StatementSync } from 'node:sqlite'
import { damaged, isDamage } from './failures.ts'
import type { Database } from './load.ts'
import type { Row } from './row.ts'

/** A page ends with so many rows, or so many characters. */
const PAGE_ROWS = 500
const PAGE_LENGTH = 1_000_000

const ROW = 'SELECT key, sum, expires, value FROM entry'

/** Reads rows. */
export class SqliteReader {
  readonly #db: Database
  readonly #path: string
  readonly #one: StatementSync
  readonly #range: StatementSync

  constructor(db: Database, path: string) {
    this.#db = db
    this.#path = path
    this.#one = db.prepare(`${ROW} WHERE key = ?`)
    this.#range = db.prepare(`${ROW} WHERE key > ? AND key < ? ORDER BY key`)
  }

  read(key: string): Row | undefined {
    // The statement selects exactly the fields of a row.
    return this.#try(() => this.#one.get(key) as unknown as Row | undefined)
  }

  /** The first rows between two keys. */
  page(after: string, before: string | Uint8Array): readonly Row[] {
    return this.#try(() => {
      const page: Row[] = []
      let length = 0
      for (const found of this.#range.iterate(after, before)) {
        const row = found as unknown as Row
        page.push(row)
        length += row.value.length
        if (page.length >= PAGE_ROWS || length >= PAGE_LENGTH) break
      }
      return page
    })
  }

  close(): void {
    this.#db.close()
  }

  #try<T>(work: () => T): T {
    try {
      return work()
    } catch (error) {
      throw isDamage(error) ? damaged(this.#path, error) : error
    }
  }
}
