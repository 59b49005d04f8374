/** The schema of all settings: what one place says is checked against it whole, with zod. */
import { z } from 'zod'
import { showMasked } from './mask.ts'
import { didYouMean } from './near-miss.ts'
import type { Layer, Origin, Said, Setting, Wrong } from './setting.ts'

/** What one place says, and what is wrong with it. */
export interface Read {
  readonly layer: Layer
  readonly wrong: readonly Wrong[]
}

/** A place that says something. */
export interface Place {
  readonly kind: Origin['kind']
  /** For errors: a file, or the environment. */
  readonly at: string
  /** What a setting is called there. */
  readonly name: (path: string) => string
  /** Where exactly it was said. */
  readonly from: (path: string) => string
}

const isGroup = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

const typeOf = ({ rule }: Setting) =>
  z.custom<unknown>((value) => rule.holds(value), rule.expected).optional()

/** All settings. */
export class Schema {
  readonly settings: readonly Setting[]
  readonly #byPath: ReadonlyMap<string, Setting>
  readonly #shorthands: ReadonlyMap<string, string>
  readonly #groups: ReadonlySet<string>
  readonly #zod: z.ZodType

  constructor(settings: readonly Setting[]) {
    this.settings = settings
    this.#byPath = new Map(settings.map((setting) => [setting.path, setting]))
    this.#shorthands = new Map(
      settings.flatMap(({ path, shorthand }) => (shorthand ? [[shorthand, path]] : [])),
    )
    this.#groups = new Set(settings.flatMap(({ path }) => (path.includes('.') ? [path.split('.')[0]!] : [])))
    this.#zod = z.strictObject(Object.fromEntries(settings.map((setting) => [setting.path, typeOf(setting)])))
  }

  get(path: string): Setting | undefined {
    return this.#byPath.get(path)
  }

  /** Nested objects, as in code and in files, by the paths of settings. */
  flatten(nested: object): Record<string, unknown> {
    const flat = Object.entries(nested).flatMap(([key, value]) => this.#entriesOf(key, value))
    return Object.fromEntries(flat.filter(([, value]) => value !== undefined))
  }

  /** What a place says, checked. */
  read(values: Readonly<Record<string, unknown>>, place: Place): Read {
    const said = this.#implied(values)
    const result = this.#zod.safeParse(said)
    const layer = new Map(Object.entries(said).map(([path, value]) => [path, saidAt(place, path, value)]))
    const issues = result.success ? [] : result.error.issues
    return {
      layer,
      wrong: [...issues.flatMap((one) => this.#wrongOf(one, said, place)), ...this.#misplaced(said, place)],
    }
  }

  /** A value as a table has it. */
  text(path: string, value: unknown): string {
    return this.show(path, value).replace(/^"(.*)"$/s, '$1')
  }

  /** A value in a sentence. */
  show(path: string, value: unknown): string {
    return showMasked(value, this.get(path)?.secret ?? false)
  }

  #entriesOf(key: string, value: unknown): [string, unknown][] {
    if (this.#groups.has(key) && isGroup(value)) {
      const inner = Object.entries(value).map(([name, one]): [string, unknown] => [`${key}.${name}`, one])
      return this.#byPath.has(key) ? [[key, true], ...inner] : inner
    }
    return [[this.#shorthands.get(key) ?? key, value]]
  }

  #implied(values: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
    const groups = new Set(Object.keys(values).map((path) => path.split('.')[0]))
    const on = this.settings.filter(({ path, implied }) => implied && groups.has(path) && !(path in values))
    return { ...values, ...Object.fromEntries(on.map(({ path }) => [path, true])) }
  }

  #misplaced(values: Readonly<Record<string, unknown>>, { kind, at, name }: Place): Wrong[] {
    const here = this.settings.filter(({ path, sayable }) => path in values && !sayable.includes(kind))
    return here.map(({ path }) => ({
      at,
      text: `${name(path)} has no meaning here: it says which file or profile to take`,
    }))
  }

  #wrongOf(issue: z.core.$ZodIssue, values: Readonly<Record<string, unknown>>, place: Place): Wrong[] {
    if (issue.code === 'unrecognized_keys')
      return issue.keys.map((key) => this.#unknown(key, values[key], place))
    const path = String(issue.path[0])
    return [
      {
        at: place.at,
        text: `${place.name(path)} is ${this.show(path, values[path])}, expected ${issue.message}`,
      },
    ]
  }

  #unknown(key: string, value: unknown, { at, name }: Place): Wrong {
    if (this.#groups.has(key)) {
      const inner = this.settings.filter(({ path }) => path.startsWith(`${key}.`)).map(({ path }) => path)
      return {
        at,
        text: `${name(key)} is ${showMasked(value, true)}, expected an object with ${inner.join(', ')}`,
      }
    }
    return { at, text: `${name(key)} is unknown: ${didYouMean(key, this.#known(key))}` }
  }

  /** Names that may have been meant: of the same group, or of any. */
  #known(key: string): string[] {
    const [group] = key.split('.')
    const paths = [...this.#byPath.keys()]
    const siblings = key.includes('.') ? paths.filter((path) => path.startsWith(`${group}.`)) : []
    return siblings.length > 0 ? siblings : [...new Set([...this.#groups, ...paths])]
  }
}

const saidAt = ({ kind, from }: Place, path: string, value: unknown): Said => ({
  value,
  origin: { kind, from: from(path) },
})
