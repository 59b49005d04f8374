/**
 * Bundles errand/client for a browser and holds it to two promises: nothing of the server comes along, and it costs
 * little on top of the @trpc/client that its user bundles anyway.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { build, type Metafile } from 'esbuild'
import { readImports } from './imports/read-imports.ts'
import { findFiles } from './lib/files.ts'
import { ROOT } from './lib/root.ts'

const BUDGET = 2048
const OURS = /^src\/(client|protocol)\//

interface Bundle {
  readonly size: number
  readonly inputs: Metafile['inputs']
}

const bundle = async (contents: string): Promise<Bundle> => {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: ROOT, loader: 'ts' },
    absWorkingDir: ROOT,
    bundle: true,
    minify: true,
    write: false,
    metafile: true,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    logLevel: 'warning',
  })
  return { size: gzipSync(outputFiles[0]?.contents ?? '', { level: 9 }).length, inputs: metafile.inputs }
}

/** What errand/client takes of @trpc/client, with what every user of it takes: the client itself. */
const trpcNames = (): string[] => {
  const imports = findFiles('src/client/**/*.ts').flatMap((file) =>
    readImports(file, readFileSync(join(ROOT, file), 'utf8')),
  )
  const taken = imports.filter(({ specifier, kind }) => specifier === '@trpc/client' && kind === 'static')
  return [...new Set(['createTRPCClient', ...taken.flatMap(({ names }) => names)])]
}

/** Who imports a file of the bundle, from the outside in. */
const importersOf = (path: string, inputs: Metafile['inputs']): string[] =>
  Object.entries(inputs).flatMap(([file, { imports }]) =>
    imports.some((one) => one.path === path) ? [file] : [],
  )

const plainTrpc = `export { ${trpcNames().join(', ')} } from '@trpc/client'`
const [without, withErrand] = await Promise.all([
  bundle(plainTrpc),
  bundle(`${plainTrpc}\nexport * from './src/client/index.ts'`),
])

const foreign = Object.keys(withErrand.inputs).filter(
  (path) => !OURS.test(path) && !(path in without.inputs) && path !== '<stdin>',
)
for (const path of foreign) {
  console.error(`${path} is in the browser bundle, imported by ${importersOf(path, withErrand.inputs).join(', ')}
  why: errand/client ships to browsers, with src/protocol and @trpc/client alone
  try: import type, or move what is shared to src/protocol\n`)
}

const added = withErrand.size - without.size
const sizes = `errand/client adds ${added} bytes (gzip) to the ${without.size} of @trpc/client; allowed are ${BUDGET}`
if (added > BUDGET)
  console.error(`${sizes}\n  try: esbuild --analyze on src/client/index.ts shows what is large`)
else console.log(sizes)

if (foreign.length > 0 || added > BUDGET) process.exitCode = 1
