/** Why a user's module can't be imported, and what to try. */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { CliError } from './cli-error.ts'

type Failure = Error & { readonly code?: string; readonly url?: string }

const EXTENSIONS = ['.ts', '.mts', '.js', '.mjs', '/index.ts', '/index.js']

// Node wants the extension in an import; other tools don't.
const missingModule = ({ url }: Failure): string => {
  const found = url?.startsWith('file:')
    ? EXTENSIONS.find((extension) => existsSync(fileURLToPath(url) + extension))
    : undefined
  return found
    ? `Node needs whole file names in imports: add ${found} to that one.`
    : 'Check the path of that import, or install the package.'
}

const CANT_STRIP =
  'Node runs TypeScript by dropping the types, so nothing may be more than a type: no enum, namespace, parameter\n' +
  'property, import = or decorator. Write it without (erasableSyntaxOnly in tsconfig.json finds the places), or\n' +
  'build first and give the .js file.'

const HINTS: Readonly<Record<string, (error: Failure) => string>> = {
  ERR_MODULE_NOT_FOUND: missingModule,
  ERR_UNSUPPORTED_DIR_IMPORT: missingModule,
  ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX: () => CANT_STRIP,
  ERR_INVALID_TYPESCRIPT_SYNTAX: () =>
    'That is not TypeScript that Node can read: correct it, and run again.',
  ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING: () =>
    'Node strips no types inside node_modules: that package must be built to .js first.',
  ERR_UNKNOWN_FILE_EXTENSION: () =>
    'Node runs .ts, .mts, .js and .mjs files: give one of those, built if need be.',
}

// Node puts the place and its lines before the stack, where it is the text that it can't read.
const placeOf = ({ stack = '', message }: Failure): string =>
  stack.slice(0, stack.indexOf(message)).includes('\n\n') ? `${stack.split('\n\n')[0]}\n\n` : ''

const ownStack = (error: Error): string =>
  (error.stack ?? error.message)
    .split('\n')
    .filter((line) => !/^\s+at .*\bnode:/.test(line))
    .join('\n')

/** A module that threw, or that Node can't load. */
export const importError = (file: string, cause: unknown): CliError => {
  const error = cause as Failure
  const hint = HINTS[error?.code ?? '']
  if (hint)
    return new CliError(`${file} can't be imported: ${error.message}\n${placeOf(error)}${hint(error)}`, {
      cause,
    })
  // Its message names every procedure and the cure; where createApp was called is known.
  if (error?.name === 'DeclarationError') return new CliError(`${file}: ${error.message}`, { cause })
  const shown = error instanceof Error ? ownStack(error) : String(error)
  return new CliError(`${file} threw when it was imported:\n\n${shown}`, { cause })
}
