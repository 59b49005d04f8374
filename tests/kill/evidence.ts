/** Everything there is to judge by, gathered once all has ended. */
import type { TaskRecord } from 'errand'
import type { Client } from './client.ts'
import type { Note } from './notes.ts'
import type { Recovery } from './recovery.ts'
import type { Testimony } from './testimony.ts'

/** One life of a host. */
export interface Life {
  readonly pid: number
  readonly startedAt: number
  /** When it served, if it came to that. */
  readyAt?: number
  endedAt?: number
}

/** What is known in the end. */
export interface Evidence {
  readonly told: Testimony
  /** Every record there is, by id, read when nothing was left to do. */
  readonly records: ReadonlyMap<string, TaskRecord>
  /** The same after one more restart. */
  readonly reread: ReadonlyMap<string, TaskRecord>
  /** What was listed twice or more. */
  readonly listedTwice: readonly string[]
  readonly notes: readonly Note[]
  readonly lives: readonly Life[]
  readonly recoveries: readonly Recovery[]
  /** Whether the server was killed, too, of which hosts may speak. */
  readonly hadOutages: boolean
  /** What hosts wrote to their logs and to standard error. */
  readonly logs: readonly string[]
  readonly recoversWithin: number
}

/** So many at once. */
const BATCH = 50

/** All records in full, with the ids that a list gave more than once. */
export const readAll = async (
  client: Client,
  told: Iterable<string>,
): Promise<{ records: Map<string, TaskRecord>; listedTwice: string[] }> => {
  const ids = new Set<string>()
  const listedTwice: string[] = []
  for await (const { id } of client.list()) {
    if (ids.has(id)) listedTwice.push(id)
    ids.add(id)
  }
  const all = [...new Set([...ids, ...told])]
  const records = new Map<string, TaskRecord>()
  const read = async (id: string): Promise<void> => {
    const { status, record } = await client.send('GET', `/tasks/${id}`)
    if (status === 200) records.set(id, record)
  }
  for (let from = 0; from < all.length; from += BATCH)
    await Promise.all(all.slice(from, from + BATCH).map(read))
  return { records, listedTwice }
}

/** Notes by task. */
export const byTask = (notes: readonly Note[]): Map<string, Note[]> => Map.groupBy(notes, ({ id }) => id)
