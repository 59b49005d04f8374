/** What `bullmq()` refuses, and what it says to do: at the declaration, and when it meets its server. */
import { describe, expect, test } from 'vitest'
import { FakeHost } from 'errand/testing/suites'
import { bullmq } from 'errand/bullmq'
import pg from 'pg'
import type { TaskEngine } from '../../src/tasks/engine.ts'
import { createEngine } from '../../src/tasks/engines/bullmq/create.ts'
import { toTarget } from '../../src/tasks/engines/bullmq/options.ts'
import { freshName } from '../support/bullmq-place.ts'
import { noPooler, startPooler } from '../support/servers/pgbouncer.ts'
import { noPostgres, startPostgres } from '../support/servers/postgres.ts'
import { DURABLE, noRedis, startRedis } from '../support/servers/redis.ts'

const engineAt = (connection: Parameters<typeof toTarget>[0], migrate = true): TaskEngine =>
  createEngine({
    target: toTarget(connection),
    name: freshName(),
    prefix: 'bull',
    migrate,
    queueLimit: 9,
  })

/** What opening it says. */
const refusalOf = async (engine: TaskEngine): Promise<string> => {
  try {
    await engine.open(new FakeHost())
  } catch (error) {
    return (error as Error).message
  } finally {
    await engine.close()
  }
  throw new Error('It opened')
}

/** What it is once it is open. */
const opened = async (engine: TaskEngine) => {
  const host = new FakeHost()
  await engine.open(host)
  const { capabilities } = engine
  await engine.close()
  return { capabilities, reports: host.reports }
}

describe('options', () => {
  test('a connection of another kind is refused, without its password', () => {
    for (const connection of ['mysql://me:secret@host/db', 'localhost:6379', '', 7, null])
      expect(() => bullmq({ connection: connection as string })).toThrow(
        /^bullmq\(\): option connection is .*, expected 'redis:/,
      )
    expect(() => bullmq({ connection: 'mysql://me:secret@host/db' })).not.toThrow('secret')
    expect(() => bullmq({ connection: { connectionString: 'mysql://me:secret@host/db' } })).toThrow(
      'option connection.connectionString is "mysql://***@host/db", expected \'postgres://…\'',
    )
  })

  test('names that BullMQ can not take are refused', () => {
    const connection = 'redis://127.0.0.1'
    expect(() => bullmq({ connection, name: 'a:b' })).toThrow('option name is "a:b", expected a word')
    expect(() => bullmq({ connection, prefix: '' })).toThrow('option prefix is "", expected a word')
    expect(() => bullmq({ connection, migrate: 'no' as never })).toThrow('expected true or false')
    expect(() => bullmq({ connection, threads: 0 })).toThrow('bullmq(): option threads is 0')
  })

  test('nothing is opened when an engine is made', async () => {
    const option = bullmq({ connection: 'redis://127.0.0.1:1' })
    expect(option).toMatchObject({ kind: 'bullmq', multiHost: true })
    expect((await option.create()).capabilities).toMatchObject({ multiHost: true, transactionalStart: false })
  })
})

test('a server that is not there is named, with what to try', async () => {
  expect(await refusalOf(engineAt('redis://user:secret@127.0.0.1:1/3'))).toMatch(
    /^Redis at 127\.0\.0\.1:1\/3 can't be reached: connect ECONNREFUSED .* Is it running/,
  )
  expect(await refusalOf(engineAt('valkey://127.0.0.1:1'))).toMatch(/^Valkey at 127\.0\.0\.1:1 can't be/)
  expect(await refusalOf(engineAt('postgres://user:secret@127.0.0.1:1/db'))).toMatch(
    /^Postgres at 127\.0\.0\.1:1\/db can't be reached: connect ECONNREFUSED .* Is it running/,
  )
})

describe.skipIf(noRedis)('Redis', () => {
  test('says what an acknowledged task survives, as its settings are', async () => {
    const always = await startRedis(DURABLE)
    expect(await opened(engineAt(always.url()))).toMatchObject({
      capabilities: { durable: 'power' },
      reports: [],
    })
    const everySecond = await startRedis({ appendonly: 'yes' })
    expect(await opened(engineAt({ port: everySecond.port }))).toMatchObject({
      capabilities: { durable: 'process' },
      reports: [],
    })
    const never = await startRedis()
    const { capabilities, reports } = await opened(engineAt(never.url()))
    expect(capabilities).toMatchObject({ durable: 'none' })
    expect(reports).toEqual([expect.stringContaining('Set "appendonly yes"')])
  })

  test('is refused when it would throw tasks away', async () => {
    const redis = await startRedis({ ...DURABLE, maxmemory: '50mb', 'maxmemory-policy': 'allkeys-lru' })
    expect(await refusalOf(engineAt(redis.url()))).toBe(
      `Redis at 127.0.0.1:${redis.port}/0 has "maxmemory-policy allkeys-lru": when its memory is full it would throw ` +
        'tasks away. Set "maxmemory-policy noeviction" (redis-cli config set maxmemory-policy noeviction, and in its ' +
        'configuration)',
    )
  })

  test('is refused as a cluster', async () => {
    const redis = await startRedis({ ...DURABLE, 'cluster-enabled': 'yes', databases: 1 })
    expect(await refusalOf(engineAt(redis.url()))).toContain('is a Redis Cluster')
  })

  test('that wants a password says so, and not which was given', async () => {
    const redis = await startRedis({ ...DURABLE, requirepass: 'right' })
    const missing = await refusalOf(engineAt(redis.url()))
    expect(missing).toMatch(/NOAUTH .*Give the right user and password/)
    const wrong = await refusalOf(engineAt(`redis://:secret@127.0.0.1:${redis.port}`))
    expect(wrong).toMatch(/WRONGPASS .*Give the right user and password/)
    expect(wrong).not.toContain('secret')
    await opened(engineAt(`redis://:right@127.0.0.1:${redis.port}`))
  })
})

describe.skipIf(noPostgres)('Postgres', () => {
  test('says what an acknowledged task survives, as its settings are', async () => {
    const postgres = await startPostgres()
    expect((await opened(engineAt(postgres.url()))).capabilities).toMatchObject({ durable: 'power' })
    const loose = { connectionString: postgres.url(), options: '-c synchronous_commit=off' }
    expect((await opened(engineAt(loose))).capabilities).toMatchObject({ durable: 'process' })
  })

  test('without tables, and without leave to make them, says how', async () => {
    const postgres = await startPostgres()
    expect(await refusalOf(engineAt(postgres.url(), false))).toMatch(
      /has BullMQ's tables in version 0, and \d+ is needed \(migrate: false\)/,
    )
    const client = new pg.Client(postgres.url())
    await client.connect()
    await client.query('CREATE ROLE guest LOGIN')
    const guest = `postgres://guest@127.0.0.1:${postgres.port}/postgres`
    expect(await refusalOf(engineAt(guest))).toContain('The role needs CREATE on the database')
    await opened(engineAt(postgres.url()))
    await opened(engineAt(postgres.url(), false))
    await client.end()
  })

  test('an unknown database or user is told from a server that is not there', async () => {
    const postgres = await startPostgres()
    expect(await refusalOf(engineAt(postgres.url('nowhere')))).toContain('Create it, or name another one')
    const stranger = `postgres://stranger:secret@127.0.0.1:${postgres.port}/postgres`
    const refusal = await refusalOf(engineAt(stranger))
    expect(refusal).toContain('Give the right user and password')
    expect(refusal).not.toContain('secret')
  })

  describe.skipIf(noPooler)('behind a pooler in transaction mode', () => {
    test('says what to do when what a connection asks for is refused or dropped', async () => {
      const postgres = await startPostgres()
      const strict = await startPooler(postgres)
      expect(await refusalOf(engineAt(strict.url()))).toContain('ALTER ROLE <user> SET search_path = bullmq')
      const dropping = await startPooler(postgres, 'extra_float_digits,options')
      expect(await refusalOf(engineAt(dropping.url()))).toContain(
        'ALTER ROLE <user> SET search_path = bullmq',
      )
    })

    test('says so when notifications do not arrive', async () => {
      const postgres = await startPostgres()
      const client = new pg.Client(postgres.url())
      await client.connect()
      await client.query('ALTER ROLE errand SET search_path = bullmq')
      await client.end()
      const pooler = await startPooler(postgres, 'extra_float_digits,options')
      expect(await refusalOf(engineAt(pooler.url()))).toContain('delivers no notifications')
    })
  })
})
