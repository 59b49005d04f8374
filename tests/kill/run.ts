/**
 * `npm run test:kill -- --rounds 200 --seed 7`: the kill suite by itself, and its figures.
 *
 * `--engine` is one of the subjects. One that needs a server starts it: bullmq `--server redis` or `--server postgres`. With
 * `--fleet` a fleet is killed in turn: the process that takes calls, one of two that work, the server. With `--restarts 5000`
 * the server alone is killed, every 5,000 ms, and comes back.
 */
import { parseArgs } from 'node:util'
import { endAll } from '../support/afterwards.ts'
import { inLines } from './figures.ts'
import { PLACES } from './servers.ts'
import { CONNECTION_VARIABLE, SUBJECTS, type SubjectName } from './subjects.ts'
import { runSuite } from './suite.ts'

const { values } = parseArgs({
  options: {
    engine: { type: 'string', default: 'local' },
    server: { type: 'string' },
    fleet: { type: 'boolean', default: false },
    restarts: { type: 'string' },
    rounds: { type: 'string', default: '20' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
})

const oneOf = (name: string, value: string, all: object): void => {
  if (!Object.hasOwn(all, value))
    throw new Error(`--${name} is ${value}, expected one of ${Object.keys(all).join(', ')}`)
}

oneOf('engine', values.engine, SUBJECTS)
const subject = values.engine as SubjectName
const places = PLACES[subject]
const kind = values.server ?? Object.keys(places)[0]
if (values.server !== undefined) oneOf('server', values.server, places)
if (values.fleet && SUBJECTS[subject].hosts === 'one')
  throw new Error(`--fleet is not for ${subject}, which is one process`)
if (values.restarts && kind === undefined)
  throw new Error(`--restarts is not for ${subject}, which has no server`)
const place = kind === undefined ? undefined : await places[kind]?.()
const rounds = Number(values.rounds)
const seed = Number(values.seed)

console.log(
  `${[subject, kind, values.fleet && 'a fleet', values.restarts && `restarted every ${values.restarts} ms`].filter(Boolean).join(', ')}, ${rounds} rounds, --seed ${seed}`,
)
const began = performance.now()
const { faults, figures, killings, kept } = await runSuite({
  subject,
  rounds,
  seed,
  ...(place && { env: { [CONNECTION_VARIABLE]: place.url } }),
  ...(place && (values.fleet || values.restarts) && { server: place.server }),
  ...(values.restarts && { restartEvery: Number(values.restarts) }),
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
await endAll()
process.exitCode = kept ? 1 : 0
