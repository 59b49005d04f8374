/** How a statement is run inside a caller's own transaction, whoever made it: told by its shape. */
import { within } from '../deadline.ts'
import type { Query, Row } from './database.ts'
import type { Value } from './driver.ts'
import { toFailure } from './failures.ts'

type Loose = Readonly<Record<string, unknown>>
type Call = (...args: readonly unknown[]) => unknown

/** A kind of transaction. */
interface Kind {
  /** The method it is told by. */
  readonly method: string
  /** Why it can't be used; undefined when it can. */
  problem(tx: Loose): string | undefined
  run(tx: Loose, text: string, values: readonly Value[]): Promise<{ readonly rows: readonly unknown[] }>
}

const call = (tx: Loose, method: string, ...args: readonly unknown[]): unknown =>
  (tx[method] as Call).call(tx, ...args)

/** A transaction of Kysely. What it runs is data: a compiled query. */
const kysely: Kind = {
  method: 'executeQuery',
  problem: (tx) =>
    tx['isTransaction'] === true
      ? undefined
      : 'a Kysely that is in no transaction: pass the one that its callback gets',
  run: (tx, sql, parameters) =>
    call(tx, 'executeQuery', {
      sql,
      parameters,
      query: { kind: 'RawNode', sqlFragments: [sql], parameters: [] },
      queryId: { queryId: 'errand' },
    }) as ReturnType<Kind['run']>,
}

const isIdle = (tx: Loose): boolean =>
  typeof tx['getTransactionStatus'] === 'function' && call(tx, 'getTransactionStatus') === 'I'

/** A client of pg, or whatever has its `query(text, values)`. */
const pg: Kind = {
  method: 'query',
  problem: (tx) => {
    if ('totalCount' in tx) return 'a pool: pass the client that said BEGIN'
    return isIdle(tx) ? 'a client that is in no transaction: say BEGIN first' : undefined
  },
  run: (tx, text, values) => call(tx, 'query', text, [...values]) as ReturnType<Kind['run']>,
}

const KINDS: readonly Kind[] = [kysely, pg]

const PATIENCE = 5000

const kindOf = (tx: Loose): Kind | undefined => KINDS.find(({ method }) => typeof tx[method] === 'function')

/** The way into a caller's transaction. @throws TypeError when it is none */
export const ownTransaction = (transaction: unknown): Query => {
  const tx = (typeof transaction === 'object' && transaction !== null ? transaction : {}) as Loose
  const kind = kindOf(tx)
  const problem = kind ? kind.problem(tx) : 'none that pgmq() knows'
  if (!kind || problem)
    throw new TypeError(
      `option tx is ${problem}. Expected a client of pg within a transaction, or a transaction of Kysely`,
    )
  return async (text, values = []) => {
    try {
      const { rows } = await within(PATIENCE, 'A statement', Promise.resolve(kind.run(tx, text, values)))
      return rows as readonly Row[]
    } catch (error) {
      throw toFailure(error)
    }
  }
}
