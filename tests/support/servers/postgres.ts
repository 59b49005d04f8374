/** A Postgres of the test's own: its own cluster, reached over the loopback alone. */
import { execFile } from 'node:child_process'
import { createConnection } from 'node:net'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { findProgram } from '../../../scripts/setup/programs.mjs'
import { unprivileged } from './processes.ts'
import { startServer, type Place, type TestServer } from './server.ts'

const run = promisify(execFile)

const program = findProgram('postgres')

/** Why tests of Postgres can't run here; undefined when they can. */
export const noPostgres: string | undefined = program ? undefined : 'postgres is missing'

/** Settings of postgresql.conf, by name. */
export type PostgresSettings = Readonly<Record<string, string | number>>

/** A running Postgres. */
export interface PostgresServer extends TestServer {
  url(database?: string): string
}

const USER = 'errand'

const dataOf = (dir: string): string => join(dir, 'data')

const argsOf = (settings: PostgresSettings, { port, dir }: Place): string[] => [
  '-D',
  dataOf(dir),
  ...Object.entries({
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    ...settings,
    port,
  }).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
]

/** A start-up message of version 3.0. */
const startUp = (): Buffer => {
  const body = Buffer.from(`user\0${USER}\0database\0postgres\0\0`)
  const head = Buffer.alloc(8)
  head.writeInt32BE(body.length + 8, 0)
  head.writeInt32BE(3 << 16, 4)
  return Buffer.concat([head, body])
}

/** Whether it lets us in: while it starts up it answers with an error. */
export const answers = ({ port }: Place): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1' }, () => socket.write(startUp()))
    socket.on('data', (data) => resolve(String(data).startsWith('R')))
    socket.on('data', () => socket.destroy())
    socket.on('error', () => resolve(false))
    socket.on('close', () => resolve(false))
  })

/** Starts one with a database `postgres`, and the user `errand`, who needs no password. */
export const startPostgres = async (settings: PostgresSettings = {}): Promise<PostgresServer> => {
  if (!program) throw new Error(`${noPostgres}: guard the test with skipIf(noPostgres)`)
  const account = unprivileged('postgres')
  const initdb = join(dirname(program), 'initdb')
  const prepare = async ({ dir }: Place): Promise<void> => {
    const args = ['-D', dataOf(dir), '-U', USER, '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync']
    await run(initdb, args, { cwd: dir, ...account })
  }
  const args = (place: Place): string[] => argsOf(settings, place)
  const server = await startServer({ name: 'postgres', program, account, prepare, args, answers })
  const url = (database = 'postgres'): string => `postgres://${USER}@127.0.0.1:${server.port}/${database}`
  return Object.assign(server, { url })
}
