/** Holds src to its rings: see scripts/imports/rings.ts. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkImports, type Manifest } from './imports/check.ts'
import { findFiles } from './lib/files.ts'
import { report } from './lib/findings.ts'
import { ROOT } from './lib/root.ts'

const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8')

const files = findFiles('src/**/*.ts', 'src/**/*.tsx')
const texts = new Map(files.map((file) => [file, read(file)]))
const manifest = JSON.parse(read('package.json')) as Manifest

report(
  checkImports(texts, manifest),
  `${files.length} files: every import points to an earlier ring, none in a circle`,
)
