/** Attempts in child processes: for code that no thread holds, or whose crash would take the server along. */
import type { Executor } from '../executor.ts'
import { isChannelMessage, type ChannelMessage } from '../worker/line.ts'
import { ENTRY } from './entry-url.ts'
import { processArgv } from './exec-argv.ts'
import { WorkerPool } from './pool.ts'
import type { Link, Runtime, WorkerOptions } from './runtime.ts'

const openLink = (): Link => {
  let send: (message: ChannelMessage) => void = () => {}
  let receive: (batch: string) => void = () => {}
  const channel = {
    onMessage: (sender: typeof send) => (send = sender),
    postMessage: (message: unknown) => isChannelMessage(message) && receive(message.errand),
  }
  return {
    job: {},
    runOptions: { filename: ENTRY, channel },
    post: (batch) => send({ errand: batch }),
    listen: (listener) => (receive = listener),
    // What is in the channel is read before this turn ends; a dead one's, before one hears of its death.
    drain: () => new Promise((resolve) => setImmediate(resolve)),
    close: () => (send = () => {}),
  }
}

// The pool asks first and waits a second: time in which a handler that ignored its signal would go on.
const end = (pid: number): void => {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It is gone.
  }
}

const toRuntime = ({ env, memoryLimit, execArgv = [] }: WorkerOptions): Runtime => ({
  name: 'processes',
  poolOptions: {
    runtime: 'child_process',
    serialization: 'advanced',
    env: { ...(process.env as Record<string, string>), ...env },
    execArgv: processArgv(memoryLimit ? [...execArgv, `--max-old-space-size=${memoryLimit}`] : execArgv),
  },
  openLink,
  end,
})

/** An executor on child processes. */
export const createProcesses = (options: WorkerOptions): Executor =>
  new WorkerPool(toRuntime(options), options)
