/** What happens in all queues, from BullMQ's event streams: one connection that waits at all of them. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Redis } from '../../peers/ioredis.ts'
import type { Report } from '../../store.ts'
import type { PlaceListener } from './place.ts'

export interface RedisEventsParts {
  readonly client: Redis
  readonly report: Report
  readonly where: string
  keyOf(procedure: string): string
}

/** Milliseconds that a read waits for something to happen; the line is dead when it is silent for longer. */
const BLOCK = 5000

/** Entries of one read. */
const MOST = 500

/**
 * Milliseconds between reads while things happen: what comes after a silence is heard at once, the rest together. Each host
 * reads everything, so without it what a fleet costs Redis would grow with its hosts times its tasks.
 */
const REST = 5

/** Milliseconds between reads when the line is down. */
const PAUSE = 250

type Entry = readonly [id: string, fields: readonly string[]]

/** A stream and how far it was read. */
interface Stream {
  readonly procedure: string
  readonly key: string
  seen: string
}

export class RedisEvents {
  readonly #parts: RedisEventsParts
  readonly #streams = new Map<string, Stream>()
  readonly #line: Redis
  #listener: PlaceListener | undefined
  #lineId: number | undefined
  #isDown = false
  #closed = false

  constructor(parts: RedisEventsParts) {
    this.#parts = parts
    this.#line = parts.client.duplicate({
      commandTimeout: BLOCK * 2,
      // Only this line waits until it is connected again: nobody waits for it.
      enableOfflineQueue: true,
      maxRetriesPerRequest: 0,
    })
    this.#line.on('error', () => {})
  }

  /** Begins with what comes after now. */
  async listen(procedures: readonly string[], listener: PlaceListener): Promise<void> {
    const isFirst = !this.#listener
    this.#listener = listener
    await Promise.all(procedures.map((procedure) => this.#add(procedure)))
    if (isFirst) void this.#follow()
    else await this.#interrupt()
  }

  close(): void {
    this.#closed = true
    this.#line.disconnect()
  }

  async #add(procedure: string): Promise<void> {
    if (this.#streams.has(procedure)) return
    const key = this.#parts.keyOf(procedure)
    const [last] = (await this.#parts.client.xrevrange(key, '+', '-', 'COUNT', 1)) as Entry[]
    this.#streams.set(procedure, { procedure, key, seen: last?.[0] ?? '0-0' })
  }

  /** The read under way does not know of a new stream. */
  async #interrupt(): Promise<void> {
    if (this.#lineId !== undefined) await this.#parts.client.client('UNBLOCK', this.#lineId)
  }

  /** Reads until it is closed. Never rejects. */
  async #follow(): Promise<void> {
    while (!this.#closed)
      try {
        this.#lineId ??= await this.#line.client('ID')
        if (this.#isDown) this.#back()
        await this.#read()
      } catch (error) {
        await this.#down(error)
      }
  }

  async #read(): Promise<void> {
    const streams = [...this.#streams.values()]
    if (streams.length === 0) return sleep(PAUSE)
    const read = (await this.#line.xread(
      'COUNT',
      MOST,
      'BLOCK',
      BLOCK,
      'STREAMS',
      ...streams.map(({ key }) => key),
      ...streams.map(({ seen }) => seen),
    )) as [key: string, entries: Entry[]][] | null
    if (!read) return
    for (const [key, entries] of read) {
      const stream = streams.find((each) => each.key === key)
      if (stream) await this.#take(stream, entries)
    }
    if (read.every(([, entries]) => entries.length < MOST)) await sleep(REST)
  }

  async #take(stream: Stream, entries: readonly Entry[]): Promise<void> {
    // Whoever is so far behind may have lost some: the stream keeps its latest entries only.
    if (entries.length >= MOST && (await this.#isBehind(stream))) this.#listener?.missed()
    for (const [id, fields] of entries) {
      stream.seen = id
      this.#tell(stream.procedure, fields)
    }
  }

  async #isBehind({ key, seen }: Stream): Promise<boolean> {
    const [first] = (await this.#line.xrange(key, '-', '+', 'COUNT', 1)) as Entry[]
    return first !== undefined && seen !== '0-0' && isLater(first[0], seen)
  }

  #tell(procedure: string, list: readonly string[]): void {
    const fields: Record<string, string> = {}
    for (let at = 0; at + 1 < list.length; at += 2) fields[list[at] as string] = list[at + 1] as string
    const { event: name = '', jobId: id = '' } = fields
    this.#listener?.event({ procedure, id, name, fields })
  }

  async #down(error: unknown): Promise<void> {
    this.#lineId = undefined
    if (this.#closed) return
    if (!this.#isDown) {
      this.#parts.report(`${this.#parts.where}: the line for events is down, and is made anew`, error)
      // What a dead line still waits for is given up with it.
      this.#line.disconnect(true)
    }
    this.#isDown = true
    await sleep(PAUSE)
  }

  #back(): void {
    this.#isDown = false
    this.#listener?.missed()
  }
}

/** Ids are times and counts: `1700000000000-7`. */
const isLater = (a: string, b: string): boolean => {
  const [[aTime = 0, aCount = 0], [bTime = 0, bCount = 0]] = [a, b].map((id) =>
    id.split('-').map(Number),
  ) as [number[], number[]]
  return aTime > bTime || (aTime === bTime && aCount > bCount)
}
