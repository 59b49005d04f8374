/** `npm run test:soak -- --minutes 30 --seed 7`: the soak by itself, at length, and its figures. */
import { parseArgs } from 'node:util'
import { judge } from './judge.ts'
import { runSoak } from './suite.ts'

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
})

const minutes = Number(values.minutes)
const seed = Number(values.seed)
if (!(minutes > 0)) throw new Error(`--minutes is ${values.minutes}, expected a number above 0`)

console.log(`soak: ${minutes} minutes, --seed ${seed}`)
const report = await runSoak({ minutes, seed, progress: (text) => console.log(`  ${text}`) })
const problems = judge(report)
console.log(JSON.stringify(report.ledger.acts))
console.log(
  `each request left ${report.heapPerRequest.toFixed(1)} bytes of heap, ${report.rssPerRequest.toFixed(1)} of rss`,
)
for (const problem of problems) console.error(`✗ ${problem}`)
console.log(problems.length === 0 ? 'Nothing grew, and everything added up.' : 'Not everything held.')
process.exitCode = problems.length === 0 ? 0 : 1
