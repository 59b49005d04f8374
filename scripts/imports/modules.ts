/** The files of src with what each import leads to. */
import { posix } from 'node:path'
import { type Import, readImports } from './read-imports.ts'

export interface Link extends Import {
  /** The file in the repository, for a relative import. */
  readonly target?: string
  /** The package, for any other; `node:` for Node's own. */
  readonly package?: string
}

export interface Module {
  readonly file: string
  readonly links: readonly Link[]
}

export type Modules = ReadonlyMap<string, Module>

/** From texts by path, as `src/a.ts`. */
export const toModules = (texts: ReadonlyMap<string, string>): Modules =>
  new Map(
    [...texts].map(([file, text]) => [
      file,
      { file, links: readImports(file, text).map((one) => toLink(file, one)) },
    ]),
  )

const toLink = (file: string, found: Import): Link =>
  found.specifier.startsWith('.')
    ? { ...found, target: posix.join(posix.dirname(file), found.specifier) }
    : { ...found, package: packageOf(found.specifier) }

/** `@trpc/server/adapters/fetch` → `@trpc/server`, `node:fs` → `node:`. */
const packageOf = (specifier: string): string =>
  specifier.startsWith('node:') ? 'node:' : specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')

/** `src/tasks/engine.ts` → `tasks`, `src/app.ts` and `src/app-routes.ts` → `app`. */
export const ringOf = (file: string): string => file.split('/')[1]?.replace(/(-[^/]*)?\.ts$/, '') ?? ''
