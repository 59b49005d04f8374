// Writes an application of N procedures, and a client that calls each, in one of the variants below.
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'

const perGroup = 20

const input = (i) =>
  `z.object({ id: z.string(), count: z.number().int().min(0), name: z.string().optional(), tags: z.array(z.string()), kind: z.enum(['a', 'b']), f${i}: z.number() })`
const output = (i) =>
  `z.object({ id: z.string(), total: z.number(), items: z.array(z.object({ n: z.number(), s: z.string() })), o${i}: z.string().nullable() })`
const handler = (i) => `({ input }) => ({ id: input.id, total: input.count, items: [], o${i}: null })`
const kind = (i) => (i % 2 ? 'mutation' : 'query')
const range = (from, to) => Array.from({ length: to - from }, (_, i) => from + i)

const trpc = {
  files: { 't.ts': `import { initTRPC } from '@trpc/server'\nexport const t = initTRPC.create()\n` },
  groupImport: `import { t } from './t.ts'`,
  group: (name, lines) => `export const ${name} = t.router({\n${lines}\n})`,
  procedure: (i) => `t.procedure.input(${input(i)}).output(${output(i)}).${kind(i)}(${handler(i)})`,
  app: (groups) => `import { t } from './t.ts'\nexport const router = t.router({ ${groups} })`,
  call: (i) => (i % 2 ? 'mutate' : 'query'),
}

const errand = (entry, { isTask = () => false, hasErrors = () => false } = {}) => ({
  files: {},
  groupImport: `import { procedure } from '${entry}'`,
  group: (name, lines) => `export const ${name} = {\n${lines}\n}`,
  procedure: (i) =>
    `procedure.${isTask(i) ? 'task' : kind(i)}({ input: ${input(i)}, output: ${output(i)}, ${hasErrors(i) ? declaredErrors : ''}handler: ${handler(i)} })`,
  app: (groups) =>
    `import { createApp } from '${entry}'\nconst app = createApp({ ${groups} })\nexport const router = app.router`,
  call: (i) => (isTask(i) ? 'run.mutate' : trpc.call(i)),
})
const declaredErrors = 'errors: { NOPE: { status: 409, data: z.object({ sku: z.string() }) } }, '

/** The variants by name; `entry` is how generated code imports Errand. */
export const variants = (entry) => ({
  trpc,
  errand: errand(entry),
  'errand-mixed': errand(entry, { isTask: (i) => i % 10 === 0, hasErrors: (i) => i % 4 === 1 }), // 10 % tasks, 25 % with errors
})

/** Writes one program into `folder`, with `modules` as its node_modules: one zod and one tRPC for all of it. */
export function generate(folder, variant, count, modules) {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  symlinkSync(modules, path.join(folder, 'node_modules'))
  const groups = range(0, Math.ceil(count / perGroup)).map((g) => ({
    name: `g${g}`,
    members: range(g * perGroup, Math.min(count, (g + 1) * perGroup)),
  }))
  const files = {
    ...variant.files,
    ...Object.fromEntries(groups.map((group) => [`${group.name}.ts`, groupFile(variant, group)])),
    'app.ts': appFile(variant, groups),
    'client.ts': clientFile(variant, groups),
    'tsconfig.json': JSON.stringify({ compilerOptions, files: ['client.ts', 'app.ts'] }, null, 2),
    'package.json': '{ "type": "module" }',
  }
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text)
}

const compilerOptions = {
  module: 'nodenext',
  target: 'esnext',
  strict: true,
  skipLibCheck: true,
  noEmit: true,
  allowImportingTsExtensions: true,
  types: ['node'],
}

function groupFile(variant, { name, members }) {
  const lines = members.map((i) => `  p${i}: ${variant.procedure(i)},`).join('\n')
  return `import { z } from 'zod'\n${variant.groupImport}\n${variant.group(name, lines)}\n`
}

function appFile(variant, groups) {
  const imports = groups.map(({ name }) => `import { ${name} } from './${name}.ts'`).join('\n')
  return `${imports}\n${variant.app(groups.map(({ name }) => name).join(', '))}\n`
}

function clientFile(variant, groups) {
  const call = (name, i) =>
    `  ;(await client.${name}.p${i}.${variant.call(i)}({ id: '', count: 1, tags: [], kind: 'a', f${i}: 1 })).total satisfies number`
  const calls = groups.flatMap(({ name, members }) => members.map((i) => call(name, i))).join('\n')
  return `import { createTRPCClient } from '@trpc/client'
import type { router } from './app.ts'
const client = createTRPCClient<typeof router>({ links: [] })
export async function callAll() {
${calls || '  void client'}
}
`
}
