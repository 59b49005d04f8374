import { defineConfig } from 'vitest/config'

/** Resolves `errand` to src, here and in the threads and processes that tests start. */
const SOURCE = 'errand-source'

// Without 'import': vitest hands these to Node, where `require` would then find modules for `import`.
const resolve = { conditions: [SOURCE, 'node'] }
const ssr = { resolve }
const execArgv = [`--conditions=${SOURCE}`]

export default defineConfig({
  test: {
    teardownTimeout: 20_000,
    projects: [
      {
        resolve,
        ssr,
        test: {
          name: 'unit',
          include: ['tests/unit/**/*.test.ts', 'scripts/**/*.test.ts'],
          pool: 'forks',
          execArgv,
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
          // These start threads, processes and servers of their own, and wait for them half of the time: three files at a
          // time keep two cores busy.
          maxWorkers: 3,
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
