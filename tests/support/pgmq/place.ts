/** Hosts over one database: each an engine with connections of its own, which can be cut off as a killed process is. */
import type { TaskEngine } from '../../../src/tasks/engine.ts'
import { FleetEngine } from '../../../src/tasks/engines/fleet/fleet-engine.ts'
import { connectionsOf } from '../../../src/tasks/engines/pgmq/connections.ts'
import { PgmqQueue } from '../../../src/tasks/engines/pgmq/pgmq-queue.ts'
import type { PgmqOptions } from '../../../src/tasks/engines/pgmq/pgmq.ts'
import type { EnginePlace, FakeHost } from 'errand/testing/suites'
import { afterwards } from '../afterwards.ts'
import { runSql, type PgmqServer } from './database.ts'
import { openGate, type Gate } from './gate.ts'

/** As `pgmq()`, and what it leaves no choice of. */
export interface HostOptions extends Partial<PgmqOptions> {
  /** Milliseconds. */
  readonly lease?: number
}

/** Short, so that a test need not wait long for what a lost host had; long enough for a slow machine to renew. */
const LEASE = 600

/** An engine that is not open. Its queue takes at most 1000. */
export const createEngine = async (url: string, options: HostOptions = {}): Promise<TaskEngine> => {
  const { lease = LEASE, queueLimit = 1000, schema = 'errand', migrate = true } = options
  const connections = await connectionsOf({ connection: url, ...options })
  const queue = new PgmqQueue({ ...connections, schema, migrate, queueLimit, lease })
  return new FleetEngine({ queue, queueLimit })
}

/** A host of a test. */
export interface OpenHost {
  readonly engine: TaskEngine
  /** From now on nothing passes between it and the database. */
  cut(): void
}

/** Opens a host, which does not work yet; closed when the test is over. */
export const openIdleHost = async (
  url: string,
  host: FakeHost,
  options: HostOptions = {},
): Promise<OpenHost> => {
  const gate = await openGate(url)
  const engine = await createEngine(gate.url, options)
  afterwards(async () => {
    await engine.close()
    gate.shut()
  })
  await engine.open(host)
  return { engine, cut: () => gate.shut() }
}

/** Opens a host and lets it work. */
export const openHost = async (url: string, host: FakeHost, options: HostOptions = {}): Promise<OpenHost> => {
  const opened = await openIdleHost(url, host, options)
  opened.engine.work(host.procedures)
  return opened
}

/** A place of the engine suite. */
export const pgmqPlace = async (server: PgmqServer): Promise<EnginePlace> => {
  const url = await server.createDatabase()
  const gates = new Map<TaskEngine, Gate>()
  return {
    lease: LEASE,
    create: async () => {
      const gate = await openGate(url)
      const engine = await createEngine(gate.url)
      gates.set(engine, gate)
      return engine
    },
    crash: (engine) => gates.get(engine)?.shut(),
    // As if it had run out: whoever renews it next finds that it is another's to take.
    loseLease: async (id) => {
      const sql =
        'update errand.task set lease = gen_random_uuid(), lease_until = clock_timestamp() where id = $1'
      await runSql(url, sql, [id])
    },
    dispose: async () => {
      for (const gate of gates.values()) gate.shut()
    },
  }
}
