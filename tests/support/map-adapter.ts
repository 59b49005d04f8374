/** A Keyv storage adapter over a map: the least that one must offer to hold tasks. */
import { spawnSync } from 'node:child_process'
import { decodeEnvelope, encodeEnvelope } from '../../src/tasks/stores/record-codec.ts'

/** Where the mark of the process is that has the rows. */
const OWNER = 'errand:owner'

/** The mark of a process that has ended, in the place of one that lives: nobody waits for that to fall silent. */
const bury = (text: string): string => {
  const held = decodeEnvelope(text).value as { readonly mark: string }
  const mark = JSON.stringify({ ...(JSON.parse(held.mark) as object), pid: spawnSync('true').pid })
  return encodeEnvelope({ value: { ...held, mark } })
}

/** What it is given is what it keeps: Keyv makes texts of all values. */
export class MapAdapter {
  // Keyv looks into both.
  readonly opts = { dialect: 'map', url: 'map:' }
  namespace?: string
  readonly #rows: Map<string, unknown>

  constructor(rows = new Map<string, unknown>()) {
    this.#rows = rows
  }

  /** What a process that is killed now leaves. */
  copy(): MapAdapter {
    const rows = new Map(this.#rows)
    const held = rows.get(OWNER)
    if (typeof held === 'string') rows.set(OWNER, bury(held))
    return new MapAdapter(rows)
  }

  async get<T>(key: string): Promise<T | undefined> {
    return this.#rows.get(key) as T | undefined
  }

  async set(key: string, value: unknown): Promise<boolean> {
    // As whoever writes elsewhere: not before the event loop has been round.
    await new Promise(setImmediate)
    this.#rows.set(key, value)
    return true
  }

  async delete(key: string): Promise<boolean> {
    return this.#rows.delete(key)
  }

  async clear(): Promise<void> {
    this.#rows.clear()
  }

  async *iterator<T>(): AsyncGenerator<[string, T], void> {
    yield* [...this.#rows] as [string, T][]
  }

  on(): this {
    return this
  }
}
