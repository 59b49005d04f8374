/** The `errand` command, put together. */
import { Command } from 'commander'
import { generateCommand } from './commands/generate.ts'
import { openapiCommand } from './commands/openapi.ts'
import { serveCommand } from './commands/serve.ts'
import { version } from './version.ts'

const EXAMPLES = `
Examples:
  errand serve app.ts --port 8080
  errand openapi app.ts --out openapi.json
  errand generate app.ts --out clients/api
  errand generate app.ts --out clients/api --check    in CI: fails when the client is stale

The app is the default export of the module, or the one named \`app\`.`

/** The program with all its commands. */
export const createProgram = (): Command => {
  const program = new Command('errand')
    .description('Serve an Errand app, write its OpenAPI document, generate clients of it.')
    .version(version)
    .addHelpText('after', EXAMPLES)
    .showHelpAfterError('(add --help to see how it is used)')
  for (const command of [serveCommand(), openapiCommand(), generateCommand()])
    program.addCommand(command.copyInheritedSettings(program))
  return program
}
