/** Finds the app that a user's module exports. */
import { existsSync, statSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { basename, dirname, join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { App } from '../app.ts'
import { isSource } from '../tasks/executors/exec-argv.ts'
import { CliError } from './cli-error.ts'
import { importError } from './import-error.ts'

/** What a command needs of an app. */
export type LoadedApp = Pick<App, 'openapi' | 'listen' | 'routes' | 'config' | 'close'>

// The user's module may load another copy of this package, so it's told by what it can do.
const isApp = (value: unknown): value is LoadedApp =>
  typeof value === 'object' &&
  value !== null &&
  (['openapi', 'listen', 'routes', 'config', 'close'] satisfies (keyof LoadedApp)[]).every(
    (name) => typeof (value as Record<string, unknown>)[name] === 'function',
  )

const PLACES = ['app.ts', 'src/app.ts', 'app.js', 'dist/app.js']

const elsewhere = (): string => {
  const found = PLACES.filter((place) => existsSync(place))
  return found.length > 0 ? ` There is ${found.join(' and ')} here.` : ''
}

const checkFile = (file: string, path: string): void => {
  const found = statSync(path, { throwIfNoEntry: false })
  if (!found)
    throw new CliError(
      `There is no ${file} (it would be ${path}).${elsewhere()}\nGive the module that exports the app.`,
    )
  if (!found.isFile())
    throw new CliError(`${file} is not a file. Give the module that exports the app, such as ${file}/app.ts.`)
}

const exportsOf = (module: object): string => {
  const names = Object.keys(module)
  return names.length > 0 ? `It exports ${names.join(', ')}.` : 'It exports nothing.'
}

const NAMES = ['app.ts', 'app.mts', 'app.js', 'app.mjs']

/** A module that starts an app often has the app beside it. */
const besides = (file: string): string => {
  const found = NAMES.find((name) => name !== basename(file) && existsSync(join(dirname(file), name)))
  return found ? `\nOr is it in ${join(dirname(file), found)}?` : ''
}

const adviceFor = (module: object, file: string): string => {
  const name = Object.entries(module).find(([, value]) => isApp(value))?.[0]
  if (name) return `\`${name}\` is an app: export it as \`app\`, or as the default.`
  return `Expected a default export, or one named \`app\`: export default createApp({ … }).${besides(file)}`
}

const appOf = (module: Readonly<Record<string, unknown>>, file: string): LoadedApp => {
  for (const value of [module['default'], module['app']]) if (isApp(value)) return value
  throw new CliError(`${file} exports no app. ${exportsOf(module)}\n${adviceFor(module, file)}`)
}

/** In Errand's own repository, run from source: a module's `import 'errand'` then finds the source too. */
const findSource = (): void => {
  registerHooks({
    resolve: (specifier, context, next) =>
      next(specifier, { ...context, conditions: [...context.conditions, 'errand-source'] }),
  })
}

let prepared = !isSource

/**
 * Imports a module and finds its app: the default export, or the one named `app`.
 *
 * @param file relative to the working directory
 * @throws CliError that says why there is none and what to try
 */
export const loadApp = async (file: string): Promise<LoadedApp> => {
  const path = resolve(file)
  checkFile(file, path)
  if (!prepared) findSource()
  prepared = true
  const module = await import(pathToFileURL(path).href).catch((error: unknown) => {
    throw importError(file, error)
  })
  return appOf(module as Record<string, unknown>, file)
}
