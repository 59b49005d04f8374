/** Generates the committed clients of the examples; with `--check`, fails when one is stale. */
import { defaultClientOptions } from '../src/cli/generate/client-options.ts'
import { generateFor } from '../src/cli/generate/generate-for.ts'

const CLIENTS = [{ file: 'examples/quickstart/app.ts', out: 'clients/quickstart' }]

const root = new URL('..', import.meta.url)
process.chdir(root.pathname)

const fresh: boolean[] = []
for (const { file, out } of CLIENTS)
  fresh.push(
    await generateFor({
      file,
      out,
      check: process.argv.includes('--check'),
      client: defaultClientOptions,
      command: 'npm run generate',
      print: (line) => console.log(line),
    }),
  )
process.exit(fresh.every(Boolean) ? 0 : 1)
