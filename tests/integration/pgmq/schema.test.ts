/** What the start finds in the database, makes there, and asks for; and who may see what it made. */
import { readdirSync, readFileSync } from 'node:fs'
import { beforeEach, describe, expect, test } from 'vitest'
import { FakeHost, value } from 'errand/testing/suites'
import { endOf, start } from '../../support/engine.ts'
import { runSql, startPgmq, type PgmqServer } from '../../support/pgmq/database.ts'
import { createEngine, openHost, type HostOptions } from '../../support/pgmq/place.ts'
import { afterwards } from '../../support/afterwards.ts'
import { noPostgres } from '../../support/servers/postgres.ts'
import { until } from '../../support/until.ts'

const server = noPostgres ? undefined : await startPgmq()

const worker = () => new FakeHost().on('job', () => value('ok'))

describe.skipIf(noPostgres)('the schema of pgmq()', () => {
  let url: string
  beforeEach(async () => {
    url = await (server as PgmqServer).createDatabase()
  })

  /** Why an engine can't be opened. */
  const refusal = async (options: HostOptions = {}, at = url): Promise<string> => {
    const engine = await createEngine(at, options)
    afterwards(() => engine.close())
    return engine.open(new FakeHost()).then(
      () => 'it was opened',
      (error: Error) => error.message,
    )
  }

  /** A role that may log in, and its URL. */
  const createRole = async (name: string, grants = ''): Promise<string> => {
    await runSql(url, `drop role if exists ${name}`)
    await runSql(url, `create role ${name} login; ${grants}`)
    afterwards(() =>
      runSql(url, `reassign owned by ${name} to errand; drop owned by ${name}; drop role ${name}`),
    )
    return Object.assign(new URL(url), { username: name }).href
  }

  test('a database without pgmq is told from others, and how to get it', async () => {
    const bare = server!.url('postgres')
    expect(await refusal({}, bare)).toMatch(
      /The database postgres has no pgmq[^]*Supabase[^]*create extension pgmq[^]*psql -f/,
    )
  })

  test('a pgmq that is too old is told by what it lacks', async () => {
    await runSql(url, 'drop function pgmq.set_vt(text, bigint, integer)')
    expect(await refusal()).toContain('lacks pgmq.set_vt(text, bigint, integer): pgmq() needs 1.4.4 or later')
  })

  test('hosts that start at once make it once', async () => {
    const hosts = await Promise.all(Array.from({ length: 6 }, () => openHost(url, worker())))
    const ids = await Promise.all(hosts.map(({ engine }) => start(engine, 'job')))
    for (const id of ids) expect(await endOf(hosts[0]!.engine, id)).toMatchObject({ status: 'succeeded' })
    const { rows } = await runSql(url, 'select version, name from errand.migration')
    expect(rows).toEqual([{ version: 1, name: '0001_task' }])
  })

  test('migrate: false makes nothing, and says what is missing', async () => {
    expect(await refusal({ migrate: false })).toMatch(
      /The schema errand lacks 0001_task, and migrate is false/,
    )
    expect((await runSql(url, `select to_regnamespace('errand') as found`)).rows).toEqual([{ found: null }])
    const migrations = new URL('../../../src/tasks/engines/pgmq/migrations/', import.meta.url)
    for (const name of readdirSync(migrations).toSorted())
      await runSql(url, readFileSync(new URL(name, migrations), 'utf8')) // As `psql -f` does.
    const { engine } = await openHost(url, worker(), { migrate: false })
    expect(await endOf(engine, await start(engine, 'job'))).toMatchObject({ status: 'succeeded' })
  })

  test('two apps in one database, each with a schema of its own, do not meet', async () => {
    const [shop, user] = [worker(), worker()]
    const first = await openHost(url, shop, { schema: 'shop' })
    const second = await openHost(url, user, { schema: 'user' })
    const id = await start(first.engine, 'job')
    await endOf(first.engine, id)
    expect(await second.engine.get(id)).toBeUndefined()
    expect([shop.claims.length, user.claims.length]).toEqual([1, 0])
    const queues = await until('both queues', async () => {
      const { rows } = await runSql(url, 'select queue_name from pgmq.list_queues() order by 1')
      return rows.length === 2 && rows
    })
    expect(queues).toEqual([{ queue_name: 'shop_job' }, { queue_name: 'user_job' }])
  })

  test('a role that is no superuser, owns its schema and may use pgmq is enough', async () => {
    const app = await createRole(
      'plain_app',
      `grant create on database ${new URL(url).pathname.slice(1)} to plain_app;
       grant usage, create on schema pgmq to plain_app;
       grant select, insert on pgmq.meta to plain_app`,
    )
    const { engine } = await openHost(app, worker())
    const id = await start(engine, 'job', { tags: ['t'], idempotencyKey: 'k', inputDigest: 'd' })
    expect(await endOf(engine, id)).toMatchObject({ status: 'succeeded' })
    expect(await engine.remove(id)).toBe('removed')
  })

  test('a role that may make no queue is told what to grant, or to run', async () => {
    const app = await createRole(
      'poor_app',
      `grant create on database ${new URL(url).pathname.slice(1)} to poor_app;
       grant usage on schema pgmq to poor_app; grant select on pgmq.meta to poor_app`,
    )
    const { engine } = await openHost(app, new FakeHost())
    await expect(start(engine, 'job')).rejects.toThrow(
      /Grant its role CREATE[^]*select pgmq.create\('errand_job'\);/,
    )
  })

  test('nothing is anybody else’s to see, not even where it was granted by mistake', async () => {
    const { engine } = await openHost(url, worker())
    await endOf(engine, await start(engine, 'job'))
    const anon = await createRole('anon')
    await expect(runSql(anon, 'select * from errand.task')).rejects.toThrow(
      'permission denied for schema errand',
    )
    await expect(runSql(anon, 'select * from pgmq.q_errand_job')).rejects.toThrow('permission denied')
    await runSql(
      url,
      'grant usage on schema errand to anon; grant select on all tables in schema errand to anon',
    )
    expect((await runSql(anon, 'select * from errand.task')).rows).toEqual([])
  })

  test('a role that does not own the tables works with a policy, and is told of it without', async () => {
    await openHost(url, new FakeHost())
    const guest = await createRole(
      'guest_app',
      `grant usage on schema errand to guest_app; grant all on all tables in schema errand to guest_app;
       grant usage, create on schema pgmq to guest_app; grant select, insert on pgmq.meta to guest_app`,
    )
    const policy = /create policy app on errand.task to guest_app using \(true\) with check \(true\);/
    expect(await refusal({}, guest)).toMatch(policy)
    await runSql(url, 'create policy app on errand.task to guest_app using (true) with check (true)')
    const { engine } = await openHost(guest, worker(), { migrate: false })
    expect(await endOf(engine, await start(engine, 'job'))).toMatchObject({ status: 'succeeded' })
  })

  test('a database that is not there, or a password that is wrong, is told as the server tells it', async () => {
    expect(await refusal({}, server!.url('nowhere'))).toContain('database "nowhere" does not exist')
  })
})
