/** The test runner of the suites: the one file that knows vitest, an optional peer. */
export { afterEach, beforeEach, describe, expect, it } from 'vitest'
