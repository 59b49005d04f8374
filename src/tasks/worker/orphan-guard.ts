/**
 * Ends a worker process whose host is gone. A killed host can't tell it, and a handler in a busy loop never
 * sees the channel close, so a thread watches too.
 */
import { Worker } from 'node:worker_threads'

/**
 * What the watching thread runs: text, as a file would have to be found from source and from a build. It sleeps without
 * an event loop, whose timers would cost an idle process several times as much.
 */
const WATCH = `
  const { workerData: { host, interval } } = require('node:worker_threads')
  const isAlive = () => {
    if (process.ppid !== host) return false
    try { return process.kill(host, 0) } catch (error) { return error.code === 'EPERM' }
  }
  const never = new Int32Array(new SharedArrayBuffer(4))
  while (isAlive()) Atomics.wait(never, 0, 0, interval)
  process.kill(process.pid, 'SIGKILL')
`

const INTERVAL = 500

/** `host` is the process id of the parent. */
export const guardAgainstOrphaning = (host: number): void => {
  process.on('disconnect', () => process.exit(1))
  const watcher = new Worker(WATCH, {
    eval: true,
    workerData: { host, interval: INTERVAL },
    execArgv: [],
    env: {},
  })
  watcher.unref()
}
