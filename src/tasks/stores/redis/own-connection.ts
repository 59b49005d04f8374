/**
 * The connection to a server that was named by its URL: opened within a limit, renewed in the background when it breaks
 * or falls silent, and never overtaken by what an earlier one still had under way.
 */
import type { Report } from '../../store.ts'
import { withTimeLimit } from '../time-limit.ts'
import type { KeyvRedis, RedisClient } from './client.ts'
import { LONGEST_CONNECT, Offline, toText, type Connection } from './connection.ts'

/** A server that answers nothing for so long is let go of, to be found anew. */
const LONGEST_SILENCE = 10_000
/** Answers that have arrived are read before silence is believed: this process may have been busy. */
const SECOND_LOOK = 200

/** A good connection is given up no more often, in ms. */
const RENEW_PAUSE = 1000

/** Milliseconds before the next try to connect. */
const pauseAfter = (tries: number): number =>
  Math.min(2000, 50 * 2 ** Math.min(tries, 6)) * (0.8 + Math.random() * 0.4)

/** How the server knows a connection. */
interface Identity {
  readonly id: string
  readonly addr: string
}

/** One client and its server. */
class OwnConnection implements Connection {
  readonly #client: RedisClient
  readonly #silence: number
  #report: Report = () => {}
  /** What went wrong last. */
  #trouble: unknown
  /** The present connection is known to come after all others. */
  #settled = false
  #settling: Promise<void> | undefined
  #before: Identity | undefined
  #underWay = 0
  /** Since when the server owes an answer. */
  #waitingSince = 0
  #secondLook: NodeJS.Timeout | undefined
  #renewedAt = -Infinity
  #closed = false

  constructor(client: RedisClient, silence = LONGEST_SILENCE) {
    this.#client = client
    this.#silence = silence
    client.on('ready', () => void (this.#settling = this.#settle()))
    client.on('error', (error) => {
      this.#trouble = error
      if (!client.isReady) this.#settled = false
    })
  }

  async open(report: Report): Promise<void> {
    this.#report = report
    this.#closed = false
    try {
      const connected = this.#client.connect().then(() => this.#settling)
      await withTimeLimit(connected, LONGEST_CONNECT, 'connecting')
    } catch (error) {
      await this.close()
      throw error
    }
  }

  begin(): void {
    if (!this.#client.isReady || !this.#settled)
      throw new Offline(`it is not connected${this.#trouble ? ` (${toText(this.#trouble)})` : ''}`)
    const now = performance.now()
    if (this.#underWay === 0) this.#waitingSince = now
    else if (now - this.#waitingSince > this.#silence) this.#lookAgain()
    this.#underWay += 1
  }

  end(error?: unknown): void {
    this.#underWay -= 1
    this.#waitingSince = performance.now()
    // It was the primary when it was found; the address may lead to another by now.
    if (toText(error).startsWith('READONLY')) this.#renew('it leads to a replica')
  }

  async close(): Promise<void> {
    this.#closed = true
    clearTimeout(this.#secondLook)
    if (this.#client.isOpen) this.#client.destroy()
    this.#settled = false
    this.#before = undefined
  }

  #lookAgain(): void {
    const since = this.#waitingSince
    this.#secondLook ??= setTimeout(() => {
      this.#secondLook = undefined
      if (this.#underWay > 0 && this.#waitingSince === since) this.#renew(`no answer for ${this.#silence} ms`)
    }, SECOND_LOOK).unref()
  }

  #renew(reason: string): void {
    const now = performance.now()
    if (!this.#settled || now - this.#renewedAt < RENEW_PAUSE) return
    this.#renewedAt = now
    this.#trouble = new Error(reason)
    this.#settled = false
    this.#client.destroy()
    this.#client.connect().catch(() => {}) // It goes on trying, and tells of each failure by an event.
  }

  /**
   * Before anything is sent over a new connection, the server drops the one before: what the network still holds of
   * that would otherwise be written over what comes now.
   */
  async #settle(): Promise<void> {
    try {
      const now = toIdentity(await this.#client.sendCommand(['CLIENT', 'INFO']))
      if (this.#before && now) await this.#drop(this.#before)
      this.#before = now
    } catch (error) {
      if (!this.#client.isReady) return // The next connection settles it.
      this.#report(
        'Redis does not tell connections apart: late writes of a broken one are not kept out',
        error,
        'warn',
      )
    }
    if (!this.#closed) this.#settled = true
  }

  async #drop({ id, addr }: Identity): Promise<void> {
    await this.#client.sendCommand(['CLIENT', 'KILL', 'ID', id, 'ADDR', addr])
  }
}

const toIdentity = (info: unknown): Identity | undefined => {
  const read = (name: string): string | undefined =>
    new RegExp(`(?:^| )${name}=(\\S+)`).exec(String(info))?.[1]
  const [id, addr] = [read('id'), read('addr')]
  return id === undefined || addr === undefined ? undefined : { id, addr }
}

/** What the client is told of sockets. `isFirst`: nothing was connected yet. */
const socketOptions = (isFirst: () => boolean): object => ({
  connectTimeout: LONGEST_CONNECT,
  // No pause between two beats of the guard is as long: it ends connections whose first words are not answered.
  socketTimeout: LONGEST_SILENCE + LONGEST_CONNECT,
  // Who opens a store hears at once what is wrong; a connection that was good is sought for ever.
  reconnectStrategy: (tries: number, cause: Error) => (isFirst() ? cause : pauseAfter(tries)),
})

/** Makes an adapter whose connection is ours to watch. */
export const withOwnConnection = (
  make: (socket: object) => KeyvRedis,
  silence?: number,
): { readonly redis: KeyvRedis; readonly connection: Connection } => {
  let isFirst = true
  const redis = make(socketOptions(() => isFirst))
  redis.client.on('ready', () => (isFirst = false))
  return { redis, connection: new OwnConnection(redis.client, silence) }
}
