/** Records in Postgres: whatever JavaScript can say, found by indexes however many there are, and gone in their time. */
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createTaskId } from '../../../src/tasks/id.ts'
import { Database } from '../../../src/tasks/engines/pgmq/database.ts'
import { readStatements } from '../../../src/tasks/engines/pgmq/statements.ts'
import { Sweeper } from '../../../src/tasks/engines/pgmq/sweeper.ts'
import { FakeHost, value } from 'errand/testing/suites'
import { spec } from '../../../src/testing/suites/engine/bench.ts'
import { endOf, start } from '../../support/engine.ts'
import { runSql, startPgmq, type PgmqServer } from '../../support/pgmq/database.ts'
import { createEngine, openHost } from '../../support/pgmq/place.ts'
import { noPostgres } from '../../support/servers/postgres.ts'
import { until } from '../../support/until.ts'

const server = noPostgres ? undefined : await startPgmq()

const ODD = 'a\0b \\ " \ud800 ü 🚀 {},NULL'

describe.skipIf(noPostgres)('records in Postgres', () => {
  let url: string
  beforeEach(async () => {
    url = await (server as PgmqServer).createDatabase()
  })

  test('hold any string, as input, owner, tag, key, progress and result', async () => {
    const host = new FakeHost().on('echo', ({ task, progress }) => {
      progress({ [ODD]: ODD })
      return value(task.input)
    })
    const { engine } = await openHost(url, host)
    const input = { [ODD]: [ODD, null, 1.5, 1e308, '__proto__'], __proto__: null }
    const extra = {
      input,
      owner: ODD,
      tags: [ODD, 'x,y'],
      idempotencyKey: ODD,
      inputDigest: 'd',
      carried: ODD,
    }
    const id = await start(engine, 'echo', extra)
    const task = await endOf(engine, id)
    expect(task).toMatchObject({ ...extra, result: input, progress: { [ODD]: ODD } })
    for (const query of [{ owner: ODD }, { tag: ODD }, { tag: 'x,y' }])
      expect((await engine.list({ limit: 5, ...query })).items).toEqual([task])
    for (const query of [{ owner: 'a' }, { tag: 'x' }, { owner: ODD.replace('\ud800', '\ud801') }])
      expect((await engine.list({ limit: 5, ...query })).items).toEqual([])
    expect(await engine.submit(spec('echo', extra))).toMatchObject({ kind: 'replayed', task: { id } })
  })

  test('keep large inputs and results whole, and progress that is null', async () => {
    const large = { text: 'ü'.repeat(500_000) }
    const host = new FakeHost().on('echo', ({ task, progress }) => {
      progress(null)
      return value(task.input)
    })
    const { engine } = await openHost(url, host)
    const id = await start(engine, 'echo', { input: large })
    expect(await endOf(engine, id)).toMatchObject({ input: large, result: large, progress: null })
  })

  test('are read by pg as they are, whatever the app has taught it', async () => {
    const parsers = [114, 1184, 20, 1700, 3802].map(
      (oid) => [oid, pg.types.getTypeParser(oid, 'text')] as const,
    )
    for (const [oid] of parsers) pg.types.setTypeParser(oid, () => 'nonsense')
    try {
      const { engine } = await openHost(
        url,
        new FakeHost().on('job', () => value({ a: 1 })),
      )
      const runAt = Date.now() + 50
      const task = await endOf(engine, await start(engine, 'job', { runAt }))
      expect(task).toMatchObject({ result: { a: 1 }, createdAt: expect.closeTo(runAt, -5) })
      expect((await engine.list({ limit: 1 })).items).toEqual([task])
    } finally {
      for (const [oid, parse] of parsers) pg.types.setTypeParser(oid, parse as (text: string) => unknown)
    }
  })

  test('are deleted some time after they are over, those that live are not', async () => {
    const { engine } = await openHost(
      url,
      new FakeHost().on('brief', () => value(1), { keep: 1 }),
    )
    await start(engine, 'unknown')
    for (let n = 0; n < 3; n++) await start(engine, 'brief')
    const count = async (): Promise<number> =>
      Number((await runSql(url, 'select count(*) from errand.task')).rows[0].count)
    await until('the ends', async () => (await engine.list({ limit: 9 })).items.length === 1)
    expect(await count()).toBe(4)
    const database = new Database(new pg.Pool({ connectionString: url }), true)
    const report = (message: string): never => {
      throw new Error(message)
    }
    const sweeper = new Sweeper({ database, sql: readStatements('errand'), report })
    sweeper.start(20)
    await until('the sweep', async () => (await count()) === 1)
    await sweeper.close()
    await database.close()
  })

  test('a free key is found to be so although its record is not swept yet', async () => {
    const { engine } = await openHost(
      url,
      new FakeHost().on('brief', () => value(1), { keep: 1 }),
    )
    const key = { idempotencyKey: 'k', inputDigest: 'd' }
    const id = await start(engine, 'brief', key)
    await until('the end', async () => (await engine.get(id)) === undefined)
    expect(await engine.submit(spec('brief', key))).toMatchObject({ kind: 'created' })
  })
})

/** What stands in a plan, from the top. */
const nodesOf = (plan: Record<string, unknown>): string[] => [
  [plan['Node Type'], plan['Index Name'], plan['Relation Name']].filter(Boolean).join(' '),
  ...((plan['Plans'] ?? []) as Record<string, unknown>[]).flatMap(nodesOf),
]

describe.skipIf(noPostgres)('a hundred thousand records', () => {
  const sql = readStatements('errand')
  let client: pg.Client
  beforeAll(async () => {
    client = await fill()
  })
  afterAll(() => client.end())

  const fill = async (): Promise<pg.Client> => {
    const url = await (server as PgmqServer).createDatabase()
    const engine = await createEngine(url)
    await engine.open(new FakeHost())
    await engine.close()
    const filled = new pg.Client({ connectionString: url })
    await filled.connect()
    await filled.query(`
      insert into errand.task (
        id, procedure, owner, tags, priority, created_at, spec, status, ready, run_at, expires_at, cancel_requested,
        attempt, lease, lease_until, revision, state
      )
      select
        gen_random_uuid(), 'p' || n % 20, 'owner ' || n % 1000, array['t' || n % 500], n % 5,
        now() - n * interval '1 second', '{}', status, status = 'queued' and n % 2 = 0,
        case when status = 'queued' and n % 2 = 1 then now() + n * interval '1 second' end,
        case when status in ('succeeded', 'failed') then now() + interval '1 day' end,
        false, 1, case when status = 'running' then gen_random_uuid() end,
        case when status = 'running' then now() + interval '10 seconds' end, 1, '{}'
      from generate_series(1, 100000) n,
        lateral (select case when n % 10 = 1 then 'queued' when n % 100 = 2 then 'failed' when n % 1000 = 3 then 'running'
          else 'succeeded' end as status) s`)
    await filled.query('vacuum analyze errand.task')
    return filled
  }

  const plan = async (name: keyof typeof sql, values: unknown[]): Promise<string[]> => {
    const { rows } = await client.query(`explain (format json) ${sql[name]}`, values)
    return nodesOf(rows[0]['QUERY PLAN'][0].Plan)
  }

  const page = (filter: {
    procedure?: string
    status?: string
    tag?: string
    owner?: string
    id?: string
  }) => [
    filter.procedure ?? null,
    filter.status ?? null,
    filter.tag ?? null,
    filter.owner ?? null,
    filter.id ? String((Date.now() - 50_000_000) * 1000) : null,
    filter.id ?? null,
    51,
  ]

  test.each([
    ['all', {}, 'task_age'],
    ['a later page', { id: createTaskId() }, 'task_age'],
    ['of a procedure', { procedure: 'p1' }, 'task_procedure'],
    ['of a procedure, a later page', { procedure: 'p1', id: createTaskId() }, 'task_procedure'],
    ['of a rare status', { status: 'running' }, 'task_status'],
    ['of a common status', { status: 'succeeded' }, 'task_age'],
    ['of an owner', { owner: 'owner 7' }, 'task_owner'],
    ['with a tag', { tag: 't7' }, 'task_tags'],
  ])('a page of %s is read from an index', async (_, filter, index) => {
    const nodes = await plan('list', page(filter))
    expect(nodes.join('\n')).toContain(index)
    expect(nodes.join('\n')).not.toContain('Seq Scan')
  })

  test.each<[keyof typeof sql, unknown[], string]>([
    ['take', ['p1', 10], 'task_ready'],
    ['get', [`{${createTaskId()}}`], 'task_pkey'],
    ['holders', ['{abc}'], 'task_key'],
    ['overdue', ['{p1,p2}', 10], 'task_lease'],
    ['promote', [100], 'task_delayed'],
    ['sweep', [500], 'task_expiry'],
    ['count-running', ['p1'], 'task_lease'],
  ])('%s reads an index', async (name, values, index) => {
    const nodes = await plan(name, values)
    expect(nodes.join('\n')).toContain(index)
    expect(nodes.join('\n')).not.toMatch(/Seq Scan task/)
  })

  test('what is ready is taken in the order of the index, with nothing to sort', async () => {
    expect(await plan('take', ['p1', 10])).not.toContain('Sort')
  })
})
