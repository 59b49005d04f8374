/** What every task store must do. */
import { register, type Skips } from '../cases.ts'
import { afterEach, beforeEach, describe } from '../runner.ts'
import { StoreBench, type StorePlace } from './bench.ts'
import { damaged } from './damaged.ts'
import { keeping } from './keeping.ts'

const CASES = { ...keeping, ...damaged }

/** The title of a case. */
export type StoreCase = keyof typeof CASES

/** How the suite treats a store. */
export interface StoreSuiteOptions {
  /** Cases that can't hold, each with the reason. */
  readonly skip?: Skips<StoreCase>
}

/**
 * Registers the cases with vitest, on places made by `make`: one for each case.
 *
 * @example storeSuite('mine', () => ({ create, write, readAside, dispose }))
 */
export const storeSuite = (
  name: string,
  make: () => StorePlace | Promise<StorePlace>,
  { skip = {} }: StoreSuiteOptions = {},
): void => {
  let bench: StoreBench
  describe(`store: ${name}`, () => {
    beforeEach(async () => {
      bench = new StoreBench(await make())
      await bench.open()
    })
    afterEach(() => bench.dispose())

    register<StoreBench, unknown>(CASES, { bench: () => bench, subject: async () => undefined, skip })
  })
}
