/** Packs what would be published, from the dist that is there, and tries it as a user and a user's tools do. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { exec, read } from './lib/exec.ts'
import { ROOT } from './lib/root.ts'
import { tsc } from './lib/tsc.ts'
import { addOptionalPeers, install, type Installed } from './package/install.ts'

const folder = mkdtempSync(join(tmpdir(), 'errand-pack-'))
process.on('exit', () => rmSync(folder, { recursive: true, force: true }))

const pack = (): string =>
  join(folder, read('npm', 'pack', '--ignore-scripts', '--silent', '--pack-destination', folder))

/** Imports entries from a file outside the repository, where only what package.json names can be found. */
const importAll = (specifiers: readonly string[]): void => {
  const file = join(folder, 'user.mjs')
  writeFileSync(file, specifiers.map((specifier) => `import '${specifier}'\n`).join(''))
  read(process.execPath, file)
}

const APP = `
import { createApp, local, procedure } from 'errand'
import { z } from 'zod'
const double = procedure.task({ input: z.number(), output: z.number(), handler: ({ input }) => input * 2 })
const tasks = local({ dir: ${JSON.stringify(join(folder, 'data'))}, threads: 1, processes: 1, writer: 'thread' })
export default createApp({ double }, { module: import.meta.url, tasks })
`

const MAIN = `
import app from './app.mjs'
const task = await app.tasks.start('double', 21)
if ((await task.result({ timeout: '30s' })) !== 42) throw new Error('the task ended with something else')
await app.close()
`

/** Runs a task: what the package starts as threads, it finds by its place. */
const runTask = (): void => {
  writeFileSync(join(folder, 'app.mjs'), APP)
  writeFileSync(join(folder, 'main.mjs'), MAIN)
  read(process.execPath, join(folder, 'main.mjs'))
}

/** Makes an engine, which opens nothing but reads the files that it has beside its code. */
const makeEngine = (name: string): void => {
  const file = join(folder, 'engine.mjs')
  const code = `import { pgmq } from '${name}/pgmq'\nawait pgmq({ connection: 'postgres://127.0.0.1/none' }).create()\n`
  writeFileSync(file, code)
  read(process.execPath, file)
}

/** Checks the declarations as the strictest user does: with those of all packages that they name. */
const typecheckAll = (specifiers: readonly string[]): void => {
  const file = join(folder, 'user.mts')
  writeFileSync(
    file,
    specifiers
      .map((specifier) => `export * as _${specifiers.indexOf(specifier)} from '${specifier}'\n`)
      .join(''),
  )
  const options = ['--noEmit', '--strict', '--target', 'es2024', '--module', 'nodenext', '--types', 'node']
  tsc('--ignoreConfig', ...options, '--typeRoots', join(ROOT, 'node_modules/@types'), file)
}

/** The main entry and the command run without the optional peers, the other entries with them. */
const tryOut = (installed: Installed): void => {
  const { name, bin, exports } = installed.manifest
  const entries = Object.keys(exports).filter((entry) => !entry.endsWith('.json'))
  const specifiers = entries.map((entry) => name + entry.slice(1))
  importAll([name])
  runTask()
  for (const path of Object.values(bin)) read(process.execPath, join(installed.folder, path), '--help')
  addOptionalPeers(installed)
  importAll(specifiers)
  makeEngine(name)
  typecheckAll(specifiers)
}

const tarball = pack()
exec('publint', '--strict', tarball)
exec('attw', tarball, '--profile', 'esm-only')
tryOut(install(tarball, folder))
console.log('the packed package installs, imports, type-checks and runs with no more than it declares')
