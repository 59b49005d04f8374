/** A serving process of its own: started, talked to, killed. It writes `{"url": …}` to standard output once it serves. */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** How a process ended. */
export interface End {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

/** A process that serves, or is about to. */
export interface HostProcess {
  readonly pid: number
  /** Epoch ms. */
  readonly startedAt: number
  /** Rejects with what it said when it ended before it served. */
  readonly url: Promise<string>
  readonly ended: Promise<End>
  /** Everything it wrote to standard error. */
  errors(): string
  kill(signal: NodeJS.Signals): void
}

const withSource = ['--conditions=errand-source']

const untilServing = async (
  child: ChildProcess,
  ended: Promise<End>,
  errors: () => string,
): Promise<string> => {
  let text = ''
  child.stdout?.on('data', (chunk: Buffer) => (text += String(chunk)))
  for (;;) {
    const found = /"url":"([^"]+)"/.exec(text)?.[1]
    if (found) return found
    const end = await Promise.race([ended, once(child.stdout!, 'data').then(() => undefined)])
    if (end) throw new Error(`The host ended before it served (${end.signal ?? end.code}): ${errors()}`)
  }
}

/** Starts `node main` with what is added to the environment. `detached` makes it the head of a process group. */
export const startHost = (
  main: URL,
  env: Readonly<Record<string, string>>,
  { detached = false }: { readonly detached?: boolean } = {},
): HostProcess => {
  const startedAt = Date.now()
  const child = spawn(process.execPath, [...withSource, fileURLToPath(main)], {
    env: { ...process.env, NODE_OPTIONS: '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached,
  })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => (said += String(chunk)))
  const errors = (): string => said
  const ended = once(child, 'exit').then(([code, signal]): End => ({ code, signal }))
  const url = untilServing(child, ended, errors)
  url.catch(() => {}) // Whoever doesn't wait for it has killed it.
  return { pid: child.pid!, startedAt, url, ended, errors, kill: (signal) => void child.kill(signal) }
}
