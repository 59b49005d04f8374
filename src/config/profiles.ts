/** Profiles: settings under a name. Three are built in; a project has its own, each on top of another. */
import { didYouMean } from './near-miss.ts'
import type { Place, Schema } from './schema.ts'
import type { Layer, Wrong } from './setting.ts'

/** The profiles that are built in. What is shown and what may be left open hangs on them. */
export type BaseProfile = 'development' | 'production' | 'test'

/** What they say. */
const BUILT_IN: Readonly<Record<BaseProfile, object>> = {
  development: {},
  production: {},
  // A test that keeps its own process busy is not refused for it.
  test: { limits: { eventLoopDelay: false } },
}

const isBase = (name: string): name is BaseProfile => Object.hasOwn(BUILT_IN, name)

/** Profiles as one place defines them. */
export interface Definitions {
  /** The file, or `createApp`. */
  readonly at: string
  readonly profiles: unknown
}

/** A profile in force. */
export interface ProfileInForce {
  readonly name: string
  readonly base: BaseProfile
  /** The first that says something wins. */
  readonly layers: readonly Layer[]
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** All profiles of an app. */
export class Profiles {
  readonly wrong: Wrong[] = []
  readonly #schema: Schema
  readonly #layers = new Map<string, Layer[]>()
  readonly #parents = new Map<string, string>()

  /** @param definitions where the first to say something wins */
  constructor(schema: Schema, definitions: readonly Definitions[]) {
    this.#schema = schema
    for (const one of definitions) this.#define(one)
    for (const [name, settings] of Object.entries(BUILT_IN)) this.#add(name, settings, 'built in')
    this.#checkParents()
  }

  has(name: string): boolean {
    return this.#layers.has(name)
  }

  /** What must be told of a name that no profile has. */
  unknown(at: string, said: string, name: unknown): Wrong {
    const text = `${said} is ${JSON.stringify(name)}, which is no profile: ${didYouMean(String(name), [...this.#layers.keys()])}`
    return { at, text }
  }

  /** A profile with all that it is on top of. */
  get(name: string): ProfileInForce {
    const layers: Layer[] = []
    const seen = new Set<string>()
    let current = name
    for (; !seen.has(current); current = this.#parentOf(current)) {
      seen.add(current)
      layers.push(...(this.#layers.get(current) ?? []))
      if (isBase(current)) return { name, base: current, layers }
    }
    return { name, base: 'production', layers }
  }

  // Whoever names a profile of his own and says no more wants it safe.
  #parentOf(name: string): string {
    return this.#parents.get(name) ?? 'production'
  }

  #define({ at, profiles }: Definitions): void {
    if (profiles === undefined) return
    if (!isRecord(profiles)) return this.#complain(at, 'profiles: expected an object of profiles by name')
    for (const [name, profile] of Object.entries(profiles)) {
      if (!isRecord(profile)) {
        this.#complain(at, `profiles.${name}: expected an object of settings`)
        continue
      }
      const { extends: parent, ...settings } = profile
      this.#inherit(at, name, parent)
      this.#add(name, settings, at)
    }
  }

  #inherit(at: string, name: string, parent: unknown): void {
    if (parent === undefined) return
    if (isBase(name)) this.#complain(at, `profiles.${name}.extends: ${name} is built in, and extends none`)
    else if (typeof parent !== 'string')
      this.#complain(at, `profiles.${name}.extends: expected the name of a profile`)
    else if (!this.#parents.has(name)) this.#parents.set(name, parent)
  }

  #add(name: string, settings: object, at: string): void {
    const place: Place = {
      kind: 'profile',
      at,
      name: (path) => `profiles.${name}.${path}`,
      from: () => (at === 'built in' ? `profile ${name}` : `profile ${name} (${at})`),
    }
    const { layer, wrong } = this.#schema.read(this.#schema.flatten(settings), place)
    this.wrong.push(...wrong)
    this.#layers.set(name, [...(this.#layers.get(name) ?? []), layer])
  }

  #checkParents(): void {
    for (const [name, parent] of this.#parents) {
      const said = `profiles.${name}.extends`
      if (!this.has(parent)) this.wrong.push(this.unknown('profiles', said, parent))
      else if (this.#comesBack(name))
        this.#complain('profiles', `${said} is ${JSON.stringify(parent)}, which leads back to it`)
    }
  }

  #comesBack(name: string): boolean {
    const seen = new Set<string>()
    for (
      let current: string | undefined = name;
      current !== undefined;
      current = this.#parents.get(current)
    ) {
      if (seen.has(current)) return true
      seen.add(current)
    }
    return false
  }

  #complain(at: string, text: string): void {
    this.wrong.push({ at, text })
  }
}
