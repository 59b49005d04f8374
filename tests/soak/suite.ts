/**
 * The soak: callers of every kind at a process of its own, for a time, with pauses in which all comes to rest. What is
 * there at rest must not grow with the number of requests, and what was done must add up.
 */
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { inspect } from 'node:util'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TaskPage } from 'errand'
import { createRandom } from '../kill/random.ts'
import { startHost, type HostProcess } from '../support/host-process.ts'
import { request } from '../support/http.ts'
import { until } from '../support/until.ts'
import { ACTS } from './acts.ts'
import { Caller } from './caller.ts'
import type { Figures } from './figures.ts'
import { Ledger } from './ledger.ts'
import { slopeOf } from './trend.ts'

export interface SoakOptions {
  readonly minutes: number
  readonly seed: number
  /** For the process: a leak to be found, say. */
  readonly env?: Readonly<Record<string, string>>
  readonly progress?: (text: string) => void
}

/** The process at rest. */
export interface Rest extends Figures {
  /** Requests so far. */
  readonly requests: number
  /** Open files and sockets, where the system tells. */
  readonly files: number
  /** Bytes in use of the worker that has most. */
  readonly workerHeap: number
}

export interface SoakReport {
  readonly faults: readonly string[]
  readonly rests: readonly Rest[]
  readonly ledger: Ledger
  /** Bytes that each request left behind. */
  readonly heapPerRequest: number
  readonly workerHeapPerRequest: number
  readonly rssPerRequest: number
}

const MAIN = new URL('./host.ts', import.meta.url)
const LANES = 24
/** The share of the time in which caches fill and code is compiled. */
const WARM_UP = 0.3
/** How many rests there are. */
const restsIn = (minutes: number): number => Math.max(4, Math.min(12, Math.round(minutes)))
/** Milliseconds in which connections are closed and what they left is let go of. */
const REST = 4000

/** What the process may say: that it closes, what handlers throw on purpose. */
const EXPECTED = /^$|^closing on |: Error: not yet$/

class Soak {
  readonly #host: HostProcess
  readonly #url: string
  readonly #ledger = new Ledger()
  readonly #callers: readonly Caller[]
  readonly #rests: Rest[] = []
  /** Tasks whose starters broke off. */
  #orphans = 0

  constructor(host: HostProcess, url: string, seed: number) {
    this.#host = host
    this.#url = url
    this.#callers = Array.from(
      { length: LANES },
      (_, lane) => new Caller(url, createRandom(seed + lane), this.#ledger),
    )
  }

  async run({ minutes, progress }: SoakOptions): Promise<SoakReport> {
    const ms = minutes * 60_000
    const rests = restsIn(minutes)
    await this.#load(ms * WARM_UP)
    for (let n = 1; n <= rests; n++) {
      if (n > 1) await this.#load((ms * (1 - WARM_UP)) / (rests - 1))
      await this.#rest()
      progress?.(this.#inWords())
    }
    await this.#endWell()
    return this.#report()
  }

  async #load(ms: number): Promise<void> {
    const over = performance.now() + ms
    const weights = Object.fromEntries(Object.entries(ACTS).map(([name, { weight }]) => [name, weight]))
    const lane = async (caller: Caller): Promise<void> => {
      while (performance.now() < over) {
        const name = caller.random.weighted(weights)
        this.#ledger.did(name)
        await ACTS[name]!.act(caller).catch((error: unknown) => this.#fault(name, error))
      }
    }
    await Promise.all(this.#callers.map(lane))
  }

  #fault(name: string, error: unknown): void {
    const { message, cause } = error as Error
    this.#ledger.fault(`${name}: ${message}${cause === undefined ? '' : ` (${inspect(cause)})`}`)
  }

  /** All tasks have ended and are forgotten, and all connections are closed. */
  async #rest(): Promise<void> {
    for (const caller of this.#callers) caller.rest()
    await until('the end of all tasks', async () => (await this.#list('&status=queued')).length === 0, 60_000)
    await until(
      'the end of all tasks',
      async () => (await this.#list('&status=running')).length === 0,
      60_000,
    )
    await this.#clear()
    await sleep(REST)
    this.#rests.push(await this.#look())
    this.#addUp(this.#rests.at(-1) as Rest)
  }

  /** Forgets those of which nobody was told. Nobody else leaves one. */
  async #clear(): Promise<void> {
    for (let page = await this.#list(); page.length > 0; page = await this.#list())
      for (const { id } of page) {
        this.#orphans++
        await request('DELETE', `${this.#url}/tasks/${id}`)
      }
  }

  async #list(query = ''): Promise<TaskPage['items']> {
    const { json } = await request('GET', `${this.#url}/tasks?limit=200${query}`)
    return (json as TaskPage).items
  }

  async #look(): Promise<Rest> {
    const workerHeap = Math.max(...(await Promise.all([this.#lookInside(), this.#lookInside()])))
    const { json } = await request('POST', `${this.#url}/figures`)
    const files = await readdir(`/proc/${this.#host.pid}/fd`).catch(() => [])
    return { ...(json as Figures), requests: this.#ledger.requests, files: files.length, workerHeap }
  }

  async #lookInside(): Promise<number> {
    const { json, headers } = await request('POST', `${this.#url}/inside`)
    this.#ledger.started++
    await request('DELETE', this.#url + String(headers['content-location']))
    return json as number
  }

  #addUp({ told }: Rest): void {
    const { 'task:queued': queued = 0, 'task:succeeded': good = 0 } = told
    const { 'task:failed': bad = 0, 'task:cancelled': stopped = 0 } = told
    const { started, retried, dropped } = this.#ledger
    const known = started + retried + this.#orphans
    this.#ledger.expect(
      queued === good + bad + stopped,
      () => `${queued} tasks queued: ${JSON.stringify(told)}`,
    )
    this.#ledger.expect(queued === known, () => `${queued} tasks queued, and ${known} known of`)
    this.#ledger.expect(this.#orphans <= dropped, () => `${this.#orphans} tasks that nobody started`)
  }

  async #endWell(): Promise<void> {
    this.#host.kill('SIGTERM')
    const end = await this.#host.ended
    this.#ledger.expect(end.code === 0, () => `the process ended with ${end.signal ?? end.code}`)
    for (const line of this.#host.errors().split('\n'))
      if (!EXPECTED.test(line)) this.#ledger.fault(`it said: ${line}`)
  }

  #report(): SoakReport {
    const slope = (of: (rest: Rest) => number): number =>
      slopeOf(this.#rests.map((rest) => ({ x: rest.requests, y: of(rest) })))
    return {
      faults: this.#ledger.faults,
      rests: this.#rests,
      ledger: this.#ledger,
      heapPerRequest: slope(({ heap }) => heap),
      workerHeapPerRequest: slope(({ workerHeap }) => workerHeap),
      rssPerRequest: slope(({ rss }) => rss),
    }
  }

  #inWords(): string {
    const { requests, heap, workerHeap, rss, files } = this.#rests.at(-1) as Rest
    const mb = (bytes: number): string => (bytes / 1e6).toFixed(1)
    return `${requests} requests, heap ${mb(heap)} MB, of a worker ${mb(workerHeap)} MB, rss ${mb(rss)} MB, ${files} files, ${this.#ledger.faults.length} faults`
  }
}

/** Runs it. */
export const runSoak = async (options: SoakOptions): Promise<SoakReport> => {
  const dir = await mkdtemp(join(tmpdir(), 'errand-soak-'))
  const host = startHost(MAIN, { SOAK_DIR: dir, ...options.env })
  try {
    return await new Soak(host, await host.url, options.seed).run(options)
  } finally {
    host.kill('SIGKILL')
    await host.ended
    await rm(dir, { recursive: true, force: true, maxRetries: 5 })
  }
}
