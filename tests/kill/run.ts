/** `npm run test:kill -- --rounds 200 --seed 7`: the kill suite by itself, and its figures. */
import { parseArgs } from 'node:util'
import { inLines } from './figures.ts'
import { SUBJECTS, type SubjectName } from './subjects.ts'
import { runSuite } from './suite.ts'

const { values } = parseArgs({
  options: {
    engine: { type: 'string', default: 'local' },
    rounds: { type: 'string', default: '20' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
})

const subject = values.engine as SubjectName
if (!Object.hasOwn(SUBJECTS, subject))
  throw new Error(`--engine is ${subject}, expected one of ${Object.keys(SUBJECTS).join(', ')}`)
const rounds = Number(values.rounds)
const seed = Number(values.seed)

console.log(`${subject}, ${rounds} rounds, --seed ${seed}`)
const began = performance.now()
const { faults, figures, killings, kept } = await runSuite({
  subject,
  rounds,
  seed,
  progress: (round, killing) => round % 10 === 0 && console.log(`  ${round}: ${killing}`),
})
console.log([...killings].map(([killing, times]) => `  ${killing} ${times}`).join('\n'))
console.log(`${inLines(figures)}\ntook       ${Math.round((performance.now() - began) / 1000)} s`)
for (const [check, found] of faults)
  console.error(
    `\n✗ ${check}: ${found.length}\n${found
      .slice(0, 10)
      .map((fault) => `    ${fault}`)
      .join('\n')}`,
  )
console.log(kept ? `\nNot everything held: see ${kept}` : '\nEverything that was promised held.')
process.exitCode = kept ? 1 : 0
