/**
 * What a task costs the host that starts it, the host that runs it and the server that they share, what it costs that many
 * hosts hear of it, and what an idle host costs: the figures that `simulate.ts` goes by.
 *
 * Run: node --conditions=errand-source bench/scale-out/measure.ts [seconds=4] > bench/scale-out/figures.json
 * It starts its own servers. Linux only: processor times come from /proc.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import os from 'node:os'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { pgmqSql } from '../../tests/support/pgmq/sql.ts'
import { ask, nextMessage } from '../lib/children.mjs'
import { treeCpuMs } from '../tasks/queues/cpu.mjs'
import { serverKinds } from '../tasks/queues/servers.mjs'
import type { EngineFigures, Figures } from './figures.ts'

const MS = Number(process.argv[2] ?? 4) * 1000
const HOST = fileURLToPath(new URL('host.ts', import.meta.url))
/** Tasks in flight where the server is to be busy. */
const IN_FLIGHT = 64
/** Hosts that hear of each task, few and many; so many tasks a second that none is busy. */
const FEW = 1
const MANY = 9
const TRICKLE = 100

interface Server {
  readonly url: string
  readonly pid: number
  reset(): void
  stop(): Promise<void>
}

interface Host {
  readonly child: ChildProcess
  ask(order: unknown): Promise<number>
}

type EngineName = EngineFigures['engine']

let fleets = 0

/** Hosts of a new fleet: one that starts tasks, with so many slots, and so many that only work. */
const openFleet = async (engine: EngineName, server: Server, own: number, workers: number): Promise<Host[]> => {
  const fleet = `fleet${fleets++}`
  const open = async (slots: number): Promise<Host> => {
    const child = fork(HOST, [engine, server.url, fleet, String(slots)])
    await nextMessage(child, `a host of ${engine}`)
    return { child, ask: (order) => ask(child, order, `a host of ${engine}`) }
  }
  const first = await open(own)
  return [first, ...(await Promise.all(Array.from({ length: workers }, () => open(IN_FLIGHT))))]
}

const closeFleet = async (hosts: readonly Host[]): Promise<void> => {
  await Promise.all(
    hosts.map(async ({ child }) => {
      child.kill('SIGKILL')
      await once(child, 'exit')
    }),
  )
}

/** Tasks done, and processor time of the starter, of the others together and of the server, in ms. */
const spend = async (server: Server, hosts: readonly Host[], act: () => Promise<number>) => {
  const times = async () => ({
    hosts: await Promise.all(hosts.map((host) => host.ask({ do: 'cpu' }))),
    server: treeCpuMs(server.pid),
  })
  const before = await times()
  const from = performance.now()
  const done = await act()
  const ms = performance.now() - from
  const after = await times()
  const [starter = 0, ...workers] = after.hosts.map((cpu, index) => cpu - (before.hosts[index] as number))
  return { done, ms, starter, workers: workers.reduce((a, b) => a + b, 0), server: after.server - before.server }
}

const round = (value: number): number => Number(value.toPrecision(3))
const usPer = (ms: number, done: number): number => round((ms * 1000) / done)

const saturated = async (engine: EngineName, server: Server, own: number, workers: number) => {
  const hosts = await openFleet(engine, server, own, workers)
  const [starter] = hosts as [Host]
  await starter.ask({ do: 'saturate', inFlight: IN_FLIGHT, ms: MS / 2 })
  const spent = await spend(server, hosts, () => starter.ask({ do: 'saturate', inFlight: IN_FLIGHT, ms: MS }))
  await closeFleet(hosts)
  return spent
}

/** What the server spends on a task, and on a host that has nothing to do, where so many hosts hear of each task. */
const heardBy = async (engine: EngineName, server: Server, workers: number) => {
  const hosts = await openFleet(engine, server, 0, workers)
  const [starter] = hosts as [Host]
  await starter.ask({ do: 'trickle', perSecond: TRICKLE, ms: 1000 })
  const idle = await spend(server, hosts, () => sleep(2 * MS, 0))
  const busy = await spend(server, hosts, () => starter.ask({ do: 'trickle', perSecond: TRICKLE, ms: 2 * MS }))
  await closeFleet(hosts)
  const idleShare = (idle.server * busy.ms) / idle.ms
  return {
    serverUs: ((busy.server - idleShare) * 1000) / busy.done,
    idleMsPerSecond: (idle.server / idle.ms) * 1000 / hosts.length,
  }
}

const measure = async (engine: EngineName, kind: 'redis' | 'postgres'): Promise<EngineFigures> => {
  const server = (await serverKinds[kind]()) as Server
  try {
    server.reset()
    if (engine === 'pgmq') await loadPgmq(server)
    const own = await saturated(engine, server, IN_FLIGHT, 0)
    const apart = await saturated(engine, server, 0, 1)
    const few = await heardBy(engine, server, FEW)
    const many = await heardBy(engine, server, MANY)
    return {
      engine,
      server: kind,
      own: { perSecond: round((own.done * 1000) / own.ms), hostUs: usPer(own.starter, own.done), serverUs: usPer(own.server, own.done) },
      apart: {
        perSecond: round((apart.done * 1000) / apart.ms),
        starterUs: usPer(apart.starter, apart.done),
        workerUs: usPer(apart.workers, apart.done),
        serverUs: usPer(apart.server, apart.done),
      },
      aloneServerUs: round(few.serverUs),
      hearerServerUs: round(Math.max(0, (many.serverUs - few.serverUs) / (MANY - FEW))),
      idleServerMs: round(many.idleMsPerSecond),
    }
  } finally {
    await server.stop()
  }
}

const loadPgmq = async ({ url }: Server): Promise<void> => {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query('create schema if not exists pgmq')
  await client.query(pgmqSql())
  await client.end()
}

const engines: EngineFigures[] = []
for (const [engine, kind] of [
  ['bullmq', 'redis'],
  ['bullmq', 'postgres'],
  ['pgmq', 'postgres'],
] as const) {
  engines.push(await measure(engine, kind))
  console.error(JSON.stringify(engines.at(-1)))
}
const figures: Figures = {
  machine: { at: new Date().toISOString().slice(0, 10), cpu: os.cpus()[0]?.model ?? '', cores: os.cpus().length, node: process.version },
  engines,
}
console.log(JSON.stringify(figures, null, 2))
