/** The code in README and docs runs, type-checks, and prints what the page says it prints. */
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const root = path.resolve(import.meta.dirname, '../..')
const PAGES = [
  'README.md',
  'docs/guide.md',
  'docs/testing.md',
  'docs/security.md',
  'docs/observability.md',
  'docs/configuration.md',
]
const run = promisify(execFile)

interface Block {
  readonly file: string
  readonly text: string
}

const blocksOf = (page: string): Block[] =>
  [...readFileSync(path.join(root, page), 'utf8').matchAll(/^```ts (\S+)\n(.*?)^```/gms)].map((match) => ({
    file: match[1] as string,
    text: match[2] as string,
  }))

/** What each `console.log` line says it prints. */
const expectedOutput = (text: string): string[] =>
  [...text.matchAll(/console\.log\(.*\) \/\/ (.*)$/gm)].map((match) => match[1] as string)

// Inside the repository, so that the name `errand` resolves to it as it would in a user's project.
mkdirSync(path.join(root, 'tests/.tmp'), { recursive: true })
const folder = mkdtempSync(path.join(root, 'tests/.tmp/docs-'))
const running: ChildProcess[] = []

/** Ends what serves; two apps of one page would share a task store. */
const stop = async (): Promise<void> => {
  const ended = running.splice(0).map((child) => {
    child.removeAllListeners('exit')
    const exit = once(child, 'exit')
    child.kill('SIGKILL')
    return exit
  })
  await Promise.all(ended)
}

afterAll(async () => {
  await stop()
  rmSync(folder, { recursive: true, force: true })
})

const write = (page: string): { dir: string; blocks: Block[] } => {
  const dir = path.join(folder, page.replaceAll('/', '-'))
  mkdirSync(dir)
  const blocks = blocksOf(page)
  for (const { file, text } of blocks) writeFileSync(path.join(dir, file), text)
  return { dir, blocks }
}

const CONDITION = '--conditions=errand-source'
const environment = (dir: string, extra: Record<string, string> = {}) => ({
  ...process.env,
  NODE_OPTIONS: '',
  ERRAND_DATA: path.join(dir, '.errand'),
  // A page on profiles is about its own, and not about this run's.
  ...(dir.endsWith('configuration.md') ? { NODE_ENV: '' } : {}),
  ...extra,
})

const serve = async (dir: string, app: string): Promise<string> => {
  const code = `import app from './${app}'\nconst { url } = await app.listen({ port: 0 })\nconsole.log(url)\n`
  writeFileSync(path.join(dir, `serve-${app}`), code)
  const child = spawn(process.execPath, [CONDITION, `serve-${app}`], { cwd: dir, env: environment(dir) })
  running.push(child)
  return new Promise((resolve, reject) => {
    let errors = ''
    child.stderr?.on('data', (chunk) => (errors += String(chunk)))
    child.stdout?.on('data', (chunk) => resolve(String(chunk).trim()))
    child.once('exit', (code_) => reject(new Error(`serving ${app} ended with ${code_}:\n${errors}`)))
  })
}

/** Which clients call which app: `shop-client.ts` calls `shop.ts`, any other the page's `app.ts`. */
const clientsOf = (app: string, files: ReadonlyMap<string, string>): string[] => {
  const own = [...files.keys()].filter((file) => file.endsWith('client.ts'))
  const serves = (client: string): boolean => {
    const named = client.replace(/-?client\.ts$/, '.ts')
    return files.has(named) ? named === app : app === 'app.ts'
  }
  return own.filter(serves)
}

const errand = (dir: string, ...args: string[]) =>
  run(process.execPath, [CONDITION, path.join(root, 'src/cli/errand.ts'), ...args], {
    cwd: dir,
    env: environment(dir),
  })

const written = new Map(PAGES.map((page) => [page, write(page)]))

beforeAll(async () => {
  for (const { dir, blocks } of written.values())
    if (blocks.some(({ text }) => text.includes('./clients/')))
      await errand(dir, 'generate', 'app.ts', '--out', 'clients')
})

describe.each(PAGES)('%s', (page) => {
  const { dir, blocks } = written.get(page)!
  const files = new Map(blocks.map(({ file, text }) => [file, text]))
  const pairs = [...files.keys()].flatMap((app) =>
    clientsOf(app, files).map((client) => [client, app] as const),
  )

  const tests = [...files.keys()].filter((file) => file.endsWith('.test.ts'))
  if (tests.length > 0)
    test.each(tests)('%s passes under node --test', async (file) => {
      const { stdout } = await run(process.execPath, [CONDITION, '--test', '--test-reporter=tap', file], {
        cwd: dir,
        env: environment(dir),
      }).catch((error: unknown) => error as { stdout: string })
      expect(Number(/^# pass (\d+)$/m.exec(stdout)?.[1]), stdout).toBeGreaterThan(0)
      expect(stdout).toMatch(/^# fail 0$/m)
    })

  if (pairs.length > 0)
    test.each(pairs)('%s, calling %s, prints what the page says', async (client, app) => {
      const expected = expectedOutput(files.get(client) as string)
      const URL = await serve(dir, app)
      const { stdout } = await run(process.execPath, [CONDITION, client], {
        cwd: dir,
        env: environment(dir, { URL }),
      })
      expect(stdout.trim().split('\n')).toEqual(expected)
      expect(expected.length).toBeGreaterThan(0)
      await stop()
    })
})

// All pages in one program, for most of the work is what they have in common.
test('all of their code type-checks under strict', async () => {
  const config = {
    extends: path.join(root, 'tsconfig.json'),
    compilerOptions: { noEmit: true },
    include: [`${folder}/*/*.ts`],
    exclude: [],
  }
  writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify(config))
  const tsc = path.join(root, 'node_modules/.bin/tsc')
  const checked = await run(tsc, ['-p', folder, '--checkers', '1'], { cwd: folder }).catch(
    (error) => error as { stdout: string },
  )
  expect(checked.stdout).toBe('')
})
