/** The `errand` command, put together. */
import { Command } from 'commander'
import { CliError } from './cli-error.ts'
import { configCommand } from './commands/config.ts'
import { generateCommand } from './commands/generate.ts'
import { openapiCommand } from './commands/openapi.ts'
import { serveCommand } from './commands/serve.ts'
import { workerCommand } from './commands/worker.ts'
import { version } from './version.ts'

const EXAMPLES = `
Examples:
  errand serve app.ts --port 8080
  errand worker app.ts --only countPrimes
  errand config app.ts
  errand openapi app.ts --out openapi.json
  errand generate app.ts --out clients/api
  errand generate app.ts --out clients/api --check    in CI: fails when the client is stale

The app is the default export of the module, or the one named \`app\`.`

/** The program with all its commands. */
const createProgram = (): Command => {
  const program = new Command('errand')
    .description(
      'Serve an Errand app, run its tasks, print its configuration, write its OpenAPI document, generate clients of it.',
    )
    .version(version)
    .addHelpText('after', EXAMPLES)
    .showHelpAfterError('(add --help to see how it is used)')
  for (const command of [
    serveCommand(),
    workerCommand(),
    configCommand(),
    openapiCommand(),
    generateCommand(),
  ])
    program.addCommand(command.copyInheritedSettings(program))
  return program
}

const shown = (error: unknown): string =>
  error instanceof CliError
    ? error.message
    : error instanceof Error
      ? (error.stack ?? error.message)
      : String(error)

/** Does what the command line says, and ends the process. */
export const runProgram = async (): Promise<never> => {
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
}
