/** An app served by a process of its own, which can be killed and started again at the same place. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { afterwards } from './afterwards.ts'
import { tempDir } from './temp.ts'

const root = path.resolve(import.meta.dirname, '../..')
const CONDITION = '--conditions=errand-source'

/** Runs the `errand` command from source. */
export const errandCommand = (...args: readonly string[]): [string, string[]] => [
  process.execPath,
  [CONDITION, path.join(root, 'src/cli/errand.ts'), ...args],
]

/** A served app. */
export interface ChildServer {
  readonly url: string
  readonly port: number
  /** What it wrote to its standard error. */
  readonly errors: () => string
  /** Ends it, and waits until it is gone. */
  stop(signal: NodeJS.Signals): Promise<void>
  /** Starts it again, on its port and with its data. */
  start(): Promise<void>
}

/** Serves the app of a module, given from the repository's root, with tasks kept in a folder of its own. */
export const serveChild = async (
  module: string,
  env: Readonly<Record<string, string>> = {},
): Promise<ChildServer> => {
  const data = await tempDir()
  let child: ChildProcess | undefined
  let port = 0
  let errors = ''
  const start = async (): Promise<void> => {
    const started = spawn(...errandCommand('serve', module, '--port', String(port)), {
      cwd: root,
      env: { ...process.env, NODE_OPTIONS: '', ERRAND_DATA: data, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    child = started
    started.stderr.on('data', (chunk) => (errors += String(chunk)))
    const said = await new Promise<string>((resolve, reject) => {
      started.stdout.once('data', (chunk) => resolve(String(chunk)))
      started.once('exit', (code) => reject(new Error(`serving ${module} ended with ${code}:\n${errors}`)))
    })
    port = Number(/:(\d+)/.exec(said)?.[1])
  }
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    const stopped = child
    child = undefined
    if (!stopped || stopped.exitCode !== null || stopped.signalCode !== null) return
    const gone = once(stopped, 'exit')
    stopped.kill(signal)
    await gone
  }
  await start()
  afterwards(() => stop('SIGKILL'))
  return {
    get url() {
      return `http://127.0.0.1:${port}`
    },
    get port() {
      return port
    },
    errors: () => errors,
    stop,
    start,
  }
}
