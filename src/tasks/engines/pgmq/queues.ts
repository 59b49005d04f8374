/** The queues of pgmq, one for each procedure, so that whoever looks at them sees what waits where. */
import { toArray } from './arrays.ts'
import type { Database, Query } from './database.ts'
import { codeOf } from './failures.ts'
import { queueName } from './queue-name.ts'
import type { Statements } from './statements.ts'

/** What it works with. */
export interface QueuesParts {
  readonly database: Pick<Database, 'transaction' | 'query'>
  readonly sql: Statements
  readonly schema: string
}

/** Makes queues when they are first needed. */
export class Queues {
  readonly #parts: QueuesParts
  readonly #names = new Map<string, string>()
  /** Queues that are there, so far as is known. */
  readonly #there = new Set<string>()

  constructor(parts: QueuesParts) {
    this.#parts = parts
  }

  nameOf(procedure: string): string {
    const known = this.#names.get(procedure)
    if (known !== undefined) return known
    const name = queueName(this.#parts.schema, procedure)
    this.#names.set(procedure, name)
    return name
  }

  /** Sees to it that these procedures have queues. */
  async ensure(procedures: readonly string[]): Promise<void> {
    const names = this.#namesOf(procedures).filter((name) => !this.#there.has(name))
    if (names.length > 0)
      await this.#inTurn(async (query) => this.#create(query, await this.#missing(query, names)))
    for (const name of names) this.#there.add(name)
  }

  /** Does something that needs queues, of which it may learn meanwhile; makes them anew if somebody has dropped one. */
  async with<T>(procedures: readonly string[], work: () => Promise<T>): Promise<T> {
    await this.ensure(procedures)
    try {
      return await work()
    } catch (error) {
      if (codeOf(error) !== UNDEFINED_TABLE) throw error
      await this.#inTurn((query) => this.#create(query, this.#namesOf(procedures)))
      return work()
    }
  }

  #namesOf(procedures: readonly string[]): readonly string[] {
    return [...new Set(procedures.map((procedure) => this.nameOf(procedure)))]
  }

  /** Two hosts that make the same queue at once would stand in each other's way. */
  async #inTurn(work: (query: Query) => Promise<void>): Promise<void> {
    const { database, sql, schema } = this.#parts
    await database.transaction(async (query) => {
      await query(sql['lock-schema'], [schema])
      await work(query)
    })
  }

  async #missing(query: Query, names: readonly string[]): Promise<readonly string[]> {
    const there = new Set((await query(this.#parts.sql.queues)).map(({ queue }) => queue))
    return names.filter((name) => !there.has(name))
  }

  async #create(query: Query, names: readonly string[]): Promise<void> {
    if (names.length === 0) return
    try {
      await query(this.#parts.sql['create-queues'], [toArray(names)])
    } catch (cause) {
      throw codeOf(cause) === NOT_ALLOWED ? notAllowed(names, cause) : cause
    }
  }
}

const UNDEFINED_TABLE = '42P01'
const NOT_ALLOWED = '42501'

const notAllowed = (names: readonly string[], cause: unknown): Error =>
  new Error(
    `pgmq() may not make a queue: ${(cause as Error).message}. Grant its role CREATE on the schema pgmq and INSERT on ` +
      `pgmq.meta, or let the owner of pgmq run ${names.map((name) => `select pgmq.create('${name}');`).join(' ')}`,
    { cause },
  )
