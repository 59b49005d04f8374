/** What every executor must do. */
import type { Executor } from '../../../tasks/executor.ts'
import { register, type Skips } from '../cases.ts'
import { afterEach, beforeEach, describe } from '../runner.ts'
import { ExecutorBench, type ExecutorOptions } from './bench.ts'
import { dying } from './cases/dying.ts'
import { loading } from './cases/loading.ts'
import { running } from './cases/running.ts'
import { stopping } from './cases/stopping.ts'

const GROUPS = { running, stopping, 'a worker dies': dying, loading }

type Groups = typeof GROUPS

/** The title of a case. */
export type ExecutorCase = { [K in keyof Groups]: keyof Groups[K] & string }[keyof Groups]

/** How the suite treats an executor. */
export interface ExecutorSuiteOptions {
  /** Cases that can't hold, each with the reason. */
  readonly skip?: Skips<ExecutorCase>
}

/**
 * Registers the cases with vitest, on executors made by `make`: each imports the module it is told to.
 *
 * @example executorSuite('mine', ({ module, workers }) => createMine({ module, workers }))
 */
export const executorSuite = (
  name: string,
  make: (options: ExecutorOptions) => Executor,
  { skip = {} }: ExecutorSuiteOptions = {},
): void => {
  let bench: ExecutorBench
  describe(`executor: ${name}`, { timeout: 30_000 }, () => {
    beforeEach(() => {
      bench = new ExecutorBench(make)
    })
    afterEach(() => bench.dispose())

    for (const [group, cases] of Object.entries(GROUPS))
      describe(group, () =>
        register<ExecutorBench, unknown>(cases, { bench: () => bench, subject: async () => undefined, skip }),
      )
  })
}
