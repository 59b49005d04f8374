// A store with many records: how long it takes to start, in how much memory, and to list. See ../../README.md.
// `--rounds 3 --ended 100000 --queued 10000`
import { fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { readOptions } from '../../lib/options.mjs'
import { prepareErrand } from '../../lib/prepare.mjs'
import { loadNow, markdownTable, writeReport } from '../../lib/report.mjs'
import { fixed, median } from '../../lib/stats.mjs'

const options = readOptions({ rounds: 3, ended: 100_000, queued: 10_000, build: true })

prepareErrand(options.build)
const dir = mkdtempSync(path.join(process.env.BENCH_DIR ?? os.tmpdir(), 'errand-bench-'))
const runs = []
try {
  await run('fill.mjs', [options.ended, options.queued])
  for (let round = 0; round < options.rounds; round++) runs.push({ load: loadNow(), ...(await run('serve.mjs')) })
} finally {
  rmSync(dir, { recursive: true, force: true })
}

const of = (pick) => fixed(median(runs.map(pick)), 0)
console.log(
  markdownTable(
    ['listen ms', 'memory MB', 'at its highest', 'before'],
    [[of((one) => one.startMs), ...['after', 'peak', 'before'].map((key) => of((one) => one.memory[key]))]],
  ),
)
const rows = Object.keys(runs[0].pages).map((name) => {
  const times = runs.flatMap((one) => one.pages[name].times)
  return [name, runs[0].pages[name].items, fixed(median(times), 1), fixed(Math.max(...times), 1)]
})
console.log(`\n${markdownTable(['GET /tasks?limit=50', 'items', 'p50 ms', 'slowest'], rows)}`)
writeReport('scale', { options, runs })

/** Runs a script on the store in a process of its own; what it sends last is its answer. */
function run(script, args = []) {
  const child = fork(fileURLToPath(new URL(script, import.meta.url)), args.map(String), {
    env: { ...process.env, NODE_ENV: 'development', ERRAND_DATA: dir },
  })
  let answer
  child.on('message', (message) => (answer = message))
  return new Promise((resolve, reject) =>
    child.once('exit', (code, signal) => (code === 0 ? resolve(answer) : reject(new Error(`${script} ended: ${signal ?? code}`)))),
  )
}
