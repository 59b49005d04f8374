/** The kill suite: hosts are killed, round after round, on one store; then all is let end, and judged. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { startHost, type HostProcess } from '../support/host-process.ts'
import { judge } from './checks.ts'
import { Client } from './client.ts'
import { readAll, type Evidence, type Life } from './evidence.ts'
import { figuresOf, type Figures } from './figures.ts'
import { killInTurn, restartAgainAndAgain, type Death, type FleetServer } from './fleet.ts'
import { runHandles } from './handles.ts'
import { KILLINGS, type Killing, type Scene } from './kills.ts'
import { runLoad } from './load.ts'
import { NOTES_VARIABLE, readNotes } from './notes.ts'
import { createRandom } from './random.ts'
import { recoveries, recoveriesOf } from './recovery.ts'
import { SUBJECTS, toEnvironment, type Subject, type SubjectName } from './subjects.ts'
import { Testimony } from './testimony.ts'
import { runWatchers } from './watchers.ts'

/** What to kill, how often, and with which luck. */
export interface SuiteOptions {
  readonly subject: SubjectName
  readonly rounds: number
  readonly seed: number
  /** Added to the environment of hosts: where their servers are. */
  readonly env?: Readonly<Record<string, string>>
  /**
   * With it a fleet is killed in turn: the process that takes calls, one of those that work, and this server, which must be
   * where the subject's tasks live.
   */
  readonly server?: FleetServer
  /** Milliseconds. With it, only the server is killed, and comes back, so often. */
  readonly restartEvery?: number
  /** Milliseconds in which what was interrupted runs again. Default: the subject's own promise. */
  readonly recoversWithin?: number
  /** Told after each round. */
  readonly progress?: (round: number, killing: string) => void
}

/** What came of it. */
export interface Report {
  /** Checks that failed, with their faults. */
  readonly faults: ReadonlyMap<string, readonly string[]>
  readonly figures: Figures
  readonly killings: ReadonlyMap<string, number>
  /** Where the store and all notes and logs are, when something failed. */
  readonly kept: string | undefined
}

/** Milliseconds that the last host has to bring all to an end. */
const SETTLES_WITHIN = 300_000

/** Milliseconds that watchers have to see the end of what they watch, once the server stays. */
const WATCHED_WITHIN = 120_000

/** One run of the suite. */
class Run implements Scene {
  readonly random
  readonly #options: SuiteOptions
  readonly #subject: Subject
  readonly #dir: string
  readonly #notes: string
  readonly #told = new Testimony()
  readonly #lives: Life[] = []
  readonly #hosts: HostProcess[] = []
  readonly #loads: Promise<void>[] = []
  #deaths: readonly Death[] | undefined

  constructor(options: SuiteOptions, dir: string) {
    this.#options = options
    this.#subject = SUBJECTS[options.subject]
    this.#dir = dir
    this.#notes = join(dir, 'notes')
    this.random = createRandom(options.seed)
  }

  fault(what: string): void {
    this.#told.fault(what)
  }

  start(extra: Readonly<Record<string, string>> = {}): HostProcess {
    const { subject, env = {} } = this.#options
    const own = { ...toEnvironment(subject, this.#dir), [NOTES_VARIABLE]: this.#notes }
    const host = startHost(this.#subject.main, { ...env, ...own, ...extra })
    const life: Life = { pid: host.pid, startedAt: host.startedAt }
    this.#lives.push(life)
    this.#hosts.push(host)
    void host.url.then(
      () => (life.readyAt = Date.now()),
      () => {},
    )
    void host.ended.then(() => (life.endedAt = Date.now()))
    return host
  }

  async serve(host: HostProcess): Promise<void> {
    const url = await host.url
    const over = new AbortController()
    void host.ended.then(() => over.abort())
    const client = new Client(url, over.signal)
    this.#loads.push(runLoad({ client, told: this.#told, random: this.random }, over.signal))
  }

  async watch(host: HostProcess): Promise<() => Promise<void>> {
    const [over, tooLate] = [new AbortController(), new AbortController()]
    const url = await host.url
    const told = this.#told
    const lane = { client: new Client(url, tooLate.signal), told, random: this.random }
    const watching = Promise.all([
      runWatchers(lane, over.signal, tooLate.signal),
      runHandles({ url, told, over: over.signal, tooLate: tooLate.signal }),
    ])
    return async () => {
      over.abort()
      const timer = setTimeout(() => tooLate.abort(), WATCHED_WITHIN)
      await watching
      clearTimeout(timer)
    }
  }

  /** Of its threads nobody can kill one: they have the host's own id. */
  workers(host: HostProcess): readonly number[] {
    const recent = readNotes(this.#notes).slice(-50)
    return [...new Set(recent.map(({ pid }) => pid).filter((pid) => pid !== host.pid))].slice(-1)
  }

  async killAll(): Promise<ReadonlyMap<string, number>> {
    const { server, rounds, restartEvery, recoversWithin } = this.#options
    const killings = new Map<string, number>()
    const killed = (round: number, killing: string): void => {
      killings.set(killing, (killings.get(killing) ?? 0) + 1)
      this.#options.progress?.(round, killing)
    }
    // Where the promise is not held to it, the last one may be taken up in peace.
    const lastRecovery = recoversWithin === undefined ? this.#subject.recoversWithin : 0
    const fleet = { scene: this, rounds, killed }
    if (server && restartEvery !== undefined)
      this.#deaths = await restartAgainAndAgain({
        ...fleet,
        server,
        every: restartEvery,
        workers: this.#subject.hosts === 'many' ? 2 : 0,
      })
    else if (server) this.#deaths = await killInTurn({ ...fleet, server, lastRecovery })
    else await this.#killOneByOne(killed)
    await Promise.all(this.#loads.splice(0))
    return killings
  }

  async #killOneByOne(killed: (round: number, killing: Killing) => void): Promise<void> {
    for (let round = 1; round <= this.#options.rounds; round++) {
      const killing = this.random.weighted(this.#subject.killings as Record<Killing, number>)
      await KILLINGS[killing](this)
      await Promise.all(this.#loads.splice(0))
      killed(round, killing)
    }
  }

  /** Lets everything end, and gathers what is known. */
  async gather(): Promise<Evidence> {
    const { records, listedTwice } = await this.#inPeace(async (client) => {
      await settled(client)
      return readAll(client, this.#told.tasks.keys())
    })
    const again = await this.#inPeace((client) => readAll(client, records.keys()))
    const notes = readNotes(this.#notes)
    return {
      told: this.#told,
      records,
      reread: again.records,
      listedTwice,
      notes,
      lives: this.#lives,
      recoveries: this.#deaths
        ? recoveriesOf(this.#deaths, notes, this.#told)
        : recoveries({ lives: this.#lives, notes }),
      hadOutages: this.#deaths !== undefined,
      logs: this.logs(),
      recoversWithin: this.#options.recoversWithin ?? this.#subject.recoversWithin,
    }
  }

  /** Everything the hosts said. */
  logs(): string[] {
    return this.#hosts.flatMap((host) => host.errors().split('\n'))
  }

  /** Kills what a failure left. */
  async end(): Promise<void> {
    for (const host of this.#hosts) host.kill('SIGKILL')
    await Promise.all(this.#hosts.map(({ ended }) => ended))
    await Promise.allSettled(this.#loads)
  }

  async #inPeace<T>(act: (client: Client) => Promise<T>): Promise<T> {
    const host = this.start()
    const result = await act(new Client(await host.url, new AbortController().signal))
    host.kill('SIGTERM')
    const { code, signal } = await host.ended
    if (code !== 0) this.fault(`SIGTERM ended an idle host with ${signal ?? code}: ${host.errors()}`)
    return result
  }
}

const settled = async (client: Client): Promise<void> => {
  for (const from = Date.now(); ; await sleep(100)) {
    const live = ['queued', 'running'].map((status) => client.list(`&status=${status}`).next())
    const pages = await Promise.all(live)
    if (pages.every(({ done }) => done)) return
    if (Date.now() - from > SETTLES_WITHIN)
      throw new Error(`Some task has not ended after ${SETTLES_WITHIN} ms: ${JSON.stringify(pages)}`)
  }
}

/** Runs it. The folder of a run that failed is kept, with what the hosts said. */
export const runSuite = async (options: SuiteOptions): Promise<Report> => {
  const dir = await mkdtemp(join(tmpdir(), 'errand-kill-'))
  await writeFile(join(dir, 'notes'), '')
  const run = new Run(options, dir)
  let kept: string | undefined = dir
  try {
    const killings = await run.killAll()
    const evidence = await run.gather()
    const faults = judge(evidence)
    if (faults.size === 0) kept = undefined
    return { faults, figures: figuresOf(evidence), killings, kept }
  } finally {
    await run.end()
    await writeFile(join(dir, 'logs'), run.logs().join('\n'))
    if (kept === undefined) await rm(dir, { recursive: true, force: true, maxRetries: 5 })
  }
}
