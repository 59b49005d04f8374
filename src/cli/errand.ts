#!/usr/bin/env node
/** The `errand` command. */
import { CliError } from './cli-error.ts'
import { createProgram } from './program.ts'

const shown = (error: unknown): string =>
  error instanceof CliError
    ? error.message
    : error instanceof Error
      ? (error.stack ?? error.message)
      : String(error)

// Whoever reads our output may have seen enough, as `head` does.
process.stdout.on('error', () => process.exit())

try {
  await createProgram().parseAsync()
} catch (error) {
  console.error(shown(error))
  process.exitCode = 1
}

// The user's module may hold the process open: a database, a timer. What was written goes out first.
await new Promise((written) => process.stdout.write('', written))
process.exit()
