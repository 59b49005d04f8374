/**
 * Statements that a server connection keeps: parsed once, and planned once in a while, which is a fifth of what short ones
 * cost. Only where a connection is a session of its own; a pooler in transaction mode hands out another one each time.
 */
import { EngineUnavailable } from '../../engine.ts'
import { codeOf } from './failures.ts'
import type { PgPoolClient, PgResult, Value } from './driver.ts'

/** Asks a connection. */
export type Ask = (text: string, values?: readonly Value[]) => Promise<PgResult>

/** Milliseconds: a plan for a small table is a bad one for what it has grown to meanwhile. */
const PLANS_LAST = 1000

/** A statement is not there, or is there already: this is not the session that it was. */
const NOT_KEPT = new Set(['26000', '42P05'])

const ignore = (): void => {}

const copy = (values: readonly Value[] | undefined): Value[] | undefined => values && [...values]

/** For the connections of one pool. */
export class Preparing {
  /** Whether connections are sessions, so far as is known. */
  isOn = false
  #isRefuted = false
  readonly #names = new Map<string, string>()
  /** When each connection made its plans. */
  readonly #plannedAt = new WeakMap<PgPoolClient, number>()

  /** How to ask a connection that was just lent. */
  asker(client: PgPoolClient): Ask {
    if (!this.isOn || this.#isRefuted || !client.pipeline)
      return (text, values) => client.query(text, copy(values))
    this.#renewPlans(client)
    return (text, values) =>
      values ? this.#askPrepared(client, text, values) : client.query(text, undefined)
  }

  async #askPrepared(client: PgPoolClient, text: string, values: readonly Value[]): Promise<PgResult> {
    try {
      return await client.query({ name: this.#nameOf(text), text, values: [...values] })
    } catch (error) {
      if (!NOT_KEPT.has(codeOf(error) ?? '')) throw error
      this.#isRefuted = true
      throw new EngineUnavailable('A prepared statement is not kept: try again', {
        cause: error,
        untouched: true,
      })
    }
  }

  /** Sent with the next statement, and nobody waits for it: should it fail, so does that one. */
  #renewPlans(client: PgPoolClient): void {
    const now = performance.now()
    const plannedAt = this.#plannedAt.get(client) ?? -Infinity
    if (now - plannedAt < PLANS_LAST) return
    this.#plannedAt.set(client, now)
    client.query('discard plans').catch(ignore)
  }

  #nameOf(text: string): string {
    const known = this.#names.get(text)
    if (known !== undefined) return known
    const name = `errand_${this.#names.size}`
    this.#names.set(text, name)
    return name
  }
}
