/** `errand serve`. */
import { Command, InvalidArgumentError, Option } from 'commander'
import { loadApp } from '../load-app.ts'
import { serveApp } from '../serve-app.ts'

const toPort = (text: string): number => {
  const port = Number(text)
  if (/^\d+$/.test(text) && port <= 65_535) return port
  throw new InvalidArgumentError('Expected a whole number from 0 (any free port) to 65535.')
}

interface Options {
  readonly port?: number
  readonly host?: string
  /** False with `--no-work`; else true, whatever was said or not. */
  readonly work: boolean
}

/** Hosting platforms say `PORT`; `ERRAND_PORT`, or its file, is for us alone. */
const portOption = (): Option => {
  const option = new Option('-p, --port <number>', 'the port; 0 takes a free one (default: 3000)').argParser(
    toPort,
  )
  const own = process.env['ERRAND_PORT'] || process.env['ERRAND_PORT_FILE']
  return own ? option : option.env('PORT')
}

/** Serves an app until a signal ends it. */
export const serveCommand = (): Command =>
  new Command('serve')
    .description('serve an app: REST, tRPC, the API reference, and its tasks')
    .argument('<app>', 'the module that exports the app, such as app.ts')
    .addOption(portOption())
    .option('--host <address>', 'the address to listen on; 0.0.0.0 for all (default: 127.0.0.1)')
    .option('--no-work', 'start tasks, and leave the work to `errand worker` processes')
    .action(async (file: string, { work, ...options }: Options) => {
      await serveApp(await loadApp(file), {
        ...options,
        ...(work ? {} : { work }),
        file,
        print: (line) => console.log(line),
      })
    })
