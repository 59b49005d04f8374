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

interface Door {
  readonly name: string
  readonly file: string
  /** What its user bundles anyway. */
  readonly base: string
  /** Bytes, gzip, on top of the base. */
  readonly budget: number
}

const DOORS: readonly Door[] = [
  {
    name: 'errand/client',
    file: 'src/client/index.ts',
    base: `export { ${trpcNames().join(', ')} } from '@trpc/client'`,
    budget: 3072,
  },
  // Beside a generated client: handles and errors, and nothing of tRPC.
  { name: 'errand/client/rest', file: 'src/client/rest.ts', base: '', budget: 3072 },
]

const EMPTY: Bundle = { size: 0, inputs: {} }

/** Whether a door keeps its promises; tells what it costs. */
const check = async ({ name, file, base, budget }: Door): Promise<boolean> => {
  const without = base === '' ? EMPTY : await bundle(base)
  const full = await bundle(`${base}\nexport * from './${file}'`)
  const foreign = Object.keys(full.inputs).filter(
    (path) => !OURS.test(path) && !(path in without.inputs) && path !== '<stdin>',
  )
  for (const path of foreign)
    console.error(`${path} is in the browser bundle, imported by ${importersOf(path, full.inputs).join(', ')}
  why: ${name} ships to browsers, with src/protocol and what its user bundles anyway
  try: import type, or move what is shared to src/protocol\n`)
  const added = full.size - without.size
  const sizes = `${name} adds ${added} bytes (gzip) to ${without.size}; allowed are ${budget}`
  if (added > budget) console.error(`${sizes}\n  try: esbuild --analyze on ${file} shows what is large`)
  else console.log(sizes)
  return foreign.length === 0 && added <= budget
}

const kept = await Promise.all(DOORS.map(check))
if (kept.includes(false)) process.exitCode = 1
