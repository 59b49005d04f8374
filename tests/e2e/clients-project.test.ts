/** A user's project, outside of this repository: the command, the generated client and the handles in it. */
import { execFile, execFileSync, spawn } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { until } from '../support/until.ts'

/** Milliseconds. Each starts a handful of processes, one after the other. */
const SLOW = { timeout: 120_000 }

const root = fileURLToPath(new URL('../..', import.meta.url))
const run = promisify(execFile)
const folder = mkdtempSync(join(tmpdir(), 'errand-project-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const APP = `
import { createApp, procedure } from 'errand'
import { z } from 'zod'
const add = procedure.query({
  input: z.object({ a: z.number(), b: z.number() }),
  output: z.number(),
  handler: ({ input }) => input.a + input.b,
})
const shout = procedure.task({
  input: z.object({ text: z.string() }),
  output: z.object({ text: z.string() }),
  progress: z.object({ letters: z.int() }),
  handler: async ({ input, progress }) => {
    progress({ letters: input.text.length })
    return { text: input.text.toUpperCase() }
  },
})
export const app = createApp({ add, media: { shout } }, { module: import.meta.url })
`

const CALLER = `
import { restTask, startTask } from 'errand/client/rest'
import * as sdk from './clients/api/index.ts'
sdk.client.setConfig({ baseUrl: process.argv[2] as string })
const { data: sum } = await sdk.add({ body: { a: 1, b: 2 }, throwOnError: true })
const task = await startTask(restTask(sdk, 'mediaShout'), { text: 'hello' })
const { text } = await task.result({ timeout: '30s' })
console.log(JSON.stringify({ sum, text }))
`

const link = (from: string, to: string): void => {
  mkdirSync(dirname(to), { recursive: true })
  symlinkSync(from, to)
}

/** Links every installed package but those named, one by one, as npm would lay them out. */
const linkPackages = (place: string, without: readonly string[]): void => {
  const modules = join(root, 'node_modules')
  const names = readdirSync(modules)
    .filter((name) => !name.startsWith('.'))
    .flatMap((name) =>
      name.startsWith('@') ? readdirSync(join(modules, name)).map((inner) => `${name}/${inner}`) : [name],
    )
  for (const name of names)
    if (!without.includes(name)) link(join(modules, name), join(place, 'node_modules', name))
}

interface Project {
  readonly place: string
  /** Node's arguments for the command. */
  readonly errand: readonly string[]
  /** Node's arguments for the user's own modules. */
  readonly node: readonly string[]
}

const createProject = (without: readonly string[] = []): string => {
  const place = mkdtempSync(join(folder, 'project-'))
  writeFileSync(join(place, 'package.json'), '{ "type": "module", "private": true }')
  writeFileSync(join(place, 'app.ts'), APP)
  writeFileSync(join(place, 'caller.ts'), CALLER)
  linkPackages(place, ['errand', ...without])
  return place
}

const fromSource = (): Project => {
  const place = createProject()
  link(root, join(place, 'node_modules/errand'))
  return { place, errand: [join(root, 'src/cli/errand.ts')], node: ['--conditions=errand-source'] }
}

let tarball: string | undefined
const fromPackage = (without: readonly string[] = []): Project => {
  const place = createProject(without)
  tarball ??= join(
    folder,
    execFileSync('npm', ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder], {
      cwd: root,
      encoding: 'utf8',
    }).trim(),
  )
  mkdirSync(join(place, 'node_modules/errand'))
  execFileSync('tar', ['xzf', tarball, '--strip-components=1', '-C', join(place, 'node_modules/errand')])
  return { place, errand: [join(place, 'node_modules/errand/dist/cli/errand.js')], node: [] }
}

const isBuilt = existsSync(join(root, 'dist/cli/errand.js'))

describe.each([
  { name: 'run from source', make: fromSource, skip: false },
  // `npm run build` makes dist; without it there is nothing to pack.
  { name: 'installed from its package', make: fromPackage, skip: !isBuilt },
])('errand, $name,', ({ make, skip }) => {
  test.skipIf(skip)('generates, checks, documents and serves an app', SLOW, async () => {
    const { place, errand, node } = make()
    const env = { ...process.env, NODE_OPTIONS: '', ERRAND_DATA: join(place, '.errand') }
    const command = (...args: string[]) => run(process.execPath, [...errand, ...args], { cwd: place, env })

    expect(JSON.parse((await command('openapi', 'app.ts')).stdout).paths).toHaveProperty('/media/shout')
    expect((await command('generate', 'app.ts', '--out', 'clients/api')).stdout).toMatch(
      /^clients\/api: \d+ files/,
    )
    expect((await command('generate', 'app.ts', '--out', 'clients/api', '--check')).stdout).toContain(
      'up to date',
    )

    const server = spawn(process.execPath, [...errand, 'serve', 'app.ts', '--port', '0'], { cwd: place, env })
    onTestFinished(() => void server.kill('SIGKILL'))
    let printed = ''
    server.stdout.on('data', (text: Buffer) => (printed += text))
    const url = await until('the address', () => /served at (\S+)/.exec(printed)?.[1], 60_000)
    const { stdout } = await run(process.execPath, [...node, 'caller.ts', url], { cwd: place, env })
    expect(JSON.parse(stdout)).toEqual({ sum: 3, text: 'HELLO' })
    server.kill('SIGINT')
    const code = await new Promise((resolve) => server.once('exit', resolve))
    expect(code).toBe(0)
  })
})

test.skipIf(!isBuilt)('without the generator, errand generate prints the line that installs it', async () => {
  const { place, errand } = fromPackage(['@hey-api/openapi-ts', 'typescript-js'])
  const failed: { code: number; stderr: string } = await run(
    process.execPath,
    [...errand, 'generate', 'app.ts', '-o', 'api'],
    {
      cwd: place,
      env: { ...process.env, NODE_OPTIONS: '' },
    },
  ).catch((error) => error)
  expect(failed.code).toBe(1)
  expect(failed.stderr).toContain('npm i -D @hey-api/openapi-ts@~0.99.0 typescript-js@npm:typescript@~6.0.3')
  expect(existsSync(join(place, 'api'))).toBe(false)
})
