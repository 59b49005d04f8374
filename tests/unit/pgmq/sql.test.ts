/** The SQL of the engine calls nothing of pgmq but what 1.4.4 has, which is what Supabase runs; and it is all there. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { PGMQ_FUNCTIONS } from '../../../src/tasks/engines/pgmq/schema.ts'
import { readMigrations, readStatements } from '../../../src/tasks/engines/pgmq/statements.ts'

const FOLDER = join(import.meta.dirname, '../../../src/tasks/engines/pgmq')

const filesIn = (folder: string): readonly [string, string][] =>
  readdirSync(join(FOLDER, folder)).map((name) => [name, readFileSync(join(FOLDER, folder, name), 'utf8')])

/** Functions of pgmq 1.4.4 that work without an extension of its own, with their numbers of arguments. */
const IN_1_4_4: Readonly<Record<string, readonly number[]>> = {
  archive: [2],
  create: [1],
  delete: [2],
  drop_queue: [1, 2],
  list_queues: [0],
  metrics: [1],
  metrics_all: [0],
  pop: [1],
  purge_queue: [1],
  read: [3],
  send: [2, 3],
  send_batch: [2, 3],
  set_vt: [3],
}

const withoutComments = (sql: string): string => sql.replaceAll(/--.*$/gm, '')

/** The arguments of a call, whose opening parenthesis is at `from`. */
const argumentsAt = (sql: string, from: number): string[] => {
  const found: string[] = []
  let [depth, start] = [0, from + 1]
  for (let at = from; at < sql.length; at++) {
    const char = sql[at] as string
    if ('([{'.includes(char)) depth += 1
    if (')]}'.includes(char)) depth -= 1
    if ((char === ',' && depth === 1) || depth === 0) {
      found.push(sql.slice(start, at).trim())
      start = at + 1
    }
    if (depth === 0) break
  }
  return found.filter((argument) => argument !== '')
}

/** Everything of pgmq that a statement names, and how many arguments it gets. */
const uses = (text: string): { name: string; count: number | undefined }[] => {
  const sql = withoutComments(text)
  return [...sql.matchAll(/\bpgmq\.("?)(\w+)\1(\s*\()?/g)].map(({ index, 0: whole, 2: name, 3: call }) => ({
    name: name as string,
    count: call === undefined ? undefined : argumentsAt(sql, index + whole.length - 1).length,
  }))
}

const statements = filesIn('sql')

describe('the SQL of pgmq()', () => {
  it('finds what it is to find', () => {
    expect(
      uses(`select pgmq.set_vt(q, (array[1,2])[1], least(a, b)), pgmq.q_x from pgmq.meta -- pgmq.no()`),
    ).toEqual([
      { name: 'set_vt', count: 3 },
      { name: 'q_x', count: undefined },
      { name: 'meta', count: undefined },
    ])
  })

  it.each(statements)('%s calls only what pgmq 1.4.4 has', (_, sql) => {
    for (const { name, count } of uses(sql))
      expect(IN_1_4_4[name], `pgmq.${name} with ${count}`).toContain(count)
  })

  it('names at its start all that it calls', () => {
    const called = new Set(statements.flatMap(([, sql]) => uses(sql).map(({ name }) => `pgmq.${name}`)))
    const checked = new Set(PGMQ_FUNCTIONS.map((signature) => signature.slice(0, signature.indexOf('('))))
    expect(checked).toEqual(called)
  })

  it.each(statements)('%s is one statement, and says what it is for', (_, sql) => {
    expect(sql).toMatch(/^-- [A-Z]/)
    expect(withoutComments(sql)).not.toContain(';')
  })

  it.each(statements)('%s compares times by the database’s clock, and lets an index do it', (_, sql) => {
    // `now()` is when the transaction began, and no index is used for what clock_timestamp() may change.
    expect(withoutComments(sql)).not.toMatch(/\bnow\(\)|[<>]=? *clock_timestamp|current_timestamp/)
  })

  it('is read whole, and lies in the schema that was asked for', () => {
    expect(Object.keys(readStatements('errand')).toSorted()).toEqual(
      statements.map(([name]) => name.replace('.sql', '')).toSorted(),
    )
    expect(readMigrations('errand').map(({ name }) => `${name}.sql`)).toEqual(
      filesIn('migrations').map(([name]) => name),
    )
    for (const sql of [...Object.values(readStatements('user')), readMigrations('user')[0]!.sql])
      expect(withoutComments(sql)).not.toMatch(/\berrand\b/)
  })
})

it('sends and writes tasks without a key as those that have one', () => {
  const { submit = '', 'submit-plain': plain = '' } = readStatements('errand') as Record<string, string>
  const sending = (sql: string) => sql.slice(sql.indexOf('with given'), sql.indexOf('cross join lateral'))
  const numbering = (sql: string) => /cross join lateral[^]*?using \(n\)/.exec(sql)?.[0]
  const writing = (sql: string) =>
    /insert into[^]*?join sent using \(id\)/.exec(sql)?.[0].replaceAll(/\s+/g, ' ').replaceAll(' key,', '')
  for (const part of [sending, numbering, writing]) {
    expect(part(plain)).toBeTruthy()
    expect(part(plain)).toBe(part(submit))
  }
})
