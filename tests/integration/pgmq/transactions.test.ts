/** A task that is started inside the caller's own transaction is there with the commit, and never was after a rollback. */
import { CamelCasePlugin, Kysely, PostgresDialect } from 'kysely'
import pg from 'pg'
import { beforeEach, describe, expect, test } from 'vitest'
import { createApp, local, procedure } from 'errand'
import { pgmq } from 'errand/pgmq'
import { z } from 'zod'
import { runSql, startPgmq, type PgmqServer } from '../../support/pgmq/database.ts'
import { afterwards } from '../../support/afterwards.ts'
import { recordingLogger, serveApp } from '../../support/serve.ts'
import { noPostgres } from '../../support/servers/postgres.ts'
import { tempDir } from '../../support/temp.ts'

const server = noPostgres ? undefined : await startPgmq()

const double = procedure.task({
  input: z.object({ n: z.number() }),
  output: z.number(),
  runOn: 'inline',
  handler: ({ input }) => input.n * 2,
})

describe.skipIf(noPostgres)('a start in a transaction', () => {
  let url: string
  let pool: pg.Pool
  beforeEach(async () => {
    url = await (server as PgmqServer).createDatabase()
    await runSql(url, 'create table orders (id integer primary key)')
    pool = new pg.Pool({ connectionString: url })
    afterwards(() => pool.end())
  })

  /** The app, whose one mutation writes an order and starts a task with it, or neither. */
  const serve = async () => {
    const order = procedure.mutation({
      input: z.object({ id: z.int(), fails: z.boolean() }),
      output: z.object({ task: z.string() }),
      handler: async ({ input, tasks }) => {
        const client = await pool.connect()
        try {
          await client.query('begin')
          await client.query('insert into orders values ($1)', [input.id])
          const task = await tasks.start(double, { n: input.id }, { tx: client })
          if (input.fails) throw new Error('changed my mind')
          await client.query('commit')
          return { task: task.id }
        } catch (error) {
          await client.query('rollback')
          throw error
        } finally {
          client.release()
        }
      },
    })
    const logger = recordingLogger([])
    const app = createApp({ double, order }, { profile: 'test', logger, tasks: pgmq({ connection: url }) })
    return { ...(await serveApp(app)), tasks: app.tasks }
  }

  const count = async (what: string): Promise<number> =>
    Number((await runSql(url, `select count(*) from ${what}`)).rows[0].count)

  test('of a client of pg is there with the commit, and its handle works', async () => {
    const { tasks } = await serve()
    const client = await pool.connect()
    await client.query('begin')
    await client.query('insert into orders values (1)')
    const task = await tasks.start(double, { n: 21 }, { tx: client, tags: ['t'] })
    expect(await tasks.get(task.id)).toBeUndefined()
    await client.query('commit')
    client.release()
    expect(await task.result({ timeout: 20_000 })).toBe(42)
    expect(await tasks.get(task.id)).toMatchObject({ status: 'succeeded', tags: ['t'] })
  })

  test('leaves nothing behind after a rollback: no order, no task, no message', async () => {
    const api = await serve()
    expect((await api.call('/order', { id: 1, fails: true })).status).toBe(500)
    const ordered = await api.call('/order', { id: 2, fails: false })
    expect(ordered.status).toBe(200)
    const { task } = ordered.json as { task: string }
    expect((await api.get(`/tasks/${task}/result?wait=20`)).json).toBe(4)
    expect([await count('orders'), await count('errand.task'), await count('pgmq.q_errand_double')]).toEqual([
      1, 1, 0,
    ])
  })

  test('of a transaction of Kysely, with a plugin that renames what it reads', async () => {
    const { tasks } = await serve()
    const db = new Kysely<{ orders: { id: number } }>({
      dialect: new PostgresDialect({ pool }),
      plugins: [new CamelCasePlugin()],
    })
    const task = await db.transaction().execute(async (tx) => {
      await tx.insertInto('orders').values({ id: 3 }).execute()
      return tasks.start(double, { n: 3 }, { tx })
    })
    expect(await task.result({ timeout: 20_000 })).toBe(6)
    const undone = db.transaction().execute(async (tx) => {
      await tasks.start(double, { n: 4 }, { tx, idempotencyKey: 'k' })
      throw new Error('changed my mind')
    })
    await expect(undone).rejects.toThrow('changed my mind')
    expect(await count('errand.task')).toBe(1)
    await expect(tasks.start(double, { n: 5 }, { tx: db })).rejects.toThrow('in no transaction')
  })

  test('keeps to idempotency keys, inside and outside of the transaction', async () => {
    const { tasks } = await serve()
    const before = await tasks.start(double, { n: 1 }, { idempotencyKey: 'before' })
    const client = await pool.connect()
    await client.query('begin')
    const options = { tx: client, idempotencyKey: 'within' }
    const [first, again, known] = [
      await tasks.start(double, { n: 2 }, options),
      await tasks.start(double, { n: 2 }, options),
      await tasks.start(double, { n: 1 }, { tx: client, idempotencyKey: 'before' }),
    ]
    await expect(tasks.start(double, { n: 9 }, options)).rejects.toMatchObject({
      code: 'UNPROCESSABLE_CONTENT',
    })
    await client.query('commit')
    client.release()
    expect([again.id, known.id]).toEqual([first.id, before.id])
    expect((await tasks.start(double, { n: 2 }, { idempotencyKey: 'within' })).id).toBe(first.id)
    await first.result({ timeout: 20_000 })
    await before.result({ timeout: 20_000 })
    expect([await count('errand.task'), await count('pgmq.q_errand_double')]).toEqual([2, 0])
  })

  test('takes several at once in one transaction', async () => {
    const { tasks } = await serve()
    const client = await pool.connect()
    await client.query('begin')
    const started = await tasks.startMany(double, [{ n: 1 }, { n: 2 }, { n: 3 }], { tx: client })
    await client.query('commit')
    client.release()
    expect(await Promise.all(started.map((task) => task.result({ timeout: 20_000 })))).toEqual([2, 4, 6])
  })

  test('a key that an open transaction has just taken holds up that key alone', async () => {
    const { tasks } = await serve()
    const client = await pool.connect()
    await client.query('begin')
    await tasks.start(double, { n: 1 }, { tx: client, idempotencyKey: 'held' })
    const [held, free] = await Promise.allSettled([
      tasks.start(double, { n: 1 }, { idempotencyKey: 'held' }),
      tasks.start(double, { n: 2 }, { idempotencyKey: 'free' }),
    ])
    expect(held).toMatchObject({ status: 'rejected', reason: { code: 'SERVICE_UNAVAILABLE' } })
    expect(free).toMatchObject({ status: 'fulfilled' })
    await client.query('rollback')
    client.release()
    const again = await tasks.start(double, { n: 1 }, { idempotencyKey: 'held' })
    expect(await again.result({ timeout: 20_000 })).toBe(2)
  })

  test('is refused with what is no transaction', async () => {
    const { tasks } = await serve()
    await expect(tasks.start(double, { n: 1 }, { tx: pool })).rejects.toThrow('a pool: pass the client')
    const client = await pool.connect()
    await expect(tasks.start(double, { n: 1 }, { tx: client })).rejects.toThrow('say BEGIN first')
    client.release()
    expect(await count('errand.task')).toBe(0)
  })

  test('is not to be had over the wire', async () => {
    const api = await serve()
    const sent = await api.call('/trpc/double.startWith', { input: { n: 1 }, tx: { query: 'x' } })
    expect(sent.status).toBe(200)
  })
})

test('an engine that keeps tasks elsewhere refuses a transaction', async () => {
  const app = createApp({ double }, { profile: 'test', tasks: local({ dir: await tempDir() }) })
  afterwards(() => app.close())
  const query = async () => ({ rows: [] })
  await expect(app.tasks.start(double, { n: 1 }, { tx: { query } })).rejects.toThrow(
    "option tx: tasks of the engine local are not kept in your database, so their start can't join its transaction",
  )
})

test('a worker refuses one', async () => {
  const outer = procedure.task({
    input: z.void(),
    output: z.string(),
    runOn: 'inline',
    retry: { attempts: 1 },
    handler: async ({ tasks }) => {
      const refused = tasks.start('double', { n: 1 }, { tx: {} } as never)
      return refused.then(
        () => 'it was started',
        (error: Error) => error.message,
      )
    },
  })
  const app = createApp({ double, outer }, { profile: 'test', tasks: local({ dir: await tempDir() }) })
  afterwards(() => app.close())
  const task = await app.tasks.start(outer, undefined)
  expect(await task.result({ timeout: 20_000 })).toContain('no transaction reaches there')
})
