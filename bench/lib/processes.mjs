import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { ask, nextMessage } from './children.mjs'

const serveFile = fileURLToPath(new URL('../http/serve.mjs', import.meta.url))
const canPin = os.availableParallelism() > 1 && spawnSync('taskset', ['-c', '0,1', 'true']).status === 0

export const pinning = canPin ? 'server on CPU 0, load on CPU 1' : 'off (no taskset, or one CPU)'

/** `command` on one CPU, at a raised priority when asked. taskset and nice both exec: the pid stays the command's own. */
export function pinned(cpu, command, nice = 0) {
  return [...(nice ? ['nice', '-n', String(nice)] : []), ...(canPin ? ['taskset', '-c', String(cpu)] : []), ...command]
}

/** A peer in a process of its own: `{ url, usage(), stop() }`. It ends with this process, whatever happens. */
export async function startServer(set, peer, { nice = 0, env = {} } = {}) {
  // Each process gets its own data folder: the embedded store has one owner.
  const data = mkdtempSync(path.join(os.tmpdir(), 'errand-bench-'))
  const [file, ...args] = pinned(0, [process.execPath, serveFile, set, peer], nice)
  const startedAt = performance.now()
  const child = spawn(file, args, {
    cwd: data,
    env: { ...process.env, NODE_ENV: 'production', ERRAND_DATA: data, ...env },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const closed = new Promise((resolve) => child.once('exit', resolve))
  const stop = async () => {
    child.kill('SIGKILL')
    await closed
    rmSync(data, { recursive: true, force: true })
  }
  try {
    const { url } = await nextMessage(child, `${set}/${peer}`)
    return { url, startedAt, stop, usage: () => ask(child, 'usage', `${set}/${peer}`) }
  } catch (error) {
    await stop()
    throw error
  }
}
