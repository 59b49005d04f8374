/**
 * A fleet under load. Either in turn the process that takes calls, one of two that work, and their server are killed, or the
 * server alone, again and again.
 */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { HostProcess } from '../support/host-process.ts'
import type { Random } from './random.ts'

/** Where the tasks live. */
export interface FleetServer {
  kill(): Promise<unknown>
  start(): Promise<unknown>
}

/** The end of a host that worked. */
export interface Death {
  /** Epoch ms. */
  readonly at: number
  /** Its own process id and those of its child processes. */
  readonly pids: readonly number[]
}

/** What it is done with. */
export interface FleetScene {
  readonly random: Random
  start(env?: Readonly<Record<string, string>>): HostProcess
  /** Once it serves: callers come. */
  serve(host: HostProcess): Promise<void>
  /** Callers of one that lives on, who watch to the end. The function lets them come to it, and then no more are made. */
  watch(host: HostProcess): Promise<() => Promise<void>>
}

export interface KillInTurn {
  readonly scene: FleetScene
  readonly server: FleetServer
  readonly rounds: number
  /** Milliseconds that others have to take up what the last one left, before all are killed. */
  readonly lastRecovery: number
  /** Told after each round. */
  readonly killed: (round: number, victim: string) => void
}

/** The server alone, every so many milliseconds. */
export interface Restarts extends Omit<KillInTurn, 'lastRecovery'> {
  readonly every: number
  /** Hosts beside the one that takes calls; with none, that one works too. */
  readonly workers: number
}

const ONLY_STARTS = { ERRAND_WORK: '0' }

const kill = async (host: HostProcess): Promise<void> => {
  host.kill('SIGKILL')
  await host.ended
}

const childrenOf = (pid: number): number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)

class Fleet {
  readonly deaths: Death[] = []
  readonly #scene: FleetScene
  readonly #server: FleetServer
  readonly #workers: HostProcess[]
  #front: HostProcess
  #turn = 0

  constructor(scene: FleetScene, server: FleetServer, workers: number) {
    this.#scene = scene
    this.#server = server
    this.#front = scene.start(workers ? ONLY_STARTS : {})
    this.#workers = Array.from({ length: workers }, () => scene.start())
  }

  get front(): HostProcess {
    return this.#front
  }

  async open(): Promise<void> {
    await Promise.all(this.#workers.map(({ url }) => url))
    await this.#scene.serve(this.#front)
  }

  async close(): Promise<void> {
    await Promise.all([this.#front, ...this.#workers].map(kill))
  }

  async killFront(): Promise<void> {
    await kill(this.#front)
    this.#front = this.#scene.start(ONLY_STARTS)
    await this.#scene.serve(this.#front)
  }

  async killWorker(): Promise<void> {
    const index = this.#turn++ % this.#workers.length
    const worker = this.#workers[index] as HostProcess
    const pids = [worker.pid, ...childrenOf(worker.pid)]
    this.deaths.push({ at: Date.now(), pids })
    await kill(worker)
    const next = this.#scene.start()
    this.#workers[index] = next
    await next.url
  }

  async killServer(): Promise<void> {
    await this.#server.kill()
    await sleep(this.#scene.random.between(0, 500))
    await this.#server.start()
  }
}

/** Kills so many times. All hosts are gone afterwards; the server is there. */
export const killInTurn = async ({
  scene,
  server,
  rounds,
  lastRecovery,
  killed,
}: KillInTurn): Promise<readonly Death[]> => {
  const fleet = new Fleet(scene, server, 2)
  const victims = [
    ['who takes calls', () => fleet.killFront()],
    ['a worker', () => fleet.killWorker()],
    ['the server', () => fleet.killServer()],
  ] as const
  await fleet.open()
  for (let round = 1; round <= rounds; round++) {
    const [victim, act] = victims[(round - 1) % victims.length] as (typeof victims)[number]
    await sleep(scene.random.between(300, 1500))
    await act()
    killed(round, victim)
  }
  await sleep(lastRecovery)
  await fleet.close()
  return fleet.deaths
}

/** Restarts the server so many times. Whoever watched has seen the end, all hosts are gone; the server is there. */
export const restartAgainAndAgain = async (options: Restarts): Promise<readonly Death[]> => {
  const { scene, server, rounds, every, workers, killed } = options
  const fleet = new Fleet(scene, server, workers)
  await fleet.open()
  const watchToTheEnd = await scene.watch(fleet.front)
  for (let round = 1; round <= rounds; round++) {
    await sleep(every)
    await fleet.killServer()
    killed(round, 'the server')
  }
  await watchToTheEnd()
  await fleet.close()
  return fleet.deaths
}
