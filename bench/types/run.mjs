// What type-checking an application costs: plain tRPC with `.output` against Errand. `--count 500 --from src|dist|<file>`
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import path from 'node:path'
import { root } from '../errand.mjs'
import { readOptions } from '../lib/options.mjs'
import { markdownTable, outFolder, writeReport } from '../lib/report.mjs'
import { fixed } from '../lib/stats.mjs'
import { generate, variants } from './generate.mjs'

const options = readOptions({ count: 500, from: 'src', only: null })
const modules = path.join(root, 'node_modules')
// By its path: a second TypeScript in the repository may own .bin/tsc.
const compiler = path.join(modules, 'typescript/bin/tsc')
const known = { src: path.join(root, 'src/index.ts'), dist: path.join(root, 'dist/index.js') }
const entry = known[options.from] ?? path.resolve(options.from)

const results = Object.entries(variants(entry)).filter(isWanted).map(measure)
print(results)
if (results.some((result) => result.errors.length)) process.exitCode = 1

function isWanted([name]) {
  if (options.only && !options.only.includes(name)) return false
  if (name === 'trpc' || existsSync(entry)) return true
  console.error(`note: ${entry} does not exist, ${name} is left out`)
  return false
}

/** The program, and the same without procedures: what is left is the cost of the procedures, not of checking Errand itself. */
function measure([name, variant]) {
  const check = (label, count) => {
    const folder = path.join(outFolder, 'types', label)
    generate(folder, variant, count, modules)
    return compile(folder)
  }
  const empty = check(`${name}-empty`, 0)
  return { name, empty, ...check(name, options.count) }
}

function compile(folder) {
  const started = performance.now()
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [compiler, '-p', folder, '--checkers', '1', '--extendedDiagnostics', '--pretty', 'false'],
    { encoding: 'utf8', maxBuffer: 2 ** 28 },
  )
  const figure = (label) => Number(stdout.match(new RegExp(`^${label}:\\s+([\\d.]+)`, 'm'))?.[1])
  if (Number.isNaN(figure('Instantiations'))) throw new Error(`the compiler gave no figures:\n${stdout}${stderr}`)
  return {
    wallS: (performance.now() - started) / 1000,
    instantiations: figure('Instantiations'),
    types: figure('Types'),
    checkS: figure('Check time'),
    memoryMb: figure('Memory used') / 1024,
    errors: stdout.split('\n').filter((line) => /error TS\d+/.test(line)),
  }
}

function print(table) {
  const [base] = table
  const own = (result) => result.instantiations - result.empty.instantiations
  const rows = table.map((result) => [
    result.name,
    result.instantiations,
    `**${fixed(result.instantiations / base.instantiations, 2)}**`,
    result.empty.instantiations,
    fixed(own(result) / options.count, 0),
    `**${fixed(own(result) / own(base), 2)}**`,
    result.types,
    fixed(result.checkS, 2),
    fixed(result.memoryMb, 0),
    result.errors.length,
  ])
  const header = [
    'variant',
    'instantiations',
    `of ${base.name}`,
    'with no procedures',
    'per procedure',
    `of ${base.name}`,
    'types',
    'check s',
    'MiB',
    'errors',
  ]
  console.log(
    `\n### Type-check, ${options.count} procedures, Errand from ${options.from}\n\n${markdownTable(header, rows)}`,
  )
  for (const { name, errors } of table) for (const error of errors.slice(0, 5)) console.error(`${name}: ${error}`)
  writeReport('types', { options, table })
}
