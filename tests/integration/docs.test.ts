/** The code in README and docs runs, type-checks, and prints what the page says it prints. */
import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { afterAll, describe, expect, test } from 'vitest'

const root = path.resolve(import.meta.dirname, '../..')
const PAGES = ['README.md', 'docs/guide.md']
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

afterAll(() => {
  for (const child of running) child.kill('SIGKILL')
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

const clientOf = (file: string): string =>
  file === 'app.ts' ? 'client.ts' : file.replace('.ts', '-client.ts')

describe.each(PAGES)('%s', (page) => {
  const { dir, blocks } = write(page)
  const files = new Map(blocks.map(({ file, text }) => [file, text]))
  const apps = blocks.map(({ file }) => file).filter((file) => files.has(clientOf(file)))

  test.each(apps)('%s serves its client, which prints what the page says', async (app) => {
    const client = clientOf(app)
    const expected = expectedOutput(files.get(client) as string)
    const URL = await serve(dir, app)
    const { stdout } = await run(process.execPath, [CONDITION, client], {
      cwd: dir,
      env: environment(dir, { URL }),
    })
    expect(stdout.trim().split('\n')).toEqual(expected)
    expect(expected.length).toBeGreaterThan(0)
  })

  test('its code type-checks under strict', async () => {
    const config = {
      extends: path.join(root, 'tsconfig.json'),
      compilerOptions: { noEmit: true, noPropertyAccessFromIndexSignature: false },
      include: [`${dir}/*.ts`],
    }
    writeFileSync(path.join(dir, 'tsconfig.json'), JSON.stringify(config))
    const tsc = path.join(root, 'node_modules/.bin/tsc')
    const checked = await run(tsc, ['-p', dir, '--checkers', '1'], { cwd: dir }).catch(
      (error) => error as { stdout: string },
    )
    expect(checked.stdout).toBe('')
  })
})
