/**
 * Hears what other hosts tell, on a connection of its own, for as long as there is one; else it says so and is deaf, and
 * whoever relies on it looks more often. That it hears is not believed but tried: it waits for a word of its own, which a
 * pooler in transaction mode swallows, as a dead line does.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Report } from '../../store.ts'
import { within } from '../deadline.ts'
import type { PgListener } from './driver.ts'

/** A connection that listens. */
export interface Line {
  readonly client: PgListener
  /** Lets go of it; never rejects. */
  hangUp(): Promise<void>
}

/** What it works with. */
export interface HearingParts {
  readonly channel: string
  /** A new connection. */
  connect(): Promise<Line>
  /** Says a word that comes back. */
  ping(): Promise<void>
  /** Whether a payload is a word of one's own; what others say is passed on. */
  take(payload: string): boolean
  /** It hears from now on. */
  hears(): void
  /** It was deaf for a while. Comes before anything that is heard after it. */
  missed(): void
  /** It hears no more. */
  isDeaf(): void
  readonly report: Report
}

/** Milliseconds: for a connection; until a word of one's own has to be back; between two of them. */
const PATIENCE = 5000
const ECHO = 3000
export const PING_EVERY = 10_000
/** While it is deaf on a line that seems to be good. */
const PING_WHEN_DEAF = 60_000
const FIRST_PAUSE = 250
const LONGEST_PAUSE = 5000

const DEAF =
  'Notifications of Postgres do not arrive, as behind a pooler in transaction mode: the database is asked each second ' +
  "instead. For less delay give pgmq() a direct connection beside it: { listen: 'postgres://…' }"

/** Keeps a line up. */
export class Hearing {
  readonly #parts: HearingParts
  readonly #closed = new AbortController()
  #isDeaf = true
  #hasHeard = false
  #hasToldDeaf = false
  #hasToldMissed = false
  #echo: PromiseWithResolvers<boolean> | undefined
  #living: Promise<void> | undefined

  constructor(parts: HearingParts) {
    this.#parts = parts
  }

  get isDeaf(): boolean {
    return this.#isDeaf
  }

  /** Resolves when there is a line; rejects when there is none. From then on it is kept. */
  async open(): Promise<void> {
    this.#living = this.#live(await this.#dial())
  }

  /** Never rejects. */
  async close(): Promise<void> {
    this.#closed.abort()
    this.#echo?.resolve(false)
    await this.#living
  }

  /** From one line to the next. Never rejects. */
  async #live(first: Line): Promise<void> {
    for (let line: Line | undefined = first; line; line = await this.#redial()) {
      await this.#use(line)
      this.#deafen()
      await line.hangUp()
    }
  }

  async #redial(): Promise<Line | undefined> {
    for (let pause = FIRST_PAUSE; !this.#closed.signal.aborted; pause = Math.min(LONGEST_PAUSE, pause * 2)) {
      try {
        return await this.#dial()
      } catch {
        // Whatever else asks the database tells of it.
        await this.#rest(pause * (0.5 + Math.random()))
      }
    }
    return undefined
  }

  async #dial(): Promise<Line> {
    const line = await this.#parts.connect()
    line.client.on('error', () => {}) // `end` follows.
    line.client.on('notification', ({ channel, payload = '' }) => {
      if (channel !== this.#parts.channel || this.#closed.signal.aborted) return
      this.#tellMissed()
      if (this.#parts.take(payload)) this.#echo?.resolve(true)
    })
    try {
      await within(PATIENCE, 'LISTEN', line.client.query(`listen "${this.#parts.channel}"`))
      return line
    } catch (error) {
      await line.hangUp()
      throw error
    }
  }

  /** Resolves when the line is down. */
  async #use(line: Line): Promise<void> {
    const down = new AbortController()
    line.client.on('end', () => down.abort())
    const over = AbortSignal.any([down.signal, this.#closed.signal])
    while (!over.aborted) {
      const isHeard = await this.#try(over)
      if (over.aborted) return
      if (isHeard) this.#hear()
      else if (!this.#isDeaf) return
      else this.#tellDeaf()
      await sleep(isHeard ? PING_EVERY : PING_WHEN_DEAF, undefined, { signal: over, ref: false }).catch(
        () => {},
      )
    }
  }

  /** Whether a word of one's own comes back. */
  async #try(over: AbortSignal): Promise<boolean> {
    const echo = Promise.withResolvers<boolean>()
    this.#echo = echo
    const give = (): void => echo.resolve(false)
    over.addEventListener('abort', give)
    const timer = setTimeout(give, ECHO)
    this.#parts.ping().catch(give)
    const isHeard = await echo.promise
    clearTimeout(timer)
    over.removeEventListener('abort', give)
    return isHeard
  }

  #hear(): void {
    if (!this.#isDeaf) return
    this.#tellMissed()
    this.#isDeaf = false
    this.#hasToldMissed = false
    this.#hasHeard = true
    this.#parts.hears()
  }

  /** Others' words may come on a new line before one's own is back. */
  #tellMissed(): void {
    if (!this.#isDeaf || !this.#hasHeard || this.#hasToldMissed) return
    this.#hasToldMissed = true
    this.#parts.missed()
  }

  #deafen(): void {
    this.#isDeaf = true
    this.#hasToldMissed = false
    this.#parts.isDeaf()
  }

  #tellDeaf(): void {
    if (this.#hasToldDeaf) return
    this.#hasToldDeaf = true
    this.#parts.report(DEAF)
  }

  async #rest(ms: number): Promise<void> {
    await sleep(ms, undefined, { signal: this.#closed.signal, ref: false }).catch(() => {})
  }
}
