/** The one file that imports ioredis, the driver of Redis and Valkey. */
import type { Redis, RedisOptions } from 'ioredis'
import { loadPeer } from './load-peer.ts'

export type { Redis, RedisOptions } from 'ioredis'

/** Makes a client; the options come on top of what a URL says. */
export type CreateRedis = (url: string | undefined, options: RedisOptions) => Redis

/** The driver, loaded when an engine on Redis is made. */
export const loadRedis = async (neededBy: string): Promise<CreateRedis> => {
  const { Redis: Client } = await loadPeer('ioredis', neededBy, () => import('ioredis'))
  // Its constructor is declared with more than its options promise, and differently in each major version.
  const Made = Client as unknown as new (...args: readonly unknown[]) => Redis
  return (url, options) => (url === undefined ? new Made(options) : new Made(url, options))
}
