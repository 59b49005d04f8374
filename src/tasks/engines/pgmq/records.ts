/** Reads records: by id, a page of them, how many are queued. */
import { isTaskId } from '../../id.ts'
import type { Census, StoredPage, TaskQuery } from '../../engine.ts'
import type { StoredTask } from '../../stored-task.ts'
import { toArray } from './arrays.ts'
import { Batch } from './batch.ts'
import { fromCursor, toCursor } from './cursor.ts'
import type { Place } from './place.ts'
import { ownerOf, readTask } from './rows.ts'
import { fromText, toText } from './text.ts'

/** What a cursor says of no place. */
const START = { micros: null, id: null } as const

const textOrNull = (value: string | undefined): string | null => (value === undefined ? null : toText(value))

/** Reads only. */
export class Records {
  readonly #place: Pick<Place, 'database' | 'sql'>
  /** The most that `depth` counts. */
  readonly #deepest: number
  readonly #byId = new Batch<string, StoredTask | undefined>({ work: (ids) => this.#read(ids) })

  constructor(place: Pick<Place, 'database' | 'sql'>, deepest: number) {
    this.#place = place
    this.#deepest = deepest
  }

  async get(id: string): Promise<StoredTask | undefined> {
    return isTaskId(id) ? this.#byId.add(id) : undefined
  }

  async list({ procedure, status, tag, owner, cursor, limit }: TaskQuery): Promise<StoredPage> {
    const { database, sql } = this.#place
    const { micros, id } = cursor === undefined ? START : fromCursor(cursor)
    const rows = await database.query(sql.list, [
      textOrNull(procedure),
      status ?? null,
      textOrNull(tag),
      owner === undefined ? null : ownerOf({ owner }),
      micros,
      id,
      limit + 1,
    ])
    const items = rows.slice(0, limit).map(readTask)
    const last = rows.length > limit ? items.at(-1) : undefined
    if (!last) return { items }
    return { items, nextCursor: toCursor({ micros: rows[limit - 1]?.['place'] as string, id: last.id }) }
  }

  async depth(): Promise<number> {
    const { database, sql } = this.#place
    const [row] = await database.query(sql.depth, [this.#deepest])
    return Number(row?.['depth'])
  }

  async census(procedures: readonly string[]): Promise<readonly Census[]> {
    const { database, sql } = this.#place
    const rows = await database.query(sql.census, [toArray(procedures.map(toText))])
    return rows.map(({ procedure, due, delayed, running, waited }) => ({
      procedure: fromText(procedure as string),
      due: Number(due),
      delayed: Number(delayed),
      running: Number(running),
      ...(waited === null ? {} : { waited: Math.max(0, Number(waited)) }),
    }))
  }

  async #read(ids: readonly string[]): Promise<readonly (StoredTask | undefined)[]> {
    const { database, sql } = this.#place
    const tasks = (await database.query(sql.get, [toArray([...new Set(ids)])])).map(readTask)
    const byId = new Map(tasks.map((task) => [task.id, task]))
    return ids.map((id) => byId.get(id))
  }
}
