/** Adapters for task records in Redis. The only file that imports @keyv/redis, and only when a URL asks for it. */
import type { Adapter } from '../adapter.ts'
import type { ServerStore } from '../servers.ts'
import { RedisAdapter, whereIs } from './adapter.ts'
import type { KeyvRedis } from './client.ts'
import { ForeignConnection } from './connection.ts'
import { withOwnConnection } from './own-connection.ts'
import { showRedisUrl, toClientUrl } from './url.ts'

const load = async (): Promise<typeof import('@keyv/redis')> => {
  try {
    return await import('@keyv/redis')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ERR_MODULE_NOT_FOUND') throw error
    throw new Error(
      `local({ store: 'redis://…' }) needs the package @keyv/redis, which is not installed:\n\n` +
        '  npm install @keyv/redis@^5.1.0\n',
      { cause: error },
    )
  }
}

const fromUrl = async (text: string): Promise<RedisAdapter> => {
  const { default: KeyvRedisAdapter } = await load()
  const url = toClientUrl(text)
  const { redis, connection } = withOwnConnection(
    // Only its own type asks for more than is used of it.
    (socket) => new KeyvRedisAdapter({ url, socket, disableOfflineQueue: true }) as unknown as KeyvRedis,
  )
  return new RedisAdapter(redis, connection, showRedisUrl(text))
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
