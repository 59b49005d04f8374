// What it costs to send a no-op task to a worker and hear of its end, against bare Tinypool.
// `--rounds 5 --calls 40000 --workers 2 --only threads,tinypool`
import Tinypool from '../../node_modules/tinypool/dist/index.js'
import { readOptions } from '../lib/options.mjs'
import { markdownTable, writeReport } from '../lib/report.mjs'
import { fixed, median, rotate } from '../lib/stats.mjs'
import { createProcesses, createThreads } from './executors.mjs'

const options = readOptions({ rounds: 5, calls: 40_000, workers: 2, only: null })
const inFlight = 64
const call = {
  taskId: '0198c0de-0000-7000-8000-000000000000',
  procedure: 'noop',
  input: { n: 1 },
  attempt: 1,
}
const events = { progress() {}, log() {}, start: async () => null }

const errand = (create) => () => {
  const executor = create({ module: new URL('noop-app.mjs', import.meta.url).href, workers: options.workers })
  return { run: () => executor.run(call, events, () => {}).outcome, close: () => executor.close() }
}

const tinypool = (settings) => () => {
  const size = { minThreads: options.workers, maxThreads: options.workers }
  const pool = new Tinypool({ filename: new URL('noop-job.mjs', import.meta.url).href, ...size, ...settings })
  return { run: () => pool.run(call), close: () => pool.destroy() }
}

// Processes do a fifth of what threads do.
const contenders = {
  'tinypool threads': { create: tinypool({}), share: 1 },
  'tinypool threads, no atomics': { create: tinypool({ useAtomics: false }), share: 1 },
  'errand threads': { create: errand(createThreads), share: 1, against: 'tinypool threads' },
  'tinypool processes': { create: tinypool({ runtime: 'child_process', env: process.env }), share: 0.2 },
  'errand processes': { create: errand(createProcesses), share: 0.2, against: 'tinypool processes' },
}
const names = Object.keys(contenders).filter(
  (name) => !options.only || options.only.some((part) => name.includes(part)),
)

async function sequential(pool, calls) {
  const times = []
  for (let n = 0; n < calls; n++) {
    const from = performance.now()
    await pool.run()
    times.push((performance.now() - from) * 1000)
  }
  return { perSecond: (calls / times.reduce((a, b) => a + b)) * 1e6, p50: median(times) }
}

async function together(pool, calls) {
  let left = calls
  const lane = async () => {
    while (left-- > 0) await pool.run()
  }
  const from = performance.now()
  await Promise.all(Array.from({ length: inFlight }, lane))
  return { perSecond: (calls / (performance.now() - from)) * 1000 }
}

async function measure({ create, share }) {
  const pool = create()
  const calls = options.calls * share
  await together(pool, calls / 8)
  await sequential(pool, calls / 20)
  const one = await sequential(pool, calls / 5)
  const many = await together(pool, calls)
  await pool.close()
  return { one: one.perSecond, p50: one.p50, many: many.perSecond }
}

const runs = []
for (let round = 0; round < options.rounds; round++)
  for (const name of rotate(names, round)) runs.push({ round, name, ...(await measure(contenders[name])) })

const summary = names.map((name) => {
  const own = runs.filter((run) => run.name === name)
  return {
    name,
    ...Object.fromEntries(['one', 'p50', 'many'].map((key) => [key, median(own.map((run) => run[key]))])),
  }
})

const rows = summary.map((row) => {
  const base = summary.find(({ name }) => name === contenders[row.name].against)
  const times = (key) => (base ? `**${fixed(row[key] / base[key], 2)}**` : '')
  return [row.name, fixed(row.one, 0), times('one'), fixed(row.p50, 1), fixed(row.many, 0), times('many')]
})
console.log(
  markdownTable(['no-op', 'one at a time /s', '×', 'p50 µs', `${inFlight} in flight /s`, '×'], rows),
)
writeReport('dispatch', { options, summary, runs })
