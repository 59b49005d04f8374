/** `errand generate`. */
import { Command, Option } from 'commander'
import { generateFor } from '../generate/generate-for.ts'
import type { ImportExtension } from '../generate/client-options.ts'

interface Options {
  readonly out: string
  readonly check: boolean
  readonly extension: ImportExtension
  readonly zod: boolean
  readonly reactQuery: boolean
}

const commandLine = (file: string, { out, extension, zod, reactQuery }: Options): string =>
  [
    `errand generate ${file} --out ${out}`,
    ...(extension === '.ts' ? [] : [`--extension ${extension}`]),
    ...(zod ? [] : ['--no-zod']),
    ...(reactQuery ? [] : ['--no-react-query']),
  ].join(' ')

/** Generates a typed client of an app, or checks that the committed one is up to date. */
export const generateCommand = (): Command =>
  new Command('generate')
    .description('generate a typed TypeScript client from the OpenAPI document of an app')
    .argument('<app>', 'the module that exports the app, such as app.ts')
    .requiredOption('-o, --out <folder>', 'where the client is, or is to be')
    .option('--check', 'change nothing; fail when the client there is stale')
    .addOption(
      new Option(
        '--extension <extension>',
        'of the imports in the client: .js where tsc builds it without rewriting them',
      )
        .choices(['.ts', '.js'] satisfies ImportExtension[])
        .default('.ts'),
    )
    .option('--no-zod', 'leave out the zod schemas')
    .option('--no-react-query', 'leave out the options for TanStack Query (React)')
    .action(async (file: string, options: Options) => {
      const { out, check, ...client } = options
      const fresh = await generateFor({
        file,
        out,
        check,
        client,
        command: commandLine(file, options),
        print: (line) => console.log(line),
      })
      if (!fresh) process.exitCode = 1
    })
