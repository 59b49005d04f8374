/** Adapters for task records in Redis. The only file that imports @keyv/redis, and only when a URL asks for it. */
import type { Adapter } from '../adapter.ts'
import type { ServerStore } from '../servers.ts'
import { RedisAdapter, whereIs } from './adapter.ts'
import type { Report } from '../../store.ts'
import type { KeyvRedis, RedisClient } from './client.ts'
import { ForeignConnection } from './connection.ts'
import { withOwnConnection } from './own-connection.ts'
import { showRedisUrl, toClientUrl } from './url.ts'

const load = async (what: string): Promise<typeof import('@keyv/redis')> => {
  try {
    return await import('@keyv/redis')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new Error(
      `${what} needs the package @keyv/redis, which is not installed:\n\n` +
        '  npm install @keyv/redis@^5.1.0\n',
      { cause: error },
    )
  }
}

const byUrl = async (text: string, what: string, options: object = {}) => {
  const { default: KeyvRedisAdapter } = await load(what)
  const url = toClientUrl(text)
  return withOwnConnection(
    (socket) =>
      // Only its own type asks for more than is used of it.
      new KeyvRedisAdapter({ url, socket, disableOfflineQueue: true, ...options }) as unknown as KeyvRedis,
  )
}

const fromUrl = async (text: string): Promise<RedisAdapter> => {
  const { redis, connection } = await byUrl(text, "local({ store: 'redis://…' })")
  return new RedisAdapter(redis, connection, showRedisUrl(text))
}

/** Between two words to a server that is not asked anything, in ms: a silent connection is given up. */
const PING = 5000

/** A connected client, for what is kept in Redis beside tasks; `what` needs it. */
export const openRedis = async (
  url: string,
  what: string,
  report: Report,
): Promise<{ readonly client: RedisClient; close(): Promise<void> }> => {
  const { redis, connection } = await byUrl(url, what, { pingInterval: PING })
  await connection.open(report)
  return { client: redis.client, close: () => connection.close() }
}

const fromAdapter = (redis: KeyvRedis): RedisAdapter =>
  new RedisAdapter(redis, new ForeignConnection(redis), whereIs(redis.client))

/** Longest wait for an answer, in ms. */
const TIMEOUT = 5000

/** The store at a URL, or over an adapter that somebody else made. */
export const createRedisStore = async (store: string | Adapter): Promise<ServerStore> => {
  const adapter = typeof store === 'string' ? await fromUrl(store) : fromAdapter(store as KeyvRedis)
  return { adapter, name: `redis ${adapter.where}`, timeout: TIMEOUT }
}
