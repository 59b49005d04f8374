/** What the environment says: `ERRAND_…` variables, and files that `ERRAND_…_FILE` name, as secrets come in. */
import { readFileSync } from 'node:fs'
import { didYouMean } from './near-miss.ts'
import type { Read, Schema } from './schema.ts'
import { isServiceLink } from './service-links.ts'
import type { Setting, Wrong } from './setting.ts'

/** Variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>

const AT = 'environment'
const PREFIX = 'ERRAND_'
const IN_FILE = '_FILE'

interface Found {
  readonly setting: Setting
  readonly variable: string
  readonly text: string
}

class EnvironmentReader {
  readonly wrong: Wrong[] = []
  readonly found = new Map<string, Found>()
  readonly #byVariable: ReadonlyMap<string, Setting>

  constructor(settings: readonly Setting[]) {
    this.#byVariable = new Map(settings.map((setting) => [setting.variable, setting]))
  }

  read(name: string, text: string): void {
    const direct = this.#byVariable.get(name)
    const filed = name.endsWith(IN_FILE) ? this.#byVariable.get(name.slice(0, -IN_FILE.length)) : undefined
    if (direct) this.#add({ setting: direct, variable: name, text })
    else if (filed) this.#readFile(filed, name, text)
    else this.#complain(`${name} is unknown: ${this.#advice(name)}`)
  }

  #readFile(setting: Setting, variable: string, file: string): void {
    try {
      // Editors and `echo` end a file with a line break, which no value has.
      this.#add({ setting, variable, text: readFileSync(file, 'utf8').replace(/\r?\n$/, '') })
    } catch (error) {
      this.#complain(`${variable} names the file ${file}, which can't be read: ${(error as Error).message}`)
    }
  }

  #add(found: Found): void {
    const other = this.found.get(found.setting.path)
    if (other) this.#complain(`${other.variable} and ${found.variable} say the same: leave one of them out`)
    this.found.set(found.setting.path, found)
  }

  #advice(name: string): string {
    const advice = didYouMean(name, [...this.#byVariable.keys()])
    return advice.startsWith('did') ? advice : 'no setting has that name; `errand config` shows all of them'
  }

  #complain(text: string): void {
    this.wrong.push({ at: AT, text })
  }
}

/** What the environment says. A variable that is empty says nothing. */
export const readEnvironment = (schema: Schema, environment: Environment): Read => {
  const reader = new EnvironmentReader(schema.settings)
  for (const [name, text] of Object.entries(environment))
    if (name.startsWith(PREFIX) && text && !isServiceLink(name, text)) reader.read(name, text)
  const { found } = reader
  const values = Object.fromEntries([...found].map(([path, { setting, text }]) => [path, setting.read(text)]))
  // What is implied has no variable of its own.
  const name = (path: string): string => found.get(path)?.variable ?? AT
  const { layer, wrong } = schema.read(values, { kind: 'environment', at: AT, name, from: name })
  return { layer, wrong: [...reader.wrong, ...wrong] }
}
