/** A Redis, or Valkey, of the test's own. */
import { createConnection } from 'node:net'
import { findProgram } from '../../../scripts/setup/programs.mjs'
import { startServer, type Place, type TestServer } from './server.ts'

const program = findProgram('redis-server')

/** Why tests of Redis can't run here; undefined when they can. */
export const noRedis: string | undefined = program ? undefined : 'redis-server is missing'

/** Settings of redis.conf, by name. */
export type RedisSettings = Readonly<Record<string, string | number>>

/** A running Redis. */
export interface RedisServer extends TestServer {
  /** Of a database; every test may have its own. */
  url(database?: number): string
}

/** Every write on the disk before it is answered, as Errand asks for. */
export const DURABLE: RedisSettings = { appendonly: 'yes', appendfsync: 'always' }

const argsOf = (settings: RedisSettings, port: number): string[] =>
  Object.entries({ bind: '127.0.0.1', save: '', databases: 256, ...settings, port }).flatMap(
    ([name, value]) => [`--${name}`, String(value)],
  )

/** Whether it answers at all: one that asks for a password first is there too. */
const answers = ({ port }: Place): Promise<boolean> =>
  new Promise((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1' }, () => socket.write('PING\r\n'))
    socket.on('data', (data) => resolve(/^(\+PONG|-NOAUTH)/.test(String(data))))
    socket.on('data', () => socket.destroy())
    socket.on('error', () => resolve(false))
    socket.on('close', () => resolve(false))
  })

/** Starts one. Without settings it keeps nothing on the disk. */
export const startRedis = async (settings: RedisSettings = {}): Promise<RedisServer> => {
  if (!program) throw new Error(`${noRedis}: guard the test with skipIf(noRedis)`)
  const args = ({ port, dir }: Place): string[] => argsOf({ ...settings, dir }, port)
  const server = await startServer({ name: 'redis-server', program, args, answers })
  const url = (database = 0): string => `redis://127.0.0.1:${server.port}/${database}`
  return Object.assign(server, { url })
}
