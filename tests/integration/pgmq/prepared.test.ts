/** Statements are prepared where connections are sessions, and nowhere else; where they turn out not to be, no more. */
import pg from 'pg'
import { beforeEach, describe, expect, test } from 'vitest'
import { EngineUnavailable } from '../../../src/tasks/engine.ts'
import { Database } from '../../../src/tasks/engines/pgmq/database.ts'
import { afterwards } from '../../support/afterwards.ts'
import { noPostgres, startPostgres } from '../../support/servers/postgres.ts'

const server = noPostgres ? undefined : await startPostgres({ fsync: 'off' })

describe.skipIf(noPostgres)('statements', () => {
  let database: Database
  beforeEach(() => {
    const pool = new pg.Pool({ connectionString: server!.url(), max: 1, pipeline: true })
    database = new Database(pool, true)
    afterwards(() => database.close())
  })

  const add = async (a: number): Promise<unknown> =>
    (await database.query('select ($1::integer + 1)::text as sum', [a]))[0]?.['sum']

  const prepared = async (): Promise<number> => {
    const [row] = await database.query('select count(*)::text as count from pg_prepared_statements')
    return Number(row?.['count'])
  }

  test('leave nothing on a connection of which nobody knows whose it is next', async () => {
    expect([await add(1), await add(2), await prepared()]).toEqual(['2', '3', 0])
  })

  test('are kept by a connection that is a session, one for all values', async () => {
    database.hasSessions(true)
    expect([await add(1), await add(2), await prepared()]).toEqual(['2', '3', 1])
    await database.transaction(async (query, last) => {
      await query('select $1::text', ['a'])
      await last('select $1::text', ['b'])
    })
    expect(await prepared()).toBe(2)
    database.hasSessions(false)
    expect(await add(3)).toBe('4')
  })

  test('that are gone are asked for no more: it is another session', async () => {
    database.hasSessions(true)
    await add(1)
    await database.query('deallocate all')
    const failure: unknown = await add(2).catch((error: unknown) => error)
    expect(failure).toBeInstanceOf(EngineUnavailable)
    expect(failure).toMatchObject({ untouched: true })
    database.hasSessions(true)
    expect([await add(2), await add(3), await prepared()]).toEqual(['3', '4', 0])
  })
})
