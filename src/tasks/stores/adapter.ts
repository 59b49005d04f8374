/** What a Keyv storage adapter must offer to hold tasks, and how its rows are walked. */
import type { KeyvStoreAdapter } from 'keyv'
import type { Report, StoreCapabilities } from '../store.ts'
import type { Seat } from './seat.ts'

/** A Keyv storage adapter object, or a `Map`. */
export type Adapter = KeyvStoreAdapter | Map<string, unknown>

/** What an adapter may declare beyond what Keyv knows of. */
export interface AdapterTraits {
  /** What its acknowledged writes survive; known once it is open. Default: no more than a killed process. */
  readonly durable?: StoreCapabilities['durable']
  /** Its system sees to it that one process alone has it. */
  readonly exclusive?: boolean
  /** A better seat than one that is made of its `get` and `set`. */
  readonly seat?: Seat
  /** It has more to do at the start than at a first read, such as connecting or taking a lock. */
  open?(report: Report): Promise<void>
}

const OF_A_MAP: AdapterTraits = { durable: 'none', exclusive: true }

/** What an adapter declares. */
export const traitsOf = (adapter: Adapter): AdapterTraits =>
  adapter instanceof Map ? OF_A_MAP : (adapter as AdapterTraits)

/** The namespace that an adapter was given by its maker, if any. */
export const namespaceOf = (adapter: Adapter): string | undefined =>
  adapter instanceof Map ? undefined : adapter.namespace

/** @throws TypeError when it can't hold tasks. */
export const checkAdapter = (adapter: unknown): void => {
  if (adapter instanceof Map) return
  const has = (name: string) => typeof (adapter as Record<string, unknown> | null)?.[name] === 'function'
  if (has('getRaw') && has('serializeData'))
    throw new TypeError(
      'store is a Keyv. Errand builds its own Keyv with its own checks: give the adapter, as in ' +
        `local({ store: new KeyvRedis('redis://…') }).`,
    )
  const missing = ['get', 'set', 'delete', 'clear', 'iterator'].filter((name) => !has(name))
  if (missing.length === 0) return
  throw new TypeError(
    `store is no Keyv storage adapter that can hold tasks: it lacks ${missing.join(', ')}. ` +
      'Errand reads every record once at start, so an adapter needs an iterator. ' +
      `Try 'sqlite' (the default), 'memory', or an adapter such as @keyv/redis.`,
  )
}

const inUse = new WeakSet<object>()

/**
 * Takes an adapter for one Keyv, until `release`. Two Keyvs on one adapter object overwrite each other's
 * rows.
 * @throws Error when it is taken
 */
export const claimAdapter = (adapter: Adapter): { readonly release: () => void } => {
  if (inUse.has(adapter))
    throw new Error(
      'This store adapter already holds the tasks of another engine in this process. ' +
        'Expected: one adapter object per engine. Make a second one.',
    )
  inUse.add(adapter)
  return { release: () => inUse.delete(adapter) }
}

/** Key, without the namespace, and value. */
export type RawRow = readonly [string, unknown]

/**
 * All rows, straight from the adapter: Keyv's own iterator deletes expired rows while it walks, which makes SQL
 * adapters that page by offset skip others, and knows only some adapters. A row outside the namespace is `undefined`:
 * whoever waits sees that the walk goes on.
 */
export async function* rowsOf(adapter: Adapter, namespace: string): AsyncGenerator<RawRow | undefined> {
  const prefix = `${namespace}:`
  const rows = adapter instanceof Map ? [...adapter] : adapter.iterator?.(namespace)
  for await (const [key, value] of rows ?? [])
    yield typeof key === 'string' && key.startsWith(prefix) ? [key.slice(prefix.length), value] : undefined
}
