/** What every engine must do, whatever it is made of. */
import { register, type Skips } from '../cases.ts'
import { afterEach, beforeEach, describe } from '../runner.ts'
import { EngineBench } from './bench.ts'
import { forgetting, retrying } from './cases/again.ts'
import { cancelling } from './cases/cancelling.ts'
import { counting } from './cases/counting.ts'
import { crashing } from './cases/crashing.ts'
import { failing } from './cases/failing.ts'
import { idempotency } from './cases/idempotency.ts'
import { listing } from './cases/listing.ts'
import { running } from './cases/running.ts'
import { sharing } from './cases/sharing.ts'
import { stopping } from './cases/stopping.ts'
import { telling } from './cases/telling.ts'
import { watching } from './cases/watching.ts'
import type { EnginePlace, EngineSubject } from './place.ts'

const GROUPS = {
  running,
  failing,
  idempotency,
  cancelling,
  'retrying by hand': retrying,
  forgetting,
  listing,
  counting,
  watching,
  'telling its host': telling,
  stopping,
  'after a crash': crashing,
  'several hosts': sharing,
}

type Groups = typeof GROUPS

/** The title of a case. */
export type EngineCase = { [K in keyof Groups]: keyof Groups[K] & string }[keyof Groups]

/** How the suite treats an engine. */
export interface EngineSuiteOptions {
  /** Cases that can't hold, each with the reason. What the capabilities rule out is left out by itself. */
  readonly skip?: Skips<EngineCase>
  /** Longest wait for anything to happen, in ms. Default 5000; recovery from a crash is to be quicker than it. */
  readonly patience?: number
}

/**
 * Registers the cases with vitest, on places made by `make`: one for each case.
 *
 * @example engineSuite('mine', () => ({ create, crash, dispose }), { patience: 20_000 })
 */
export const engineSuite = (
  name: string,
  make: () => EnginePlace | Promise<EnginePlace>,
  { skip = {}, patience = 5000 }: EngineSuiteOptions = {},
): void => {
  let bench: EngineBench
  const subject = async (): Promise<EngineSubject> => ({
    place: bench.place,
    capabilities: (await bench.place.create()).capabilities,
  })
  describe(`engine: ${name}`, { timeout: 30_000 + 3 * patience }, () => {
    beforeEach(async () => {
      bench = new EngineBench(await make(), patience)
    })
    afterEach(() => bench.dispose())

    for (const [group, cases] of Object.entries(GROUPS))
      describe(group, () =>
        register<EngineBench, EngineSubject>(cases, { bench: () => bench, subject, skip }),
      )
  })
}
