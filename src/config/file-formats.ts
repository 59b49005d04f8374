/** How a configuration file is read, by what its name ends in. Without waiting: an app is made in one go. */
import { createRequire } from 'node:module'

/** Gives what the file says. Throws what is wrong with it. */
type Format = (text: string, file: string) => unknown

const require = createRequire(import.meta.url)

/** @throws Error with the line that installs the package, when it is missing */
const optionalPeer = <T>(name: string, load: () => T): T => {
  try {
    return load()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'MODULE_NOT_FOUND') throw error
    throw new Error(`it needs the package ${name}, which this project lacks: npm install ${name}`, {
      cause: error,
    })
  }
}

const toml: Format = (text) =>
  optionalPeer('smol-toml', () => require('smol-toml') as typeof import('smol-toml')).parse(text)

const yaml: Format = (text) =>
  optionalPeer('yaml', () => require('yaml') as typeof import('yaml')).parse(text)

const HINTS: Readonly<Record<string, string>> = {
  ERR_REQUIRE_ASYNC_MODULE:
    'it, or a module that it imports, has a top-level await, and an app is made without waiting',
  ERR_REQUIRE_CYCLE_MODULE: 'it imports the module that makes the app: import types from there, and no more',
}

const code: Format = (_, file) => {
  try {
    const module = require(file) as { readonly default?: unknown }
    return module.default ?? module
  } catch (error) {
    throw new Error(HINTS[(error as NodeJS.ErrnoException).code ?? ''] ?? (error as Error).message, {
      cause: error,
    })
  }
}

/** By the ending of the name. */
export const FORMATS: Readonly<Record<string, Format>> = {
  ts: code,
  mts: code,
  js: code,
  mjs: code,
  cjs: code,
  json: (text) => JSON.parse(text) as unknown,
  toml,
  yaml,
  yml: yaml,
}
