// One contender at one number of tasks in flight, in fresh processes: its rate, its cost, its latency.
import { fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { ask, nextMessage } from '../../lib/children.mjs'
import { least, median, quantile } from '../../lib/stats.mjs'
import { treeCpuMs } from './cpu.mjs'

const partFile = fileURLToPath(new URL('part.mjs', import.meta.url))

/** Milliseconds after which a stretch is cut, however few tasks were done. */
const LIMIT = 5000
const LATENCY_TASKS = 100
/** Milliseconds between the tasks whose latency is taken. */
const LATENCY_PAUSE = 10

/** `{ perSecond, cpuUs, p50, p99 }`: the latencies are those of tasks that come one at a time, with pauses. */
export async function measureCase({ contender, server, inFlight, seconds }) {
  server?.reset()
  const parts = await openParts(contender, { url: server?.url, inFlight, ...contender.settings })
  try {
    const count = await warmUp(parts, inFlight, seconds)
    const before = await cpuMs(parts, server)
    const { done, perSecond, times } = await stretch(parts, { count, limit: LIMIT + seconds * 1000 })
    const cpuUs = (((await cpuMs(parts, server)) - before) * 1000) / done
    return { done, perSecond, cpuUs, p50: median(times), p99: quantile(times, 0.99) }
  } finally {
    await closeParts(parts)
  }
}

/** Milliseconds from the start of a task that comes alone to its handler; of Errand, to its result. */
export async function measureLatency({ contender, server }) {
  server?.reset()
  const parts = await openParts(contender, { url: server?.url, inFlight: 1, ...contender.settings })
  try {
    await stretch(parts, { count: LATENCY_TASKS, limit: LIMIT, pause: LATENCY_PAUSE })
    const { times } = await stretch(parts, { count: LATENCY_TASKS, limit: LIMIT, pause: LATENCY_PAUSE })
    return { p50: median(times), p99: quantile(times, 0.99), least: least(times) }
  } finally {
    await closeParts(parts)
  }
}

/** Says how many tasks take about so many seconds, once just-in-time compilers have done their work. */
async function warmUp(parts, inFlight, seconds) {
  let count = inFlight * 4
  for (let turns = 0; turns < 3; turns++) {
    const { perSecond } = await stretch(parts, { count, limit: LIMIT })
    count = Math.max(inFlight * 4, Math.round(perSecond * seconds))
  }
  return count
}

let stretches = 0

/** Tasks carry the number of their stretch: what one that was cut left behind counts in no other. */
async function stretch(parts, given) {
  const options = { ...given, stretch: ++stretches }
  const answers = await Promise.all(
    parts.children.map(({ role, ask }) => ask({ action: { both: 'run', worker: 'work', producer: 'produce' }[role], ...options })),
  )
  const { from, to, times } = Object.assign({}, ...answers)
  return { done: times.length, perSecond: (times.length / (to - from)) * 1000, times }
}

async function openParts({ module, roles }, settings) {
  const dir = mkdtempSync(path.join(process.env.BENCH_DIR ?? os.tmpdir(), 'errand-bench-'))
  const children = []
  for (const role of roles) children.push(await openPart(module, role, settings, dir))
  return { children, dir }
}

async function openPart(module, role, settings, dir) {
  const child = fork(partFile, [module, role, JSON.stringify(settings)], {
    env: { ...process.env, NODE_ENV: 'production', ERRAND_DATA: dir },
  })
  const ended = new Promise((resolve) => child.once('exit', resolve))
  const name = `${module} (${role})`
  await nextMessage(child, name)
  return { role, ask: (question) => ask(child, question, name), stop: () => (child.kill('SIGKILL'), ended) }
}

async function closeParts({ children, dir }) {
  await Promise.all(children.map((child) => child.stop()))
  rmSync(dir, { recursive: true, force: true })
}

async function cpuMs({ children }, server) {
  const own = await Promise.all(children.map(({ ask }) => ask({ action: 'cpu' })))
  return own.reduce((sum, part) => sum + part.cpuMs, server ? treeCpuMs(server.pid) : 0)
}
