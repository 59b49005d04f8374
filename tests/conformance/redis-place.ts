/** Places of the suites in a real Redis: each has a database of its own. */
import { spawnSync } from 'node:child_process'
import { createClient, type RedisClientType } from '@keyv/redis'
import type { RedisServer } from '../support/servers/redis.ts'

/** Hands out databases, and reaches into them behind everybody's back. */
export class RedisPlaces {
  readonly server: RedisServer
  readonly #clients = new Map<number, RedisClientType>()
  #next = 1

  constructor(server: RedisServer) {
    this.server = server
  }

  /** A database that nobody has used. */
  fresh(): number {
    return this.#next++
  }

  async client(database: number): Promise<RedisClientType> {
    const known = this.#clients.get(database)
    if (known) return known
    const client = createClient({ url: this.server.url(database) }) as RedisClientType
    this.#clients.set(database, client)
    await client.connect()
    return client
  }

  /**
   * What a kill at this moment leaves, in a database of its own: everything that was answered, and the mark of a process
   * that has ended.
   */
  async crashed(database: number): Promise<number> {
    const [next, client] = [this.fresh(), await this.client(database)]
    const keys = await client.keys('*')
    await Promise.all(keys.map((key) => client.copy(key, key, { DB: next })))
    await this.#bury(next)
    return next
  }

  async close(): Promise<void> {
    await Promise.all([...this.#clients.values()].map((client) => client.close()))
  }

  async #bury(database: number): Promise<void> {
    const client = await this.client(database)
    const mark = await client.get('errand::errand:owner')
    if (mark === null) return
    const dead = { ...(JSON.parse(mark) as object), pid: spawnSync('true').pid }
    await client.set('errand::errand:owner', JSON.stringify(dead), { KEEPTTL: true })
  }
}
