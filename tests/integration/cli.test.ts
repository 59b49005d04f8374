/** The `errand` command, run as a user runs it: what it prints, writes and exits with. */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { until } from '../support/until.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const QUICKSTART = join(root, 'examples/quickstart/app.ts')

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'errand-cli-'))
  mkdirSync(join(folder, 'node_modules'))
  symlinkSync(root, join(folder, 'node_modules/errand'))
  symlinkSync(join(root, 'node_modules/zod'), join(folder, 'node_modules/zod'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Running {
  readonly process: ChildProcess
  output(): string
  errors(): string
  ended: Promise<number | null>
}

let runs = 0
const startOn = (options: string[], ...args: string[]): Running => {
  let [output, errors] = ['', '']
  const child = spawn(process.execPath, [...options, join(root, 'src/cli/errand.ts'), ...args], {
    cwd: folder,
    env: { ...process.env, ERRAND_DATA: join(folder, `data-${runs++}`), NO_COLOR: '1', NODE_OPTIONS: '' },
  })
  child.stdout.on('data', (text: Buffer) => (output += text))
  child.stderr.on('data', (text: Buffer) => (errors += text))
  onTestFinished(() => void child.kill('SIGKILL'))
  return {
    process: child,
    output: () => output,
    errors: () => errors,
    ended: new Promise((resolve) => child.once('close', resolve)),
  }
}

const start = (...args: string[]): Running => startOn([], ...args)

/** What a run that ends by itself gave. */
const errandOn = async (options: string[], ...args: string[]) => {
  const running = startOn(options, ...args)
  const code = await running.ended
  return { code, output: running.output(), errors: running.errors() }
}
const errand = (...args: string[]) => errandOn([], ...args)

const module = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text)
  return name
}

const APP = `
import { createApp, procedure } from 'errand'
import { z } from 'zod'
const ping = procedure.query({ input: z.void(), output: z.literal('pong'), handler: () => 'pong' as const })
`

describe('errand', () => {
  test('shows how it is used', async () => {
    const { code, output } = await errand('--help')
    expect(code).toBe(0)
    for (const word of ['serve', 'openapi', 'generate', '--check', 'app.ts']) expect(output).toContain(word)
  })

  test('tells its version', async () => {
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    expect((await errand('--version')).output.trim()).toBe(version)
  })

  test('guesses what was meant', async () => {
    const { code, errors } = await errand('sreve', 'app.ts')
    expect(code).toBe(1)
    expect(errors).toContain('Did you mean serve?')
  })

  test.each([
    ['20.19.5', 1],
    ['22.17.1', 1],
    ['22.18.0', 0],
    ['24.0.0', 0],
  ])('looks at the version of Node before anything else: %s', async (version, code) => {
    const pretend = module(
      'pretend.mjs',
      `const versions = { ...process.versions, node: '${version}' }
       Object.defineProperty(process, 'versions', { value: versions })`,
    )
    const ended = await errandOn(['--import', `./${pretend}`], '--version')
    expect(ended.code).toBe(code)
    expect(ended.errors).toContain(code ? `errand needs Node 22.18 or newer, and this is ${version}: ` : '')
    expect(ended.errors).not.toContain('    at ')
  })

  test('imports nothing that an older Node would have to read first', () => {
    const source = readFileSync(join(root, 'src/cli/errand.ts'), 'utf8')
    expect(source).not.toMatch(/^(import|export) .*'/m)
  })
})

describe('the app', () => {
  const refused = async (file: string) => {
    const { code, output, errors } = await errand('openapi', file)
    expect([code, output]).toEqual([1, ''])
    expect(errors).not.toContain('node:internal')
    return errors
  }

  test('may be the default export or named app', async () => {
    const named = module('named.ts', `${APP} export const app = createApp({ ping })`)
    expect(JSON.parse((await errand('openapi', named)).output).paths).toHaveProperty('/ping')
  })

  test('may hold the process open', async () => {
    const busy = module('busy.ts', `${APP} export default createApp({ ping }); setInterval(() => {}, 1000)`)
    expect((await errand('openapi', busy)).code).toBe(0)
  })

  test('must be there', async () => {
    module('app.ts', `${APP} export default createApp({ ping })`)
    expect(await refused('aap.ts')).toMatch(/There is no aap\.ts .* There is app\.ts here\./)
    expect(await refused('node_modules')).toContain('is not a file')
  })

  test('must be exported', async () => {
    const none = await refused(module('none.ts', 'export const add = 1; export default {}'))
    expect(none).toContain('none.ts exports no app. It exports add, default.')
    const other = await refused(module('other.ts', `${APP} export const server = createApp({ ping })`))
    expect(other).toContain('`server` is an app: export it as `app`, or as the default.')
  })

  test('may be in the module beside the one that starts it', async () => {
    mkdirSync(join(folder, 'service'))
    const main = module('service/main.ts', 'export {}')
    expect(await refused(main)).not.toContain('is it in')
    module('service/app.ts', `${APP} export default createApp({ ping })`)
    expect(await refused(main)).toContain('service/main.ts exports no app. It exports nothing.')
    expect(await refused(main)).toContain('is it in service/app.ts?')
    module('service/app.ts', 'export {}')
    expect(await refused('service/app.ts')).not.toContain('is it in')
  })

  test('must not throw when it is imported', async () => {
    const errors = await refused(module('throws.ts', "export {}\nthrow new Error('no DATABASE_URL')"))
    expect(errors).toMatch(/throws\.ts threw when it was imported:\n\nError: no DATABASE_URL\n.*throws\.ts:2/)
  })

  test('must be one that createApp takes', async () => {
    const bad = `${APP} export default createApp({ ping: { ...ping }, then: ping })`
    const errors = await refused(module('bad.ts', bad))
    expect(errors).toMatch(/^bad\.ts: createApp can't serve this:\n {2}- then: /)
    expect(errors).not.toContain('    at ')
  })

  test('must be TypeScript whose types can be dropped', async () => {
    const errors = await refused(module('enum.ts', 'export default 1\nenum Color { Red }'))
    expect(errors).toContain('TypeScript enum is not supported')
    expect(errors).toContain('enum.ts:2')
    expect(errors).toContain('erasableSyntaxOnly')
    expect(await refused(module('syntax.ts', 'export default ('))).toContain('correct it')
    expect(await refused(module('view.tsx', 'export default 1'))).toContain('.ts, .mts, .js and .mjs')
  })

  test('must import what is there', async () => {
    module('users.ts', 'export {}')
    expect(await refused(module('bare.ts', "import './users'"))).toContain('add .ts to that one')
    expect(await refused(module('lost.ts', "import 'nowhere-to-be-found'"))).toContain('install the package')
  })
})

describe('errand openapi', () => {
  test('writes the document to standard output, and the same to a file', async () => {
    const { code, output } = await errand('openapi', QUICKSTART)
    expect(code).toBe(0)
    const document = JSON.parse(output)
    expect(document.openapi).toMatch(/^3\.1/)
    expect(Object.keys(document.paths)).toEqual(Object.keys(document.paths).sort())
    const toFile = await errand('openapi', QUICKSTART, '--out', 'api/openapi.json')
    expect([toFile.code, toFile.output]).toEqual([0, 'api/openapi.json is written.\n'])
    expect(readFileSync(join(folder, 'api/openapi.json'), 'utf8')).toBe(output)
  })
})

describe('errand serve', () => {
  const serving = async (...args: string[]) => {
    const running = start('serve', QUICKSTART, '--port', '0', ...args)
    const url = await until('the address', () => /served at (\S+)[^]*Ctrl/.exec(running.output())?.[1])
    return { ...running, url }
  }

  test('serves, says where, and closes on a signal', async () => {
    const running = await serving()
    expect(running.output()).toContain(`${running.url}/docs`)
    expect((await fetch(`${running.url}/docs`)).status).toBe(200)
    const answer = await fetch(`${running.url}/add`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"a":1,"b":2}',
    })
    expect(await answer.json()).toBe(3)
    running.process.kill('SIGTERM')
    expect(await running.ended).toBe(0)
    expect(running.output()).toContain('SIGTERM: closing')
  })

  test('lets a running task end at the first signal, and ends at once at the second', async () => {
    const running = await serving()
    const started = await fetch(`${running.url}/countPrimes?async=true`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{"below":1000000000}',
    })
    const { links } = (await started.json()) as { links: { self: string } }
    const status = async () =>
      ((await (await fetch(running.url + links.self)).json()) as { status: string }).status
    await until('running', async () => (await status()) === 'running')
    running.process.kill('SIGINT')
    await until('closing', () => running.output().includes('SIGINT: closing'))
    expect(running.process.exitCode).toBeNull()
    // What comes at once is taken for the same signal.
    const timer = setInterval(() => running.process.kill('SIGINT'), 100)
    expect(await running.ended).toBe(130)
    clearInterval(timer)
  })

  test('says what to do about a port that is taken, or is none', async () => {
    const first = await serving()
    const { code, errors } = await errand('serve', QUICKSTART, '--port', new URL(first.url).port)
    expect(code).toBe(1)
    expect(errors).toMatch(/app\.ts can't be served: Port \d+ on 127\.0\.0\.1 is taken: /)
    expect((await errand('serve', QUICKSTART, '--port', '70000')).errors).toContain(
      'from 0 (any free port) to 65535',
    )
  })
})

describe('errand config', () => {
  const run = async (env: Record<string, string>, ...args: string[]) => {
    Object.assign(process.env, env)
    try {
      return await errand('config', ...args)
    } finally {
      for (const name of Object.keys(env)) delete process.env[name]
    }
  }

  test('prints what holds of an app and where that was said, without passwords', async () => {
    const file = module(
      'configured.ts',
      `${APP} export default createApp({ ping }, { trustProxy: 2, config: 'configured.json' })`,
    )
    writeFileSync(join(folder, 'configured.json'), '{ "limits": { "url": 99 } }')
    const { code, output, errors } = await run(
      { ERRAND_RATE_LIMIT_STORE: 'redis://me:hunter2@h', ERRAND_RATE_LIMIT: '9/1m' },
      file,
    )
    expect([code, errors]).toEqual([0, ''])
    const line = (setting: string) =>
      output
        .split('\n')
        .find((text) => text.startsWith(`${setting} `))
        ?.split(/ {2,}/)
    expect(line('trustProxy')).toEqual(['trustProxy', '2', 'code', 'ERRAND_TRUST_PROXY'])
    expect(line('limits.url')?.slice(1, 3)).toEqual(['99', 'configured.json: limits.url'])
    expect(line('rateLimit.store')?.slice(1, 3)).toEqual(['redis://***@h', 'ERRAND_RATE_LIMIT_STORE'])
    expect(line('limits.headers')?.slice(1, 3)).toEqual(['100', 'default'])
    expect(output).not.toContain('hunter2')
  })

  test('says what is outside the code where it is given no app, also as JSON', async () => {
    const { code, output } = await run({ ERRAND_PREFIX: '/v1' }, '--json')
    expect(code).toBe(0)
    expect(JSON.parse(output)).toContainEqual({
      path: 'prefix',
      variable: 'ERRAND_PREFIX',
      value: '/v1',
      from: 'ERRAND_PREFIX',
    })
  })

  test('fails with everything that is wrong', async () => {
    const { code, errors } = await run({ ERRAND_PREFX: '/v1', ERRAND_PORT: 'x' })
    expect(code).toBe(1)
    expect(errors).toContain('environment: ERRAND_PREFX is unknown: did you mean ERRAND_PREFIX?')
    expect(errors).toContain('ERRAND_PORT is "x", expected a whole number from 0 to 65535')
    expect(errors).not.toContain('    at ')
  })
})
