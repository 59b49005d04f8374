/** The servers that tests start: they come, freeze, die and come back with what they had. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { isAlive } from '../support/servers/processes.ts'
import { noPostgres, startPostgres } from '../support/servers/postgres.ts'
import { DURABLE, noRedis, startRedis } from '../support/servers/redis.ts'
import { until } from '../support/until.ts'

const open = async (port: number): Promise<Socket> => {
  const socket = connect({ port, host: '127.0.0.1' })
  await once(socket, 'connect')
  return socket
}

/** What comes back for a line of text, or `silence`. */
const ask = async (port: number, line: string, patience = 5000): Promise<string> => {
  const socket = await open(port)
  socket.write(`${line}\r\n`)
  const answer = once(socket, 'data').then(([data]) => String(data).trim())
  const heard = await Promise.race([answer, sleep(patience, 'silence')])
  socket.destroy()
  return heard
}

describe('a process of the test', () => {
  test('ends with the process that started it, even when that is killed', async () => {
    const support = new URL('../support/servers/processes.ts', import.meta.url).href
    const code = `
      import { endWithUs } from '${support}'
      import { spawn } from 'node:child_process'
      const child = spawn('sleep', ['60'])
      endWithUs(child.pid)
      console.log(child.pid)
      setInterval(() => {}, 1000)`
    const parent = spawn(process.execPath, ['--input-type=module', '--eval', code])
    const [data] = (await once(parent.stdout, 'data')) as [Buffer]
    const pid = Number(String(data))
    expect(isAlive(pid)).toBe(true)
    parent.kill('SIGKILL')
    await until('its end', () => !isAlive(pid))
  })
})

describe.skipIf(noRedis)('a Redis of the test', () => {
  test('keeps its settings, and what was written, over a kill', async () => {
    const redis = await startRedis({ ...DURABLE, maxmemory: '50mb' })
    expect(await ask(redis.port, 'CONFIG GET maxmemory')).toContain('52428800')
    expect(await ask(redis.port, 'SET a 1')).toBe('+OK')
    const { pid } = redis
    await redis.kill()
    expect(isAlive(pid)).toBe(false)
    await expect(open(redis.port)).rejects.toThrow('ECONNREFUSED')
    await redis.start()
    expect(await ask(redis.port, 'GET a')).toBe('$1\r\n1')
  })

  test('accepts connections and answers nothing while it is frozen', async () => {
    const redis = await startRedis()
    redis.freeze()
    expect(await ask(redis.port, 'PING', 200)).toBe('silence')
    redis.thaw()
    expect(await ask(redis.port, 'PING')).toBe('+PONG')
  })

  test('says why it did not start', async () => {
    await expect(startRedis({ appendfsync: 'sometimes' })).rejects.toThrow('appendfsync "sometimes"')
  })
})

describe.skipIf(noPostgres)('a Postgres of the test', () => {
  test('can be frozen, killed and brought back', async () => {
    const postgres = await startPostgres({ max_connections: 7 })
    const { pid } = postgres
    postgres.freeze()
    const socket = await open(postgres.port) // The system accepts for it.
    socket.on('error', () => {}) // A killed server may reset it.
    postgres.thaw()
    await postgres.kill()
    socket.destroy()
    expect(isAlive(pid)).toBe(false)
    await expect(open(postgres.port)).rejects.toThrow('ECONNREFUSED')
    await postgres.start()
    expect(isAlive(postgres.pid)).toBe(true)
  })

  test('says why it did not start', async () => {
    await expect(startPostgres({ max_connections: 'many' })).rejects.toThrow('max_connections')
  })
})
