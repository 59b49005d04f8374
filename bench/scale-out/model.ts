/**
 * A fleet of hosts around one server, event by event: tasks come at random, are written by the server, wait for a slot on any
 * host, run, and are ended by the server. Deterministic: the same figures and seed give the same result.
 *
 * What it leaves out: the network, the disk's syncs beside processor time, batches (the server's time for a task is the one
 * measured at 64 in flight), and that the measuring machine's cores are not yours.
 */
import type { EngineFigures } from './figures.ts'

/** What the fleet is and does. */
export interface Fleet {
  readonly hosts: number
  /** Slots of each host: workers. */
  readonly slots: number
  /** Milliseconds that a handler runs, on average; exponentially distributed. */
  readonly runMs: number
  /** The share of all slots that is busy, from 0 to 1: what the load is. */
  readonly busy: number
  /** Cores of each server. */
  readonly cores: number
  /** Servers, each with an app of its own, or a `name` of its own, and its share of hosts and tasks. */
  readonly shards: number
}

/** What came of it. */
export interface Result {
  /** Of all shards together. */
  readonly tasksPerSecond: number
  /** The share of a server's processor time that is used; over 1 it falls behind for ever. */
  readonly server: number
  /** Milliseconds from a start to the handler, of the server and the wait for a slot. */
  readonly p50: number
  readonly p99: number
}

/** Tasks simulated: enough for a 99th percentile. */
const TASKS = 20_000

/** Random numbers from 0 to 1 by a seed (mulberry32). */
const createRandom = (seed: number) => (): number => {
  seed = (seed + 0x6d2b79f5) | 0
  let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
  return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
}

/** Tasks each second of one shard. */
export const loadOf = ({ hosts, slots, runMs, busy, shards }: Fleet): number =>
  ((hosts / shards) * slots * busy * 1000) / runMs

/** How often in a second a host hears of something at most: what comes meanwhile it reads together (REST in src). */
const HEARS_AT_MOST = { redis: 200, postgres: 100 } as const

/** Processor time of a server in a second for all hosts that hear of tasks, in µs: those with a free slot, and whoever starts. */
const hearingUs = (figures: EngineFigures, fleet: Fleet): number => {
  const listening = (fleet.hosts / fleet.shards) * (1 - fleet.busy ** fleet.slots)
  const most = figures.engine === 'bullmq' ? HEARS_AT_MOST[figures.server] : Infinity
  return figures.hearerServerUs * Math.max(0, listening - 1) * Math.min(loadOf(fleet), most)
}

/** The share of one server that is used. */
export const utilisation = (figures: EngineFigures, fleet: Fleet): number => {
  const idle = (fleet.hosts / fleet.shards) * figures.idleServerMs * 1000
  const used = loadOf(fleet) * figures.apart.serverUs + hearingUs(figures, fleet) + idle
  return used / 1e6 / fleet.cores
}

/** The fewest shards that leave a server a third of its time. */
export const shardsFor = (figures: EngineFigures, fleet: Fleet, most = 0.67): number => {
  let shards = 1
  while (shards < fleet.hosts && utilisation(figures, { ...fleet, shards }) > most) shards++
  return shards
}

/** The earliest of several times, taken out; a heap, as there may be thousands. */
class Times {
  readonly #heap: number[]
  constructor(count: number) {
    this.#heap = Array.from({ length: count }, () => 0)
  }

  /** The first of them to be free becomes free at another time; returns when it was. */
  replaceFirst(next: (free: number) => number): number {
    const heap = this.#heap
    const first = heap[0] as number
    heap[0] = next(first)
    for (let at = 0; ; ) {
      let least = at
      for (const child of [2 * at + 1, 2 * at + 2])
        if (child < heap.length && (heap[child] as number) < (heap[least] as number)) least = child
      if (least === at) return first
      const moved = heap[at] as number
      heap[at] = heap[least] as number
      heap[least] = moved
      at = least
    }
  }
}

/** One shard, task by task; the others are like it. */
export const simulate = (figures: EngineFigures, fleet: Fleet, seed = 1): Result => {
  const random = createRandom(seed)
  const exponential = (mean: number): number => -Math.log(1 - random()) * mean
  const perSecond = loadOf(fleet)
  // What else a server does makes each visit longer.
  const serviceMs = (utilisation(figures, fleet) * fleet.cores * 1000) / perSecond
  const server = new Times(fleet.cores)
  const slots = new Times(Math.max(1, Math.round((fleet.hosts / fleet.shards) * fleet.slots)))
  const waits: number[] = []
  let now = 0
  for (let n = 0; n < TASKS; n++) {
    now += exponential(1000 / perSecond)
    let written = 0
    // Its end is written later, in time that others have to wait for, too: both are one visit here.
    server.replaceFirst((free) => (written = Math.max(free, now) + serviceMs))
    let begun = 0
    slots.replaceFirst((free) => (begun = Math.max(free, written)) + exponential(fleet.runMs))
    waits.push(begun - now)
  }
  waits.sort((a, b) => a - b)
  const at = (share: number): number => waits[Math.floor(waits.length * share)] as number
  return {
    tasksPerSecond: perSecond * fleet.shards,
    server: utilisation(figures, fleet),
    p50: at(0.5),
    p99: at(0.99),
  }
}
