/** What `pgmq()` refuses, before anything is opened, and without repeating a secret. */
import { describe, expect, it } from 'vitest'
import { pgmq } from '../../../src/tasks/engines/pgmq/index.ts'
import { ownTransaction } from '../../../src/tasks/engines/pgmq/transaction.ts'

describe('pgmq()', () => {
  it.each([
    [{ connection: 'mysql://u:secret@h/d' }, /option connection .* expected 'postgres:/],
    [{ connection: 'postgres://h/d', listen: 'secret' }, /option listen/],
    [{ connection: 'postgres://h/d', schema: 'public' }, /option schema is "public"/],
    [{ connection: 'postgres://h/d', schema: 'a"b' }, /option schema/],
    [{ connection: 'postgres://h/d', migrate: 'no' }, /option migrate is "no", expected true or false/],
    [{ connection: 'postgres://h/d', threads: 0 }, /option threads/],
  ])('refuses %o', (options, message) => {
    expect(() => pgmq(options as never)).toThrow(message)
    expect(() => pgmq(options as never)).not.toThrow(/secret/)
  })

  it('needs a connection, which may be said outside of code', () => {
    expect(() => pgmq().configure?.({})).toThrow(/no connection: give it one.*ERRAND_TASKS_CONNECTION/s)
    const connection = 'postgres://h/d'
    expect(pgmq().configure?.({ connection, dir: '/d' }).given).toEqual({ connection })
  })

  it('is for many hosts', () => {
    expect(pgmq({ connection: 'postgresql://h/d' })).toMatchObject({ kind: 'pgmq', multiHost: true })
  })
})

describe('option tx', () => {
  const query = async () => ({ rows: [] })

  it.each([
    [7, 'none that pgmq() knows'],
    [null, 'none that pgmq() knows'],
    [{}, 'none that pgmq() knows'],
    [{ query, totalCount: 3 }, 'a pool'],
    [{ query, getTransactionStatus: () => 'I' }, 'in no transaction: say BEGIN first'],
    [{ executeQuery: query, isTransaction: false }, 'a Kysely that is in no transaction'],
  ])('refuses %o', (tx, why) => {
    expect(() => ownTransaction(tx)).toThrow(TypeError)
    expect(() => ownTransaction(tx)).toThrow(why)
  })
})
