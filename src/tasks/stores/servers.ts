/** Stores on a server that have a file of their own: known by the scheme of a URL, or by the shape of an adapter. */
import type { Adapter } from './adapter.ts'
import { isKeyvRedis } from './redis/client.ts'
import { isRedisUrl, redisUrlProblem } from './redis/url.ts'

/** An adapter, and the store's name for humans. */
export interface ServerStore {
  readonly adapter: Adapter
  readonly name: string
  /** Longest wait for one read or write, in ms: a server that stands still must not hold callers for long. */
  readonly timeout: number
}

/** One kind of server. Its code and its packages are loaded when it is asked for. */
interface Server {
  readonly isUrl: (text: string) => boolean
  /** What is wrong with a URL, without showing it. */
  readonly urlProblem: (url: string) => string | undefined
  readonly isAdapter: (adapter: Adapter) => boolean
  readonly load: () => Promise<(store: string | Adapter) => Promise<ServerStore>>
}

const SERVERS: readonly Server[] = [
  {
    isUrl: isRedisUrl,
    urlProblem: redisUrlProblem,
    isAdapter: isKeyvRedis,
    load: async () => (await import('./redis/create.ts')).createRedisStore,
  },
]

const serverOf = (store: string | Adapter): Server | undefined =>
  SERVERS.find(({ isUrl, isAdapter }) => (typeof store === 'string' ? isUrl(store) : isAdapter(store)))

/** Whether a text is the URL of a server that is known. */
export const isServerUrl = (text: string): boolean => serverOf(text) !== undefined

/** What is wrong with the URL of a known server. It is not shown, for it may hold a password. */
export const serverUrlProblem = (url: string): string | undefined => serverOf(url)?.urlProblem(url)

/** The store behind a URL or an adapter; undefined for an adapter that is no known server's. */
export const findServerStore = async (store: string | Adapter): Promise<ServerStore | undefined> => {
  const create = await serverOf(store)?.load()
  return create?.(store)
}
