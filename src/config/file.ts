/** The configuration file: found, and read as it stands. */
import { readdirSync, readFileSync } from 'node:fs'
import { relative, resolve } from 'node:path'
import { FORMATS } from './file-formats.ts'
import type { Wrong } from './setting.ts'

/** What a configuration file says. */
export interface ConfigFile {
  /** As it is called in texts: relative to the working directory. */
  readonly name: string
  readonly content: Readonly<Record<string, unknown>>
}

/** The file, if there is one, or what is wrong with it. */
export interface FoundFile {
  readonly file?: ConfigFile
  readonly wrong: readonly Wrong[]
}

const NAMES: ReadonlySet<string> = new Set(Object.keys(FORMATS).map((ending) => `errand.config.${ending}`))

const standing = (dir: string): string[] => {
  try {
    return readdirSync(dir).filter((name) => NAMES.has(name))
  } catch {
    // A working directory that is gone, or that may not be read, has no file for us.
    return []
  }
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const load = (path: string): unknown => {
  const ending = /\.(\w+)$/.exec(path)?.[1] ?? ''
  const format = Object.hasOwn(FORMATS, ending) ? FORMATS[ending] : undefined
  if (!format) throw new Error(`expected a name that ends in ${Object.keys(FORMATS).join(', ')}`)
  return format(readFileSync(path, 'utf8'), path)
}

const read = (path: string, dir: string): FoundFile => {
  const name = relative(dir, path) || path
  try {
    // An empty file of any kind says nothing.
    const content = load(path) ?? {}
    if (isRecord(content)) return { file: { name, content }, wrong: [] }
    return {
      wrong: [
        { at: name, text: 'expected an object of settings, as its default export or its whole content' },
      ],
    }
  } catch (error) {
    return { wrong: [{ at: name, text: `can't be read: ${(error as Error).message}` }] }
  }
}

/**
 * Finds and reads the file.
 * @param named where it is; undefined looks for `errand.config.*` in `dir`
 */
export const readConfigFile = (dir: string, named: string | undefined): FoundFile => {
  if (named !== undefined) return read(resolve(dir, named), dir)
  const [name, ...others] = standing(dir)
  if (name === undefined) return { wrong: [] }
  if (others.length === 0) return read(resolve(dir, name), dir)
  return { wrong: [{ at: name, text: `there is ${others.join(' and ')}, too: keep one of them` }] }
}
