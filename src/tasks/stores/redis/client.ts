/**
 * What is used of @keyv/redis and the client inside it. Structural, for a user's adapter may come from another copy, and
 * may have a single client, a cluster or a sentinel inside.
 */
import type { KeyvStoreAdapter } from 'keyv'

/** One node's answers. */
export interface RedisNode {
  scan(
    cursor: string,
    options: { readonly MATCH: string; readonly COUNT: number; readonly TYPE: string },
  ): Promise<{ readonly cursor: string; readonly keys: readonly string[] }>
}

/** The client inside an adapter. */
export interface RedisClient {
  readonly isOpen: boolean
  /** A cluster has none. */
  readonly isReady?: boolean
  connect(): Promise<unknown>
  /** Ends the connection now; what waits for an answer is rejected. */
  destroy(): void
  on(event: string, listener: (value: unknown) => void): unknown
  eval(
    script: string,
    options: { readonly keys: readonly string[]; readonly arguments: readonly string[] },
  ): Promise<unknown>
  info(section: string): Promise<string>
  configGet(parameters: readonly string[]): Promise<Readonly<Record<string, string>>>
  sendCommand(args: readonly string[]): Promise<unknown>
}

/** An adapter of @keyv/redis. */
export interface KeyvRedis extends KeyvStoreAdapter {
  readonly client: RedisClient
  readonly keyPrefixSeparator: string
  throwOnErrors: boolean
  throwOnConnectError: boolean
  createKeyPrefix(key: string, namespace?: string): string
  getClient(): Promise<unknown>
  getMasterNodes(): Promise<readonly RedisNode[]>
  getMany<Value>(keys: string[]): Promise<(Value | undefined)[]>
  disconnect(force?: boolean): Promise<void>
}

/** Whether an adapter is one of @keyv/redis, by what it offers. */
export const isKeyvRedis = (adapter: unknown): adapter is KeyvRedis => {
  const { opts, client, getMasterNodes } = (adapter ?? {}) as Partial<KeyvRedis>
  return (
    (opts as { dialect?: unknown } | undefined)?.dialect === 'redis' &&
    typeof getMasterNodes === 'function' &&
    typeof client?.eval === 'function'
  )
}
