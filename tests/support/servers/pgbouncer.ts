/** A PgBouncer of the test's own, before a Postgres of the test's own: it lends a connection for each transaction. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { createConnection } from 'node:net'
import { dirname, join } from 'node:path'
import { findProgram } from '../../../scripts/setup/programs.mjs'
import { unprivileged } from './processes.ts'
import type { PostgresServer } from './postgres.ts'
import { startServer, type Place, type TestServer } from './server.ts'

const program = findProgram('pgbouncer')

/** Why tests behind a pooler can't run here; undefined when they can. */
export const noPooler: string | undefined = program ? undefined : 'pgbouncer is missing'

export interface Pooler extends TestServer {
  url(database?: string): string
}

/** What clients ask for at their start is refused unless it is named to be ignored. */
const settings = (postgres: PostgresServer, { port, dir }: Place, ignored: string): string => `
[databases]
* = host=127.0.0.1 port=${postgres.port} user=errand
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
ignore_startup_parameters = ${ignored}
logfile = ${join(dir, 'log')}
`

const answers = ({ port }: Place): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1' }, () => resolve(true))
    socket.on('connect', () => socket.destroy())
    socket.on('error', () => resolve(false))
  })

/** In transaction mode. `ignores`: parameters of a start-up that are dropped instead of refused. */
export const startPooler = async (
  postgres: PostgresServer,
  ignores = 'extra_float_digits',
): Promise<Pooler> => {
  if (!program) throw new Error(`${noPooler}: guard the test with skipIf(noPooler)`)
  const account = unprivileged('postgres')
  const args = (place: Place): string[] => {
    const file = join(place.dir, 'pgbouncer.ini')
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, settings(postgres, place, ignores))
    return [file]
  }
  const server = await startServer({ name: 'pgbouncer', program, account, args, answers })
  const url = (database = 'postgres'): string => `postgres://errand@127.0.0.1:${server.port}/${database}`
  return Object.assign(server, { url })
}
