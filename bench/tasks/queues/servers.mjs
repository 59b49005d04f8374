// The servers that peers need: each in a folder of its own under the system's temp folder, on a free loopback port.
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import os from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** Kinds of servers: `start` gives `{ url, pid, reset(), stop() }`, or throws when this machine lacks it. */
export const serverKinds = { redis: startRedis, postgres: startPostgres }

/** Redis as BullMQ's documentation has it: no snapshots, the log on the disk every second. */
async function startRedis() {
  const dir = temporaryFolder()
  const port = await freePort()
  const settings = { port, bind: '127.0.0.1', save: '', appendonly: 'yes', appendfsync: 'everysec', dir }
  const args = Object.entries(settings).flatMap(([name, value]) => [`--${name}`, String(value)])
  const cli = (...command) => spawnSync('redis-cli', ['-p', String(port), ...command], { encoding: 'utf8' }).stdout
  return startProcess({
    dir,
    command: ['redis-server', ...args],
    url: `redis://127.0.0.1:${port}`,
    isReady: () => cli('ping')?.trim() === 'PONG',
    reset: () => cli('flushall'),
  })
}

/** PostgreSQL with its default settings, fsync among them. */
async function startPostgres() {
  const bin = postgresFolder()
  const dir = temporaryFolder()
  const user = unprivileged()
  if (user.uid !== undefined) chownSync(dir, user.uid, user.gid)
  const port = await freePort()
  const data = path.join(dir, 'data')
  const init = ['-D', data, '-U', 'bench', '-A', 'trust', '-E', 'UTF8', '--no-sync', '--no-instructions']
  execFileSync(path.join(bin, 'initdb'), init, { ...user, stdio: ['ignore', 'ignore', 'inherit'] })
  const server = `postgres://bench@127.0.0.1:${port}`
  const sql = (text) =>
    spawnSync(path.join(bin, 'psql'), ['-qd', `${server}/postgres`], { input: text, encoding: 'utf8' }).status
  return startProcess({
    dir,
    user,
    command: [path.join(bin, 'postgres'), '-D', data, '-h', '127.0.0.1', '-p', String(port), '-k', ''],
    url: `${server}/bench`,
    isReady: () => sql('SELECT 1') === 0,
    reset: () => sql('DROP DATABASE IF EXISTS bench WITH (FORCE);\nCREATE DATABASE bench;\nCHECKPOINT;\n'),
  })
}

async function startProcess({ dir, user = {}, command: [file, ...args], url, isReady, reset }) {
  const child = spawn(file, args, { ...user, stdio: 'ignore' })
  const closed = new Promise((resolve) => child.once('exit', resolve).once('error', resolve))
  const kill = () => child.kill('SIGINT') // Postgres: at once, without waiting for clients
  process.once('exit', kill)
  const stop = async () => {
    process.off('exit', kill)
    kill()
    await closed
    rmSync(dir, { recursive: true, force: true })
  }
  for (let tries = 0; !isReady(); tries++) {
    if (tries === 100 || child.exitCode !== null || child.pid === undefined) {
      await stop()
      throw new Error(`${file} did not start`)
    }
    await sleep(100)
  }
  return { url, pid: child.pid, reset, stop }
}

// Servers are ended on `exit`, which a signal alone does not bring.
for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => process.exit(1))

const temporaryFolder = () => mkdtempSync(path.join(process.env.BENCH_DIR ?? os.tmpdir(), 'errand-bench-'))

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

/** Debian keeps the server's programs outside of PATH. The newest there. */
function postgresFolder() {
  const base = '/usr/lib/postgresql'
  const versions = existsSync(base) ? readdirSync(base).sort((a, b) => Number(b) - Number(a)) : []
  if (versions.length === 0) throw new Error(`no PostgreSQL in ${base}: apt-get install postgresql`)
  return path.join(base, versions[0], 'bin')
}

/** Postgres refuses to run as root. */
function unprivileged() {
  if (process.getuid() !== 0) return {}
  const [uid, gid] = ['-u', '-g'].map((flag) => Number(spawnSync('id', [flag, 'postgres'], { encoding: 'utf8' }).stdout))
  return { uid, gid }
}
