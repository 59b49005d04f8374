/** An app that serves in a process of its own, which can be killed. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterwards } from './serve.ts'

/** A process that serves. */
export interface ServedProcess {
  readonly url: string
  readonly pid: number
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>
}

const urlOf = async (child: ChildProcess): Promise<string> => {
  let said = ''
  for await (const chunk of child.stdout ?? []) {
    said += String(chunk)
    const url = /https?:\/\/\S+/.exec(said)?.[0]
    if (url) return url
  }
  throw new Error(`It ended before it served: ${said}`)
}

/** Starts a module of `tests/support/apps`; killed when the test, or the file that asked for it outside of one, is over. */
export const serveProcess = async (name: string, env: Record<string, string>): Promise<ServedProcess> => {
  const module = fileURLToPath(new URL(`./apps/${name}.ts`, import.meta.url))
  const child = spawn(process.execPath, ['--conditions=errand-source', module], {
    env: { ...process.env, NODE_OPTIONS: '', ...env },
    // What it logs of tasks that fail on purpose is nobody's to read.
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  const kill = async (): Promise<void> => {
    const ended = child.exitCode ?? child.signalCode ?? once(child, 'exit')
    child.kill('SIGKILL')
    await ended
  }
  afterwards(kill)
  return { url: await urlOf(child), pid: child.pid as number, kill }
}
