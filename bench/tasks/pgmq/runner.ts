/** What is measured: ways to get a job done, each timed from its submission to its stored end. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import pg from 'pg'
import { nextMessage } from '../../lib/children.mjs'

/** How it is set up, for all of them the same. */
export interface Setting {
  /** The database. */
  readonly connection: string
  /** Jobs in flight, and the most that are taken at once. */
  readonly lanes: number
}

/** One way. */
export interface Runner {
  readonly name: string
  runOne(): Promise<void>
  /** Processor time so far (µs), of this process and of its worker's, if it has one. */
  cpu(): Promise<number>
  close(): Promise<void>
}

export const INPUT = { below: 10 }
export const RESULT = { count: 3, largest: 7 }

/** Microseconds. */
export const ownCpu = async (): Promise<number> => {
  const { user, system } = process.cpuUsage()
  return user + system
}

export const connect = async (connection: string): Promise<pg.Pool> => {
  const pool = new pg.Pool({ connectionString: connection, max: 8 })
  await pool.query('select 1')
  return pool
}

/** A connection that hears what is told on a channel. */
export const listen = async (
  connection: string,
  channel: string,
  hear: (payload: string) => void,
): Promise<pg.Client> => {
  const client = new pg.Client({ connectionString: connection })
  await client.connect()
  client.on('notification', ({ payload = '' }) => hear(payload))
  await client.query(`listen ${channel}`)
  return client
}

/** Another process that works; `kind` says for whom. */
export const openWorker = async (kind: string, { connection, lanes }: Setting) => {
  const worker = fork(new URL('worker.ts', import.meta.url), [kind, connection, String(lanes)])
  await nextMessage(worker, 'the worker')
  return {
    cpu: async (): Promise<number> => {
      worker.send('cpu')
      const cpu = (await nextMessage(worker, 'the worker')) as number
      return cpu + (await ownCpu())
    },
    close: async (): Promise<void> => {
      worker.kill()
      await once(worker, 'exit')
    },
  }
}
