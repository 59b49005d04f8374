/** The SQL, one statement per file, with the schema's name put in. */
import { readFileSync } from 'node:fs'

const NAMES = [
  'census',
  'count-running',
  'create-queue',
  'depth',
  'free-keys',
  'get',
  'held',
  'holders',
  'inspect',
  'list',
  'lock',
  'lock-procedure',
  'lock-schema',
  'look',
  'notify',
  'notify-in-transaction',
  'overdue',
  'promote',
  'queues',
  'remove',
  'renew',
  'report',
  'request-cancel',
  'send',
  'stops',
  'submit',
  'submit-plain',
  'sweep',
  'take',
  'unsend',
  'versions',
  'write',
] as const

/** The names of the files in `sql/`. */
export type StatementName = (typeof NAMES)[number]

/** Statements by name. */
export type Statements = Readonly<Record<StatementName, string>>

/** Migrations by number, in order. Each writes down that it was made; one that was released is never changed. */
const MIGRATIONS = ['0001_task'] as const

/** One step of the schema. */
export interface Migration {
  readonly version: number
  readonly name: string
  readonly sql: string
}

// In the files `errand` is the schema and nothing else.
const read = (path: string, schema: string): string =>
  readFileSync(new URL(path, import.meta.url), 'utf8').replaceAll(/\berrand\b/g, `"${schema}"`)

/** Reads all statements. */
export const readStatements = (schema: string): Statements =>
  Object.fromEntries(NAMES.map((name) => [name, read(`./sql/${name}.sql`, schema)])) as Statements

/** Reads all migrations, oldest first. */
export const readMigrations = (schema: string): readonly Migration[] =>
  MIGRATIONS.map((name) => ({
    version: Number.parseInt(name),
    name,
    sql: read(`./migrations/${name}.sql`, schema),
  }))
