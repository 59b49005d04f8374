// Processor time of a server with an open store and workers while nothing is asked of it, in ms per second: its own
// process with its threads, and its child processes. See ../README.md. `--rounds 3 --seconds 10`
import { fork } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { nextMessage } from '../lib/children.mjs'
import { readOptions } from '../lib/options.mjs'
import { prepareErrand } from '../lib/prepare.mjs'
import { loadNow, markdownTable, writeReport } from '../lib/report.mjs'
import { fixed, median } from '../lib/stats.mjs'

const options = readOptions({ rounds: 3, seconds: 10, build: true })
const kinds = ['threads', 'processes']

prepareErrand(options.build)
const runs = []
for (let round = 0; round < options.rounds; round++)
  for (const kind of kinds) runs.push({ kind, load: loadNow(), ...(await measure(kind)) })

const rows = kinds.map((kind) => {
  const own = runs.filter((run) => run.kind === kind)
  return [`2 ${kind}`, ...['host', 'children'].map((key) => fixed(median(own.map((run) => run[key])), 2))]
})
console.log(markdownTable(['idle with', 'ms per second', 'of child processes'], rows))
writeReport('idle', { options, runs })

async function measure(kind) {
  const dir = mkdtempSync(path.join(process.env.BENCH_DIR ?? os.tmpdir(), 'errand-bench-'))
  const file = fileURLToPath(new URL('idle/measure.mjs', import.meta.url))
  const child = fork(file, [kind, String(options.seconds)], {
    env: { ...process.env, NODE_ENV: 'production', ERRAND_DATA: dir },
  })
  try {
    return await nextMessage(child, `the server with ${kind}`)
  } finally {
    child.kill('SIGKILL')
    rmSync(dir, { recursive: true, force: true })
  }
}
