import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'
import { LongestFirst } from './scripts/test/longest-first.ts'

/** Resolves `errand` to src, here and in the threads and processes that tests start. */
const SOURCE = 'errand-source'

// Without 'import': vitest hands these to Node, where `require` would then find modules for `import`.
const resolve = { conditions: [SOURCE, 'node'] }
const ssr = { resolve }
const execArgv = [`--conditions=${SOURCE}`]

// The processes and threads that tests start by the hundred read the source from here without its types, and compiled:
// that is two thirds of what it costs to start one.
process.env['NODE_COMPILE_CACHE'] ??= fileURLToPath(new URL('node_modules/.cache/node', import.meta.url))

// Most files start threads, processes and servers of their own, and wait for them more than half of the time.
const maxWorkers = 2 * availableParallelism() + 1

export default defineConfig({
  test: {
    teardownTimeout: 20_000,
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        resolve,
        ssr,
        test: {
          name: 'unit',
          include: ['tests/unit/**/*.test.ts', 'scripts/**/*.test.ts'],
          pool: 'forks',
          execArgv,
          // What these test leaves nothing behind: a process for each file would cost as much as all of them do.
          isolate: false,
          maxWorkers,
          testTimeout: 10_000,
        },
      },
      {
        resolve,
        ssr,
        test: {
          name: 'integration',
          include: ['tests/{integration,regression,conformance,e2e,kill,security,soak}/**/*.test.ts'],
          pool: 'forks',
          execArgv,
          maxWorkers,
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'types',
          include: [],
          typecheck: {
            enabled: true,
            only: true,
            checker: 'tsc',
            include: ['tests/types/**/*.test-d.ts'],
            tsconfig: 'tsconfig.types.json',
          },
        },
      },
    ],
  },
})
