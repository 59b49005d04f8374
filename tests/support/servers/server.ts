/**
 * A real server for tests: on a free port, in a folder of its own, over when the test is. It can be frozen, killed and
 * brought back. What the machine itself runs is never used and never touched.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chownSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterwards } from '../afterwards.ts'
import { tempDir } from '../temp.ts'
import { until } from '../until.ts'
import { endWithUs, familyOf, isAlive, type Account } from './processes.ts'

/** Where a server is. */
export interface Place {
  readonly port: number
  readonly dir: string
}

/** What tells one kind of server from another. */
export interface ServerKind {
  readonly name: string
  readonly program: string
  readonly args: (place: Place) => readonly string[]
  /** Whose it is to be; default: ours. */
  readonly account?: Account | undefined
  /** Makes the folder ready, once. */
  readonly prepare?: (place: Place) => Promise<void>
  readonly answers: (place: Place) => Promise<boolean>
}

/** A running server. */
export interface TestServer extends Place {
  readonly pid: number
  /** From now on it accepts connections and answers nothing. */
  freeze(): void
  thaw(): void
  /** SIGKILL to it and its children; resolves when they are gone. */
  kill(): Promise<void>
  /** After `kill`: same port, same folder. Resolves when it answers. */
  start(): Promise<void>
}

const LONGEST_START = 30_000
const PORTS_TO_TRY = 3

const freePort = async (): Promise<number> => {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const { port } = probe.address() as AddressInfo
  await new Promise((resolve) => probe.close(resolve))
  return port
}

class RealServer implements TestServer {
  readonly port: number
  readonly dir: string
  readonly #kind: ServerKind
  #child: ChildProcess | undefined
  #output = ''

  constructor(kind: ServerKind, { port, dir }: Place) {
    this.#kind = kind
    this.port = port
    this.dir = dir
  }

  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error(`${this.#kind.name} does not run`)
    return this.#child.pid
  }

  async start(): Promise<void> {
    const { name, program, args, account, answers } = this.#kind
    const child = spawn(program, args(this), { cwd: this.dir, stdio: ['ignore', 'pipe', 'pipe'], ...account })
    this.#child = child
    if (child.pid) child.once('exit', endWithUs(child.pid))
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => (this.#output = (this.#output + chunk).slice(-4000)))
    const ended = new Promise<never>((_, reject) => {
      child.once('error', reject)
      child.once('exit', (code, signal) =>
        reject(new Error(`${name} ended with ${code ?? signal} at its start:\n${this.#output}`)),
      )
    })
    await Promise.race([ended, until(`an answer of ${name}`, () => answers(this), LONGEST_START)])
    ended.catch(() => {}) // From now on its end is no news.
  }

  freeze(): void {
    this.#signal('SIGSTOP')
  }

  thaw(): void {
    this.#signal('SIGCONT')
  }

  async kill(): Promise<void> {
    const child = this.#child
    if (!child?.pid) return
    const pids = familyOf(child.pid)
    const reaped = child.exitCode ?? child.signalCode ?? once(child, 'exit')
    this.#signal('SIGKILL')
    await reaped // Until then a thread of it may hold its port.
    await until(`the end of ${this.#kind.name}`, () => !pids.some(isAlive))
    this.#child = undefined
  }

  /** The parent first, so that it makes no more children. */
  #signal(signal: NodeJS.Signals): void {
    for (const pid of this.#child?.pid ? familyOf(this.#child.pid) : [])
      try {
        process.kill(pid, signal)
      } catch {
        // It ended meanwhile.
      }
  }
}

/** Somebody else may take the free port before the server does. */
const startOnFreePort = async (kind: ServerKind, dir: string): Promise<RealServer> => {
  for (let tries = 1; ; tries++) {
    const server = new RealServer(kind, { port: await freePort(), dir })
    try {
      await server.start()
      return server
    } catch (error) {
      await server.kill()
      if (tries === PORTS_TO_TRY || !String(error).includes('Address already in use')) throw error
      await sleep(10)
    }
  }
}

/** Starts a server that is killed when the test, or the file that asked for it outside of one, is over. */
export const startServer = async (kind: ServerKind): Promise<TestServer> => {
  const dir = await tempDir()
  if (kind.account) chownSync(dir, kind.account.uid, kind.account.gid)
  await kind.prepare?.({ port: 0, dir })
  const server = await startOnFreePort(kind, dir)
  afterwards(() => server.kill())
  return server
}
