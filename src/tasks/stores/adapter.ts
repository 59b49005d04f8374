/** What a Keyv storage adapter must offer to hold tasks, and how its rows are walked. */
import type { KeyvStoreAdapter } from 'keyv'
import type { StoreCapabilities } from '../store.ts'

/** A Keyv storage adapter object, or a `Map`. */
export type Adapter = KeyvStoreAdapter | Map<string, unknown>

/** An adapter may say what its acknowledged writes survive. */
interface DeclaresDurability {
  readonly durable?: StoreCapabilities['durable']
}

/**
 * What acknowledged writes survive: what the adapter declares, and of an unknown one no more than a killed
 * process.
 */
export const durabilityOf = (adapter: Adapter): StoreCapabilities['durable'] =>
  adapter instanceof Map ? 'none' : ((adapter as DeclaresDurability).durable ?? 'process')

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

/**
 * All rows under a namespace, straight from the adapter: Keyv's own iterator deletes expired rows while it
 * walks, which makes SQL adapters that page by offset skip others, and knows only some adapters.
 */
export async function* rowsOf(
  adapter: Adapter,
  namespace: string,
): AsyncGenerator<readonly [string, unknown]> {
  const prefix = `${namespace}:`
  const rows = adapter instanceof Map ? [...adapter] : adapter.iterator?.(namespace)
  for await (const [key, value] of rows ?? [])
    if (typeof key === 'string' && key.startsWith(prefix)) yield [key.slice(prefix.length), value]
}
