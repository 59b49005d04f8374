/**
 * `npm test`: every check, cheap ones first, then the tests. A failing check does not keep the others from running.
 * `npm test -- tests/unit/paths.test.ts`, or any other argument of vitest: the tests alone.
 */
import { runChecks } from './test/checks.ts'
import { runTests } from './test/tests.ts'

const vitestArguments = process.argv.slice(2)

const failed = vitestArguments.length > 0 ? [] : await runChecks()
const { passing, summary } = await runTests(vitestArguments)

if (failed.length > 0)
  console.error(`\nfailed checks: ${failed.join(', ')} (each runs alone: npm run ${failed[0]})`)
console.log(`\n${summary}`)
process.exitCode = passing && failed.length === 0 ? 0 : 1
