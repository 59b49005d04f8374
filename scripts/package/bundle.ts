/**
 * Joins the modules of src into few files. Node spends about half a millisecond on each module it loads, so that a
 * hundred small files would cost a server more to start than everything they do.
 *
 * Every file that others know by its place (an export, the command, what a worker loads) keeps that place: it is a line
 * that leads to the joined code beside it.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { build, type Plugin } from 'esbuild'

interface Entry {
  /** Below src and dist, without its ending. */
  readonly place: string
  /** A command gets the line that makes it one. */
  readonly command?: boolean
  /** It exports `default`. */
  readonly isDefault?: boolean
}

const ENTRIES: readonly Entry[] = [
  { place: 'index' },
  { place: 'client/index' },
  { place: 'client/rest' },
  { place: 'cli/errand', command: true },
  { place: 'cli/generate/hey-api-process' },
  { place: 'tasks/engines/bullmq/index' },
  { place: 'tasks/engines/pgmq/index' },
  { place: 'tasks/worker/entry', isDefault: true },
  { place: 'ports' },
  { place: 'testing/index' },
  { place: 'testing/suites/index' },
  ...['app', 'broken', 'fragile', 'no-app', 'slow'].map((name) => ({
    place: `testing/suites/executor/fixtures/${name}`,
  })),
  { place: 'tasks/stores/sqlite/writer-entry' },
]

const flatName = ({ place }: Entry): string => place.replaceAll('/', '-')

const SHEBANG = '#!/usr/bin/env node\n'

const SELF = '__errandFile'
const OWN_PLACE = '__errandPlace'

/** A joined module still finds its neighbours: to it, `import.meta.url` is where it would be on its own. */
const keepPlaces = (src: string): Plugin => ({
  name: 'keep-places',
  setup: ({ onLoad }) => {
    onLoad({ filter: /\.ts$/ }, ({ path }) => {
      const code = readFileSync(path, 'utf8').replace(SHEBANG, '')
      if (!code.includes('import.meta.url')) return { contents: code, loader: 'ts' }
      const place = `./${relative(src, path).replace(/\.ts$/, '.js')}`
      const own = `const ${OWN_PLACE} = new URL(${JSON.stringify(place)}, ${SELF}).href\n`
      return { contents: own + code, loader: 'ts' }
    })
  },
})

const signpost = (entry: Entry, dist: string): void => {
  const { place, command, isDefault } = entry
  const target = join(dist, `${flatName(entry)}.js`)
  const file = join(dist, `${place}.js`)
  if (file === target) return
  const from = `'${relative(dirname(file), target)}'`
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(
    file,
    command
      ? `${SHEBANG}import ${from}\n`
      : `export * from ${from}\n${isDefault ? `export { default } from ${from}\n` : ''}`,
  )
}

/** Writes the JavaScript of the package into `dist`. */
export const bundle = async (src: string, dist: string): Promise<void> => {
  await build({
    entryPoints: ENTRIES.map((entry) => ({ in: join(src, `${entry.place}.ts`), out: flatName(entry) })),
    outdir: dist,
    chunkNames: 'part-[hash]',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node22',
    packages: 'external',
    define: { 'import.meta.url': OWN_PLACE },
    banner: { js: `const ${SELF} = import.meta.url` },
    plugins: [keepPlaces(src)],
    logLevel: 'warning',
  })
  for (const entry of ENTRIES) signpost(entry, dist)
}
