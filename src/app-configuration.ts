/** An app's options with what its environment, its file and its profile say where its code doesn't. */
import type { AnyAppOptions } from './app-options.ts'
import { optionProblems } from './app-options.ts'
import { SETTINGS } from './app-settings.ts'
import type { ListenOptions } from './adapters/listen.ts'
import type { BaseProfile } from './config/profiles.ts'
import { isLogger } from './observability/logger.ts'
import { resolveSettings, type Outside, type Resolved } from './config/resolve.ts'
import type { Origin } from './config/setting.ts'
import type { Complaint } from './router/entries.ts'
import { local } from './tasks/engines/local.ts'
import type { TasksOption } from './tasks/engines/options.ts'

/** A setting as it holds, for people. */
export interface ShownSetting {
  /** As in code and in the file, such as `limits.headerSize`. */
  readonly path: string
  /** Its environment variable. */
  readonly variable: string
  /** As text, without passwords. */
  readonly value: string
  /** Where that was said: a variable, a file and its key, a profile, `code` or `default`. */
  readonly from: string
}

/** What holds. */
export interface Configuration {
  readonly options: AnyAppOptions
  readonly tasks: TasksOption
  readonly listen: ListenOptions
  readonly profile: BaseProfile
  readonly complaints: readonly Complaint[]
  readonly shown: () => ShownSetting[]
}

type Nested = Record<string, Record<string, unknown>>

/** Of these no option of `createApp` has the name. */
const APART: ReadonlySet<string> = new Set(['listen', 'tasks', 'profile', 'config'])

const groupOf = (path: string): string => path.split('.')[0] as string

/** What code says, by the paths of settings. What is no setting is not its to say elsewhere. */
const fromCode = ({ tasks, logger, ...options }: AnyAppOptions): Record<string, unknown> => {
  const flat = SETTINGS.flatten({
    ...options,
    ...(tasks?.given ? { tasks: tasks.given } : {}),
    // A logger of the user's own says nothing of how one is made.
    ...(isLogger(logger) ? {} : { logger }),
  })
  return Object.fromEntries(Object.entries(flat).filter(([path]) => SETTINGS.get(path)))
}

const outsideCode = ({ values }: Resolved): [path: string, value: unknown][] =>
  [...values].flatMap(([path, { value, origin }]) => (origin.kind === 'code' ? [] : [[path, value]]))

const nested = (entries: readonly [path: string, value: unknown][]): Nested => {
  const groups: Nested = {}
  for (const [path, value] of entries) {
    const [group, name] = path.split('.') as [string, string?]
    if (name !== undefined) (groups[group] ??= {})[name] = value
  }
  return groups
}

const objectOf = (value: unknown): object => (typeof value === 'object' && value !== null ? value : {})

const isPlain = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype

/** What code says of a group, over what others say. What is no object of settings, as `false`, says all by itself. */
const over = (own: unknown, group: object): unknown =>
  own === undefined || isPlain(own) ? { ...group, ...objectOf(own) } : own

/** Groups that are on or off, too: `cors: false`, `cors: { origin }`. */
const SWITCHED = SETTINGS.settings.filter(({ implied }) => implied).map(({ path }) => path)

const switched = ({ values }: Resolved, name: string, own: unknown, group: object = {}): unknown => {
  const isOn = values.get(name)?.value
  if (!isOn) return isOn
  const all = { ...group, ...objectOf(own) }
  return Object.keys(all).length > 0 ? all : isOn
}

/** Options with what was said outside of code, where there is any. */
const withOutside = (options: AnyAppOptions, resolved: Resolved): AnyAppOptions => {
  const entries = outsideCode(resolved).filter(([path]) => !APART.has(groupOf(path)))
  const groups = nested(entries)
  const { rateLimit } = options
  const own: Record<string, unknown> = {
    ...options,
    ...(typeof rateLimit === 'string' ? { rateLimit: { limit: rateLimit } } : {}),
  }
  const all: Record<string, unknown> = {
    ...own,
    ...Object.fromEntries(entries.filter(([path]) => !path.includes('.'))),
  }
  for (const [name, group] of Object.entries(groups)) all[name] = over(own[name], group)
  for (const name of SWITCHED)
    if (resolved.values.has(name)) all[name] = switched(resolved, name, own[name], groups[name])
  return all
}

/** The engine with what was said outside of code. */
const engineOf = (option: TasksOption, resolved: Resolved, complain: (text: string) => void): TasksOption => {
  const { tasks = {} } = nested(outsideCode(resolved))
  try {
    return option.configure?.(tasks) ?? option
  } catch (error) {
    complain((error as Error).message)
    return option
  }
}

/** Which places had a say in what is wrong: an error about an option names where its value came from. */
const withOrigins = (text: string, { values }: Resolved): string => {
  const told = [...values].filter(
    ([path, { origin }]) =>
      origin.kind !== 'code' && new RegExp(`\\b${path.replaceAll('.', '\\.')}\\b`).test(text),
  )
  return told.length === 0
    ? text
    : `${text} (${told.map(([path, { origin }]) => `${path}: ${origin.from}`).join(', ')})`
}

const DEFAULT: Origin = { kind: 'default', from: 'default' }

const show = ({ values }: Resolved): ShownSetting[] =>
  SETTINGS.settings.map(({ path, variable, standard }) => {
    const said = values.get(path)
    const value = said && SETTINGS.text(path, said.value)
    return { path, variable, value: value ?? standard, from: (said?.origin ?? DEFAULT).from }
  })

/**
 * Reads what is outside the code, and puts it under what code says.
 * @param outside undefined where nothing from outside is to be believed: in workers and in tests
 */
export const configure = (options: AnyAppOptions, outside: Outside | undefined): Configuration => {
  const complaints: Complaint[] = optionProblems(options).map((text) => ({ at: 'options', text }))
  const complain = (text: string): void => void complaints.push({ at: 'options', text })
  const resolved = resolveSettings(
    SETTINGS,
    { values: fromCode(options), profiles: options.profiles },
    outside,
  )
  complaints.push(...resolved.wrong)
  const sound = complaints.length === 0
  const all = sound ? withOutside(options, resolved) : options
  // What each says may be right, and what they say together wrong.
  if (sound) for (const text of optionProblems(all)) complain(withOrigins(text, resolved))
  const given = options.tasks ?? local()
  return {
    options: all,
    tasks: sound && outside ? engineOf(given, resolved, complain) : given,
    listen: sound ? (nested(outsideCode(resolved))['listen'] ?? {}) : {},
    profile: resolved.profile.base,
    complaints,
    shown: () => show(resolved),
  }
}
