/** Every comment that turns a lint rule off names the rule and, after `--`, says why. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { findFiles } from './lib/files.ts'
import { type Finding, report } from './lib/findings.ts'
import { ROOT } from './lib/root.ts'

// A comment, and not a text that is about one.
const SUPPRESSION = /(?:^|\s)(?:\/\/|\/\*)\s*(?:oxlint|eslint)-disable(?:-next-line|-line)?(?<rest>[^\n]*)/
const REASONED = /^\s+[\w@][\w@/-]*(?:\s*,\s*[\w@/-]+)*\s+--\s+\S.{9,}/

const check = (file: string): Finding[] =>
  readFileSync(join(ROOT, file), 'utf8')
    .split('\n')
    .flatMap((text, index) => {
      const rest = SUPPRESSION.exec(text)?.groups?.['rest']
      return rest === undefined || REASONED.test(rest) ? [] : [toFinding(file, index + 1)]
    })

const toFinding = (file: string, line: number): Finding => ({
  file,
  line,
  what: 'a lint rule is turned off without a reason',
  why: 'the next reader must know whether the exception still holds',
  cure: '// oxlint-disable-next-line typescript/no-explicit-any -- the reason, in a few words',
})

const files = findFiles('{src,tests,scripts,examples}/**/*.{ts,tsx,mjs,js}')
report(files.flatMap(check), `${files.length} files: every turned-off rule has its reason`)
