/** Generated clients under the strictest compiler options, here and in projects of others. */
import { execFile } from 'node:child_process'
import { mkdtempSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { defaultClientOptions, type ImportExtension } from '../../src/cli/generate/client-options.ts'
import { generateClient } from '../../src/cli/generate/generate-for.ts'

const root = fileURLToPath(new URL('../..', import.meta.url))
const run = promisify(execFile)

const STRICT = {
  module: 'nodenext',
  target: 'es2024',
  strict: true,
  verbatimModuleSyntax: true,
  isolatedModules: true,
  erasableSyntaxOnly: true,
  noUncheckedIndexedAccess: true,
  noImplicitOverride: true,
  noImplicitReturns: true,
  noFallthroughCasesInSwitch: true,
  noUnusedLocals: true,
  noUnusedParameters: true,
  skipLibCheck: true,
  types: ['node'],
}

let folder: string
let project: (extension: ImportExtension) => Promise<string>

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'errand-compile-'))
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  const document = await readFile(join(root, 'clients/quickstart/openapi.json'), 'utf8')
  project = async (extension) => {
    const place = mkdtempSync(join(folder, 'project-'))
    writeFileSync(join(place, 'package.json'), '{ "type": "module" }')
    const files = await generateClient(document, { ...defaultClientOptions, extension })
    for (const [path, text] of files) {
      mkdirSync(dirname(join(place, 'client', path)), { recursive: true })
      writeFileSync(join(place, 'client', path), text)
    }
    return place
  }
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** What the compiler says; nothing when all is well. */
const compile = async (place: string, options: object): Promise<string> => {
  writeFileSync(
    join(place, 'tsconfig.json'),
    JSON.stringify({
      compilerOptions: { ...STRICT, outDir: 'dist', rootDir: '.', ...options },
      include: ['**/*.ts'],
      exclude: ['dist'],
    }),
  )
  const tsc = join(root, 'node_modules/typescript/bin/tsc')
  return run(process.execPath, [tsc, '-p', place, '--checkers', '1']).then(
    () => '',
    ({ stdout }: { stdout: string }) => stdout,
  )
}

describe('a generated client compiles', () => {
  test('where .ts imports are rewritten, optional properties exact', async () => {
    const place = await project('.ts')
    expect(
      await compile(place, { rewriteRelativeImportExtensions: true, exactOptionalPropertyTypes: true }),
    ).toBe('')
    const built = await import(join(place, 'dist/client/index.js'))
    expect(built.usersGet).toBeTypeOf('function')
  })

  test('where a bundler takes .ts imports, with the types of a browser', async () => {
    const browser = {
      lib: ['es2024', 'dom', 'dom.iterable'],
      types: [],
      module: 'preserve',
      moduleResolution: 'bundler',
    }
    expect(
      await compile(await project('.ts'), { ...browser, allowImportingTsExtensions: true, noEmit: true }),
    ).toBe('')
  })

  test('where tsc leaves imports alone', async () => {
    const place = await project('.js')
    expect(await compile(place, {})).toBe('')
    const built = await import(join(place, 'dist/client/index.js'))
    expect(built.usersGet).toBeTypeOf('function')
  })

  test('and a wrong call does not', async () => {
    const place = await project('.ts')
    writeFileSync(
      join(place, 'use.ts'),
      `import { add, usersGet, ticks } from './client/index.ts'
       import { addOptions } from './client/@tanstack/react-query.gen.ts'
       const sum: number | undefined = (await add({ body: { a: 1, b: 2 } })).data
       await add({ body: { a: '1', b: 2 } })
       await usersGet({ path: {} })
       for await (const { tick } of (await ticks({ body: {} })).stream) tick.toUpperCase()
       addOptions({ body: {} })
       export { sum }`,
    )
    const complaints = await compile(place, { rewriteRelativeImportExtensions: true, noEmit: true })
    const lines = [...complaints.matchAll(/use\.ts\((\d+),/g)].map((match) => Number(match[1]))
    expect([...new Set(lines)]).toEqual([4, 5, 6, 7])
  })
})
