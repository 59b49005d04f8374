/** The queues of pgmq, one for each procedure, so that whoever looks at them sees what waits where. */
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
    const names = this.#namesOf(procedures)
    if (names.some((name) => !this.#there.has(name))) await this.#find(this.#parts.database.query)
    for (const name of names) if (!this.#there.has(name)) await this.#make(name)
  }

  /** Does something that needs queues, of which it may learn meanwhile; makes them anew if somebody has dropped one. */
  async with<T>(procedures: readonly string[], work: () => Promise<T>): Promise<T> {
    await this.ensure(procedures)
    try {
      return await work()
    } catch (error) {
      if (codeOf(error) !== UNDEFINED_TABLE) throw error
      for (const name of this.#namesOf(procedures)) await this.#make(name, true)
      return work()
    }
  }

  #namesOf(procedures: readonly string[]): readonly string[] {
    return [...new Set(procedures.map((procedure) => this.nameOf(procedure)))]
  }

  async #find(query: Query): Promise<void> {
    for (const { queue } of await query(this.#parts.sql.queues)) this.#there.add(queue as string)
  }

  /**
   * Each in a transaction of its own, so that nobody waits for more than one. Two hosts that make the same one at once would
   * stand in each other's way.
   */
  async #make(name: string, isDropped = false): Promise<void> {
    const { database, sql, schema } = this.#parts
    await database.transaction(async (query) => {
      await query(sql['lock-schema'], [schema])
      if (!isDropped) await this.#find(query)
      if (isDropped || !this.#there.has(name)) await this.#create(query, name)
    })
    this.#there.add(name)
  }

  async #create(query: Query, name: string): Promise<void> {
    try {
      await query(this.#parts.sql['create-queue'], [name])
    } catch (cause) {
      throw codeOf(cause) === NOT_ALLOWED ? notAllowed(name, cause) : cause
    }
  }
}

const UNDEFINED_TABLE = '42P01'
const NOT_ALLOWED = '42501'

const notAllowed = (name: string, cause: unknown): Error =>
  new Error(
    `pgmq() may not make a queue: ${(cause as Error).message}. Grant its role CREATE on the schema pgmq and INSERT on ` +
      `pgmq.meta, or let the owner of pgmq run: select pgmq.create('${name}');`,
    { cause },
  )
