/** The same through Errand: each task watched to its end, as a waiting call does. */
import { systemClock } from '../../../src/tasks/clock.ts'
import type { EngineHost, TaskEngine } from '../../../src/tasks/engine.ts'
import { pgmq } from '../../../src/tasks/engines/pgmq/index.ts'
import { createTaskId } from '../../../src/tasks/id.ts'
import { toPolicy } from '../../../src/tasks/policy.ts'
import { connect, INPUT, openWorker, ownCpu, RESULT, type Runner, type Setting } from './runner.ts'

const TOGETHER = 'errand_bench'
const APART = 'errand_bench_apart'

const policy = toPolicy({ runOn: 'inline' })

const dropSchema = async (connection: string, schema: string): Promise<void> => {
  const pool = await connect(connection)
  await pool.query(`drop schema if exists ${schema} cascade`)
  await pool.query(`select pgmq.drop_queue(queue_name) from pgmq.list_queues() where queue_name = '${schema}_noop'`)
  await pool.end()
}

const openEngine = async ({ connection, lanes }: Setting, schema: string): Promise<TaskEngine> => {
  const engine = await pgmq({ connection, schema }).create()
  const host: EngineHost = {
    clock: systemClock,
    policy: () => policy,
    slots: () => lanes,
    run: async () => ({ kind: 'value', value: RESULT }),
    report: console.error,
  }
  await engine.open(host)
  return engine
}

const open = async (name: string, schema: string, setting: Setting): Promise<Runner & { readonly engine: TaskEngine }> => {
  await dropSchema(setting.connection, schema)
  const engine = await openEngine(setting, schema)
  const { signal } = new AbortController()
  return {
    name,
    engine,
    runOne: async () => {
      const id = createTaskId()
      await engine.submit({ id, procedure: 'noop', input: INPUT, maxAttempts: 3, owner: null, priority: 0 })
      await engine.ended(id, signal)
    },
    cpu: ownCpu,
    close: async () => {
      await engine.close()
      await dropSchema(setting.connection, schema)
    },
  }
}

/** Starts and works in one process. */
export const errandTogether = async (setting: Setting): Promise<Runner> => {
  const runner = await open('errand', TOGETHER, setting)
  runner.engine.work(['noop'])
  return runner
}

/** Starts here and works in another process. */
export const errandApart = async (setting: Setting): Promise<Runner> => {
  const runner = await open('errand, apart', APART, setting)
  const worker = await openWorker('errand', setting)
  return {
    ...runner,
    cpu: worker.cpu,
    close: async () => {
      await worker.close()
      await runner.close()
    },
  }
}

/** The other side of it, in the process of the worker. */
export const workErrand = async (setting: Setting): Promise<void> => {
  const engine = await openEngine(setting, APART)
  engine.work(['noop'])
}
