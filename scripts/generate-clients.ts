/** Generates the committed clients of the examples; with `--check`, fails when one is stale. */
import { fileURLToPath } from 'node:url'
import { defaultClientOptions } from '../src/cli/generate/client-options.ts'
import { generateFor } from '../src/cli/generate/generate-for.ts'

const CLIENTS = [{ file: 'examples/quickstart/app.ts', out: 'clients/quickstart' }]

process.chdir(fileURLToPath(new URL('..', import.meta.url)))

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
