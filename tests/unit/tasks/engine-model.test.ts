/**
 * Random lives of the local engine (starts, ends, cancels, retries, time that passes, kills) against a small model of what
 * it must do. `TEST_MODEL_RUNS=20000` makes a long run of it, `TEST_MODEL_SEED=…` the same one again.
 */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { lives, type Action } from '../../support/model/actions.ts'
import { live } from '../../support/model/live.ts'

const RUNS = Number(process.env['TEST_MODEL_RUNS'] ?? 300)
const SEED = process.env['TEST_MODEL_SEED']

/** The shortest life that fails, and how to live it again. */
const report = ({
  counterexample,
  errorInstance,
  seed,
  numShrinks,
}: fc.RunDetails<[readonly Action[]]>): string => {
  const life = counterexample?.[0].map((action) => `  ${JSON.stringify(action)},`).join('\n')
  const error = errorInstance instanceof Error ? errorInstance.stack : String(errorInstance)
  return `TEST_MODEL_SEED=${seed}, shrunk ${numShrinks} times:\n[\n${life}\n]\n${error}`
}

const options = { numRuns: RUNS, ...(SEED === undefined ? {} : { seed: Number(SEED) }) }

test(
  `the local engine does what the model says, in ${RUNS} lives`,
  { timeout: 60_000 + RUNS * 100 },
  async () => {
    const result = await fc.check(fc.asyncProperty(lives, live), options)
    expect(result.failed ? report(result) : '').toBe('')
  },
)
