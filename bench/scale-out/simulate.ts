/**
 * The tables of `docs/scale.md`: 10, 100 and 1,000 hosts on each engine, by the figures in `figures.json`.
 *
 * Run: node bench/scale-out/simulate.ts
 */
import { readFileSync } from 'node:fs'
import type { EngineFigures, Figures } from './figures.ts'
import { shardsFor, simulate, utilisation, type Fleet } from './model.ts'

const figures = JSON.parse(readFileSync(new URL('figures.json', import.meta.url), 'utf8')) as Figures

const HOSTS = [10, 100, 1000]
const RUN_MS = [10, 100, 1000]
/** Slots of a host, and the share of them that is busy. */
const SLOTS = 4
const BUSY = 0.7
/** Redis uses one core, whatever there is. */
const CORES = { redis: 1, postgres: 8 } as const

const nameOf = ({ engine, server }: EngineFigures): string => `${engine}, ${server === 'redis' ? 'Redis' : 'Postgres'}`
const number = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString('en') : String(Number(value.toPrecision(2)))
const percent = (share: number): string => `${number(share * 100)} %`
const table = (header: readonly string[], rows: readonly (readonly string[])[]): string =>
  [header, header.map((_, index) => (index ? '---:' : '---')), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n')

const fleetOf = ({ server }: EngineFigures, hosts: number, runMs: number): Fleet => ({
  hosts,
  slots: SLOTS,
  runMs,
  busy: BUSY,
  cores: CORES[server],
  shards: 1,
})

const measured = table(
  ['per task', 'server', 'who starts it', 'who runs it', 'server, each more host that hears', 'server, each idle host'],
  figures.engines.map((each) => [
    nameOf(each),
    `${each.apart.serverUs} µs`,
    `${each.apart.starterUs} µs`,
    `${each.apart.workerUs} µs`,
    `${each.hearerServerUs} µs`,
    `${each.idleServerMs} ms/s`,
  ]),
)

const rowOf = (each: EngineFigures, hosts: number, runMs: number): readonly string[] => {
  const one = fleetOf(each, hosts, runMs)
  const shards = shardsFor(each, one)
  const result = simulate(each, { ...one, shards })
  return [
    nameOf(each),
    number(hosts),
    `${number(runMs)} ms`,
    number(result.tasksPerSecond),
    percent(utilisation(each, one)),
    number(shards),
    percent(result.server),
    `${number(result.p50)} ms`,
    `${number(result.p99)} ms`,
  ]
}

const simulated = table(
  ['engine', 'hosts', 'a task runs', 'tasks/s', 'one server', 'shards', 'each server', 'start to handler, p50', 'p99'],
  figures.engines.flatMap((each) => RUN_MS.flatMap((runMs) => HOSTS.map((hosts) => rowOf(each, hosts, runMs)))),
)

/** The most hosts of one server, by halving. */
const mostHosts = (each: EngineFigures, runMs: number): number => {
  let [least, most] = [1, 1_000_000]
  while (most - least > 1) {
    const middle = (least + most) >> 1
    if (utilisation(each, fleetOf(each, middle, runMs)) <= 0.67) least = middle
    else most = middle
  }
  return least
}

const saturation = table(
  ['hosts on one server', ...RUN_MS.map((runMs) => `tasks of ${number(runMs)} ms`)],
  figures.engines.map((each) => [nameOf(each), ...RUN_MS.map((runMs) => number(mostHosts(each, runMs)))]),
)

console.log([measured, saturation, simulated].join('\n\n'))
