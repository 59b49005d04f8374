/**
 * No-op tasks per second on Postgres, submit to stored end, in rounds that take turns:
 *
 * - `queue`: pgmq by hand, batched: send_batch, read, delete. Keeps no record and no result.
 * - `record`: the same with a row for each job (id, status, input, result), which is what whoever asks for a result needs:
 *   insert and send, read and mark, result and delete, each in one statement for all of a turn.
 * - `errand`: `pgmq()`, each task watched to its end, as a waiting call does; started where it runs.
 * - `apart`: the same, started by this process and run by another.
 *
 * Run: node bench/tasks/pgmq-throughput.ts postgres://… [inFlight=64] [seconds=3] [rounds=5] [pid of the server]
 * The database has pgmq in it; what the bench makes there it drops. With the server's pid (Linux) its processor time is
 * told too, which is what a busy machine changes least.
 */
import { fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import pg from 'pg'
import { systemClock } from '../../src/tasks/clock.ts'
import type { EngineHost, TaskEngine } from '../../src/tasks/engine.ts'
import { pgmq } from '../../src/tasks/engines/pgmq/index.ts'
import { Batch } from '../../src/tasks/engines/pgmq/batch.ts'
import { createTaskId } from '../../src/tasks/id.ts'
import { toPolicy } from '../../src/tasks/policy.ts'
import { nextMessage } from '../lib/children.mjs'

const [connection = '', inFlight = '64', seconds = '3', rounds = '5', serverPid] = process.argv.slice(2)
if (!connection) throw new Error('Give the URL of a database with pgmq in it')
const LANES = Number(inFlight)
const INPUT = { below: 10 }
const RESULT = { count: 3, largest: 7 }

/** One way to get a job done, timed from its submission to its stored end. */
interface Runner {
  readonly name: string
  runOne(): Promise<void>
  close(): Promise<void>
}

const connect = async (): Promise<pg.Pool> => {
  const pool = new pg.Pool({ connectionString: connection, max: 8 })
  await pool.query('select 1')
  return pool
}

/** What the two loops by hand have in common: jobs wait in memory for word of their end. */
const createLoop = async (
  name: string,
  { setUp, submit, take, finish, tearDown }: Record<'setUp' | 'submit' | 'take' | 'finish' | 'tearDown', string>,
): Promise<Runner> => {
  const pool = await connect()
  for (const sql of [tearDown, setUp]) await pool.query(sql)
  const waiting = new Map<string, () => void>()
  const sends = new Batch<string, void>({
    work: async (ids) => {
      await pool.query(submit, [ids, ids.map(() => JSON.stringify(INPUT))])
      sent += ids.length
      wake()
      return ids.map(() => undefined)
    },
  })
  let wake = (): void => {}
  let sent = 0
  let isOver = false
  const finishes = new Batch<{ id: string; message: string }, void>({
    work: async (jobs) => {
      await pool.query(finish, [
        jobs.map(({ message }) => message),
        jobs.map(({ id }) => id),
        jobs.map(() => JSON.stringify(RESULT)),
      ])
      return jobs.map(({ id }) => waiting.get(id)?.())
    },
  })
  const work = async (): Promise<void> => {
    while (!isOver) {
      const before = sent
      const { rows } = await pool.query<{ id: string; message: string }>(take, [LANES])
      for (const row of rows) void finishes.add(row)
      if (rows.length === 0 && sent === before)
        await new Promise<void>((resolve) => {
          wake = resolve
        })
    }
  }
  const working = work()
  return {
    name,
    runOne: async () => {
      const id = randomUUID()
      const done = new Promise<void>((resolve) => waiting.set(id, resolve))
      await sends.add(id)
      await done
      waiting.delete(id)
    },
    close: async () => {
      isOver = true
      wake()
      await working
      await pool.query(tearDown)
      await pool.end()
    },
  }
}

const queueLoop = (): Promise<Runner> =>
  createLoop('queue', {
    setUp: `select pgmq.create('bench_queue')`,
    submit: `
      select pgmq.send_batch('bench_queue', array(
        select jsonb_build_object('id', id, 'input', input) from unnest($1::text[], $2::jsonb[]) j (id, input)
      ))`,
    take: `select msg_id as message, message->>'id' as id from pgmq.read('bench_queue', 30, $1)`,
    finish: `select pgmq.delete('bench_queue', $1::bigint[]) where $2::text[] is not null and $3::text[] is not null`,
    tearDown: `
      do $$ begin
        if exists (select from pgmq.list_queues() where queue_name = 'bench_queue') then
          perform pgmq.drop_queue('bench_queue');
        end if;
      end $$`,
  })

const recordLoop = (): Promise<Runner> =>
  createLoop('record', {
    setUp: `
      select pgmq.create('bench_record');
      create table bench_job (
        id uuid primary key, status text not null, input jsonb, result jsonb,
        created_at timestamptz not null default now(), started_at timestamptz, finished_at timestamptz
      );
      create index on bench_job (created_at)`,
    submit: `
      with job as (
        insert into bench_job (id, status, input) select id, 'queued', input
        from unnest($1::uuid[], $2::jsonb[]) j (id, input) returning id
      )
      select pgmq.send_batch('bench_record', array(select jsonb_build_object('id', id) from job))`,
    take: `
      with message as materialized (select msg_id, message->>'id' as id from pgmq.read('bench_record', 30, $1)),
      job as (
        update bench_job set status = 'running', started_at = now()
        where id = any (array(select id::uuid from message)) returning id
      )
      select m.msg_id as message, m.id from message m`,
    finish: `
      with job as (
        update bench_job j set status = 'succeeded', result = r.result, finished_at = now()
        from unnest($2::uuid[], $3::jsonb[]) r (id, result) where j.id = r.id returning j.id
      )
      select count(*), (select count(*) from pgmq.delete('bench_record', $1::bigint[])) from job`,
    tearDown: `
      drop table if exists bench_job;
      do $$ begin
        if exists (select from pgmq.list_queues() where queue_name = 'bench_record') then
          perform pgmq.drop_queue('bench_record');
        end if;
      end $$`,
  })

const SCHEMA = 'errand_bench'

const dropSchema = async (schema: string): Promise<void> => {
  const pool = await connect()
  await pool.query(`drop schema if exists ${schema} cascade`)
  await pool.query(
    `select pgmq.drop_queue(queue_name) from pgmq.list_queues() where queue_name = '${schema}_noop'`,
  )
  await pool.end()
}

const policy = toPolicy({ runOn: 'inline' })

const openEngine = async (schema: string): Promise<TaskEngine> => {
  const engine = await pgmq({ connection, schema }).create()
  const host: EngineHost = {
    clock: systemClock,
    policy: () => policy,
    slots: () => LANES,
    run: async () => ({ kind: 'value', value: RESULT }),
    report: console.error,
  }
  await engine.open(host)
  return engine
}

const errandRunner = async (name: string, schema: string): Promise<Runner & { readonly engine: TaskEngine }> => {
  await dropSchema(schema)
  const engine = await openEngine(schema)
  const { signal } = new AbortController()
  return {
    name,
    engine,
    runOne: async () => {
      const id = createTaskId()
      await engine.submit({ id, procedure: 'noop', input: INPUT, maxAttempts: 3, owner: null, priority: 0 })
      for await (const _ of engine.events(id, { signal }));
    },
    close: async () => {
      await engine.close()
      await dropSchema(schema)
    },
  }
}

const togetherRunner = async (): Promise<Runner> => {
  const runner = await errandRunner('errand', SCHEMA)
  runner.engine.work(['noop'])
  return runner
}

/** The worker is this file in another process. */
const apartRunner = async (): Promise<Runner> => {
  const schema = `${SCHEMA}_apart`
  const runner = await errandRunner('apart', schema)
  const worker = fork(import.meta.filename, [connection, inFlight], { env: { ...process.env, BENCH_WORKER: schema } })
  await nextMessage(worker, 'the worker')
  return {
    ...runner,
    close: async () => {
      worker.kill()
      await once(worker, 'exit')
      await runner.close()
    },
  }
}

const worksFor = process.env['BENCH_WORKER']
if (worksFor) {
  const engine = await openEngine(worksFor)
  engine.work(['noop'])
  process.send?.('ready')
  await once(process, 'disconnect')
  process.exit()
}

const loop = async ({ runOne }: Runner, until: number): Promise<number> => {
  let count = 0
  for (; performance.now() < until; count++) await runOne()
  return count
}

/** Milliseconds of processor time that the server and its children have used; those that ended are its own by then. */
const serverCpu = (): number => {
  if (serverPid === undefined) return 0
  const children = readFileSync(`/proc/${serverPid}/task/${serverPid}/children`, 'utf8').trim().split(' ')
  const ticks = [serverPid, ...children].flatMap((pid) => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').replace(/^.*\) /, '').split(' ')
    return fields.slice(11, pid === serverPid ? 15 : 13).map(Number)
  })
  return ticks.reduce((a, b) => a + b) * 10
}

interface Sample {
  readonly perSecond: number
  /** Processor time per task, of this process and of the server. */
  readonly cpuUs: number
  readonly serverUs: number
}

const measure = async (runner: Runner, ms: number): Promise<Sample> => {
  const [from, cpu, server] = [performance.now(), process.cpuUsage(), serverCpu()]
  const counts = await Promise.all(Array.from({ length: LANES }, () => loop(runner, from + ms)))
  const count = counts.reduce((a, b) => a + b)
  const { user, system } = process.cpuUsage(cpu)
  return {
    perSecond: Math.round((count / (performance.now() - from)) * 1000),
    cpuUs: Math.round((user + system) / count),
    serverUs: Math.round(((serverCpu() - server) * 1000) / count),
  }
}

const median = (values: readonly number[]): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number

const runners = [await queueLoop(), await recordLoop(), await togetherRunner(), await apartRunner()]
const results = new Map(runners.map(({ name }) => [name, [] as Sample[]]))
for (const runner of runners) await measure(runner, 1000)
for (let round = 0; round < Number(rounds); round++)
  for (const runner of runners) results.get(runner.name)!.push(await measure(runner, Number(seconds) * 1000))

const rate = (name: string): number => median(results.get(name)!.map(({ perSecond }) => perSecond))
console.log(`${inFlight} in flight, median of ${rounds} rounds of ${seconds} s`)
for (const [name, all] of results)
  console.log(
    JSON.stringify({
      name,
      perSecond: rate(name),
      toQueue: Number((rate(name) / rate('queue')).toFixed(2)),
      toRecord: Number((rate(name) / rate('record')).toFixed(2)),
      cpuUs: median(all.map(({ cpuUs }) => cpuUs)),
      serverUs: median(all.map(({ serverUs }) => serverUs)),
      all: all.map(({ perSecond }) => perSecond),
    }),
  )
for (const runner of runners) await runner.close()
