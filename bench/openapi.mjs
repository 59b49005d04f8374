// The first OpenAPI document of a large application against bare z.toJSONSchema of its schemas. `--count 1000 --rounds 5`
import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { readOptions } from './lib/options.mjs'
import { prepareErrand, withoutMissing } from './lib/prepare.mjs'
import { pinned } from './lib/processes.mjs'
import { markdownTable, writeReport } from './lib/report.mjs'
import { fixed, median, rotate } from './lib/stats.mjs'

const options = readOptions({ rounds: 5, count: 1000, build: true })
const measureFile = fileURLToPath(new URL('openapi/measure.mjs', import.meta.url))

prepareErrand(options.build)
const kinds = withoutMissing(['floor', 'errand'])
const runs = []
for (let round = 0; round < options.rounds; round++) {
  for (const kind of rotate(kinds, round)) runs.push({ round, kind, ...measure(kind) })
}
print(kinds.map(summarize))

function measure(kind) {
  const [file, ...args] = pinned(0, [process.execPath, measureFile, kind, String(options.count)])
  const answer = JSON.parse(
    execFileSync(file, args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, NODE_ENV: 'production' },
    }),
  )
  if (answer.operations < options.count)
    throw new Error(`${kind} documents ${answer.operations} of ${options.count} operations`)
  return answer
}

function summarize(kind) {
  const own = runs.filter((run) => run.kind === kind)
  const { round: _round, kind: _kind, ...keys } = own[0]
  return { kind, ...Object.fromEntries(Object.keys(keys).map((key) => [key, median(own.map((run) => run[key]))])) }
}

function print(table) {
  const [floor] = table
  const rows = table.map((t) => [
    t.kind,
    fixed(t.firstMs, 0),
    `**${fixed(t.firstMs / floor.firstMs, 2)}**`,
    fixed(t.firstWallMs, 0),
    fixed(t.firstWallMs / floor.firstWallMs, 2),
    fixed(t.warmMs, 0),
    fixed(t.createAppMs, 0),
    fixed(t.declareMs, 0),
    fixed(t.rssMb, 0),
    fixed(t.kb, 0),
  ])
  const header = [
    '',
    'first document, CPU ms',
    'ratio',
    'wall ms',
    'ratio',
    'again',
    'createApp',
    'schemas',
    'RSS MiB',
    'KB',
  ]
  console.log(
    `\n### First document, ${options.count} procedures, median of ${options.rounds}\n\n${markdownTable(header, rows)}`,
  )
  writeReport('openapi', { options, table, runs })
}
