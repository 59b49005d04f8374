/** pgmq used by hand, as well as a hand would: what waits meanwhile goes into the next statement. */
import { randomUUID } from 'node:crypto'
import type pg from 'pg'
import { Batch } from '../../../src/tasks/engines/pgmq/batch.ts'
import { connect, INPUT, listen, openWorker, ownCpu, RESULT, type Runner, type Setting } from './runner.ts'
import { APART, QUEUE, RECORD, type Sql } from './by-hand-sql.ts'

interface Job {
  readonly id: string
  readonly message: string
}

/** Who waits for which job. */
class Waiting {
  readonly #waiting = new Map<string, () => void>()

  ended(id: string): void {
    this.#waiting.get(id)?.()
    this.#waiting.delete(id)
  }

  /** Submits one and waits for its end. */
  async run(submit: (id: string) => Promise<void>): Promise<void> {
    const id = randomUUID()
    const done = new Promise<void>((resolve) => this.#waiting.set(id, resolve))
    await submit(id)
    await done
  }
}

const createSends = (pool: pg.Pool, { submit }: Sql, sent: () => void): Batch<string, void> =>
  new Batch({
    work: async (ids) => {
      await pool.query(submit, [ids, ids.map(() => JSON.stringify(INPUT))])
      sent()
      return ids.map(() => undefined)
    },
  })

/** Takes jobs and ends them, until it is closed. */
const createWork = (pool: pg.Pool, { take, finish }: Sql, lanes: number, ended: (id: string) => void) => {
  let wake = (): void => {}
  let calls = 0
  let isOver = false
  const finishes = new Batch<Job, void>({
    work: async (jobs) => {
      const [messages, ids] = [jobs.map(({ message }) => message), jobs.map(({ id }) => id)]
      await pool.query(finish, [messages, ids, jobs.map(() => JSON.stringify(RESULT))])
      return ids.map(ended)
    },
  })
  const work = async (): Promise<void> => {
    while (!isOver) {
      const before = calls
      const { rows } = await pool.query<Job>(take, [lanes])
      for (const row of rows) void finishes.add(row)
      if (rows.length === 0 && calls === before) await new Promise<void>((resolve) => (wake = resolve))
    }
  }
  const working = work()
  const call = (): void => {
    calls += 1
    wake()
  }
  return {
    call,
    close: async (): Promise<void> => {
      isOver = true
      call()
      await working
      await finishes.idle()
    },
  }
}

const prepare = async ({ connection }: Setting, { setUp, tearDown }: Sql): Promise<pg.Pool> => {
  const pool = await connect(connection)
  for (const statement of [tearDown, setUp]) await pool.query(statement)
  return pool
}

/** Submits and works in one process. */
const together = async (name: string, sql: Sql, setting: Setting): Promise<Runner> => {
  const pool = await prepare(setting, sql)
  const waiting = new Waiting()
  const work = createWork(pool, sql, setting.lanes, (id) => waiting.ended(id))
  const sends = createSends(pool, sql, work.call)
  return {
    name,
    runOne: () => waiting.run((id) => sends.add(id)),
    cpu: ownCpu,
    close: async () => {
      await work.close()
      await pool.query(sql.tearDown)
      await pool.end()
    },
  }
}

export const queueLoop = (setting: Setting): Promise<Runner> => together('queue', QUEUE, setting)

export const recordLoop = (setting: Setting): Promise<Runner> => together('record', RECORD, setting)

/** Submits here and works in another process, which hear of each other by notifications. */
export const recordApart = async (setting: Setting): Promise<Runner> => {
  const pool = await prepare(setting, APART)
  const waiting = new Waiting()
  const line = await listen(setting.connection, 'bench_ended', (payload) => {
    for (const { id } of JSON.parse(payload) as readonly { readonly id: string }[]) waiting.ended(id)
  })
  const worker = await openWorker('record', setting)
  const sends = createSends(pool, APART, () => {})
  return {
    name: 'record, apart',
    runOne: () => waiting.run((id) => sends.add(id)),
    cpu: worker.cpu,
    close: async () => {
      await worker.close()
      await line.end()
      await pool.query(APART.tearDown)
      await pool.end()
    },
  }
}

/** The other side of it, in the process of the worker. */
export const workApart = async ({ connection, lanes }: Setting): Promise<void> => {
  const work = createWork(await connect(connection), APART, lanes, () => {})
  await listen(connection, 'bench_sent', work.call)
}

/**
 * As the documentation of pgmq shows it: `send` for each job, `read` of a batch, `delete` of each. No record and no
 * result. The reader is woken, rather than to poll, and does not wait for its deletions before it reads on.
 */
export const documented = async (setting: Setting): Promise<Runner> => {
  const pool = await prepare(setting, QUEUE)
  const waiting = new Waiting()
  let wake = (): void => {}
  let [sent, isOver] = [0, false]
  const end = async ({ message, id }: Job): Promise<void> => {
    await pool.query(`select pgmq.delete('bench_queue', $1::bigint)`, [message])
    waiting.ended(id)
  }
  const work = async (): Promise<void> => {
    while (!isOver) {
      const before = sent
      const { rows } = await pool.query<Job>(QUEUE.take, [setting.lanes])
      for (const row of rows) void end(row)
      if (rows.length === 0 && sent === before) await new Promise<void>((resolve) => (wake = resolve))
    }
  }
  const send = async (id: string): Promise<void> => {
    await pool.query(`select pgmq.send('bench_queue', $1::jsonb)`, [JSON.stringify({ id, input: INPUT })])
    sent += 1
    wake()
  }
  const working = work()
  return {
    name: 'documented',
    runOne: () => waiting.run(send),
    cpu: ownCpu,
    close: async () => {
      isOver = true
      wake()
      await working
      await pool.query(QUEUE.tearDown)
      await pool.end()
    },
  }
}
