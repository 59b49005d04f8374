import { globSync } from 'node:fs'
import { ROOT } from './root.ts'

/** Files under the root that match, as `src/a.ts`, sorted. Folders of packages and builds are never entered. */
export const findFiles = (...patterns: readonly string[]): string[] =>
  globSync(patterns, {
    cwd: ROOT,
    exclude: (path) => /(^|[/\\])(node_modules|dist|\.git|\.toolchain)$/.test(path),
  })
    .map((file) => file.replaceAll('\\', '/'))
    .toSorted()
