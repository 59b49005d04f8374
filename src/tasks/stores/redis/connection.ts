/** How an adapter's connection is opened, and whether a command may be sent over it. */
import type { Report } from '../../store.ts'
import { withTimeLimit } from '../time-limit.ts'
import type { KeyvRedis, RedisClient } from './client.ts'

/** The connection of one adapter. */
export interface Connection {
  open(report: Report): Promise<void>
  /**
   * A command is about to be sent.
   * @throws Offline when it would wait for a connection instead
   */
  begin(): void
  /** A command was answered, with an error or without, or given up. */
  end(error?: unknown): void
  close(): Promise<void>
}

/** Nothing was sent: there is no connection. */
export class Offline extends Error {
  override readonly name = 'Offline'
  /** Tells the store that it left everything as it was. */
  readonly untouched = true
}

/** Some errors of connections have a code and no words. */
export const toText = (error: unknown): string => {
  const { message, code } = (error ?? {}) as { readonly message?: string; readonly code?: string }
  return message || code || String(error)
}

/** Milliseconds until a server that says nothing is taken for absent. */
export const LONGEST_CONNECT = 5000

/** Of an adapter that somebody else made: its settings are theirs. */
export class ForeignConnection implements Connection {
  readonly #adapter: KeyvRedis

  constructor(adapter: KeyvRedis) {
    this.#adapter = adapter
  }

  async open(): Promise<void> {
    await withTimeLimit(this.#adapter.getClient(), LONGEST_CONNECT, 'connecting')
  }

  /** A client that is away would keep commands until it is back; one that gave up connects again. */
  begin(): void {
    const { isOpen, isReady }: RedisClient = this.#adapter.client
    if (isOpen && isReady === false) throw new Offline('the connection is down')
  }

  end(): void {}

  async close(): Promise<void> {
    await this.#adapter.disconnect(true)
  }
}
