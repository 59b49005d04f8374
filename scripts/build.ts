/** Makes dist: what `npm pack` ships. */
import { chmodSync, cpSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { REFERENCE_FILES } from '../src/openapi/reference-files.ts'
import { findFiles } from './lib/files.ts'
import { ROOT } from './lib/root.ts'
import { tsc } from './lib/tsc.ts'
import { bundle } from './package/bundle.ts'

const DIST = join(ROOT, 'dist')

/** The reference page's files, shipped so that a user needs no swagger-ui-dist (it brings telemetry). */
const REFERENCE = join(DIST, 'openapi/reference')
const LICENSES = ['LICENSE', 'NOTICE', 'swagger-ui-bundle.js.LICENSE.txt']

const copyReference = (): void => {
  const source = dirname(fileURLToPath(import.meta.resolve('swagger-ui-dist/package.json')))
  mkdirSync(REFERENCE, { recursive: true })
  for (const file of [...Object.keys(REFERENCE_FILES), ...LICENSES])
    cpSync(join(source, file), join(REFERENCE, file))
}

/** Statements are read when they are first needed, from beside the code. */
const copySql = (): void => {
  for (const file of findFiles('src/**/*.sql')) {
    const target = join(DIST, relative('src', file))
    mkdirSync(dirname(target), { recursive: true })
    cpSync(join(ROOT, file), target)
  }
}

const makeExecutable = (file: string): void => {
  if (existsSync(file)) chmodSync(file, 0o755)
}

rmSync(DIST, { recursive: true, force: true })
tsc('-p', 'tsconfig.build.json')
await bundle(join(ROOT, 'src'), DIST)
copyReference()
copySql()
makeExecutable(join(DIST, 'cli/errand.js'))
