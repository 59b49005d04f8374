/**
 * What holds, of all that was said: code before environment, before file, before profile, before what is standard.
 * Everything is read here and once, without waiting.
 */
import { readEnvironment, type Environment } from './environment.ts'
import { readConfigFile, type FoundFile } from './file.ts'
import { Profiles, type Definitions, type ProfileInForce } from './profiles.ts'
import type { Place, Schema } from './schema.ts'
import type { Layer, Origin, Said, Wrong } from './setting.ts'

/** What is outside the code. */
export interface Outside {
  readonly environment: Environment
  /** Where a file is looked for. */
  readonly dir: string
}

/** What code says. */
export interface Inside {
  /** By the paths of settings. Checked by whoever takes options. */
  readonly values: Readonly<Record<string, unknown>>
  readonly profiles?: object | undefined
}

/** What holds. */
export interface Resolved {
  readonly values: ReadonlyMap<string, Said>
  readonly profile: ProfileInForce
  readonly wrong: readonly Wrong[]
}

const EMPTY: Layer = new Map()

const codeLayer = ({ values }: Inside): Layer =>
  new Map(
    Object.entries(values).map(([path, value]) => [path, { value, origin: { kind: 'code', from: 'code' } }]),
  )

const fileOf = (asked: Layer, dir: string): FoundFile => {
  const named = asked.get('config')?.value
  return named === false ? { wrong: [] } : readConfigFile(dir, named as string | undefined)
}

const fileLayer = (schema: Schema, { file }: FoundFile) => {
  if (!file) return { layer: EMPTY, wrong: [], definitions: [] }
  const { profiles, ...settings } = file.content
  const place: Place = {
    kind: 'file',
    at: file.name,
    name: (path) => path,
    from: (path) => `${file.name}: ${path}`,
  }
  const definitions: Definitions[] = [{ at: file.name, profiles }]
  return { ...schema.read(schema.flatten(settings), place), definitions }
}

interface Chosen {
  readonly said: Said
  readonly wrong: readonly Wrong[]
}

const DEVELOPMENT: Said = { value: 'development', origin: { kind: 'default', from: 'default' } }

// NODE_ENV is for many programs: a name that we don't know is not meant for us.
const choose = (profiles: Profiles, layers: readonly Layer[], node: string | undefined): Chosen => {
  const [code, environment, file] = layers.map((layer) => layer.get('profile'))
  const ambient: Said | undefined =
    node && profiles.has(node)
      ? { value: node, origin: { kind: 'environment', from: 'NODE_ENV' } }
      : undefined
  const said = code ?? environment ?? ambient ?? file ?? DEVELOPMENT
  const { value, origin } = said
  if (typeof value === 'string' && profiles.has(value)) return { said, wrong: [] }
  const at = origin.kind === 'code' ? 'options' : origin.from
  return { said: { ...said, value: 'production' }, wrong: [profiles.unknown(at, 'profile', value)] }
}

/** Which file was read, and which profile is in force. */
const choices = ({ file }: FoundFile, { said }: Chosen, layer: Layer): Layer => {
  const origin: Origin = layer.get('config')?.origin ?? {
    kind: 'default',
    from: 'found in the working directory',
  }
  return new Map([['profile', said], ...(file ? [['config', { value: file.name, origin }] as const] : [])])
}

/** Reads what is outside, and says what holds. */
export const resolveSettings = (schema: Schema, inside: Inside, outside: Outside | undefined): Resolved => {
  const code = codeLayer(inside)
  const environment = outside ? readEnvironment(schema, outside.environment) : { layer: EMPTY, wrong: [] }
  const asked = new Map([...environment.layer, ...code])
  const found = outside ? fileOf(asked, outside.dir) : { wrong: [] }
  const file = fileLayer(schema, found)
  const profiles = new Profiles(schema, [{ at: 'options', profiles: inside.profiles }, ...file.definitions])
  const chosen = choose(profiles, [code, environment.layer, file.layer], outside?.environment['NODE_ENV'])
  const profile = profiles.get(chosen.said.value as string)
  const layers = [code, environment.layer, file.layer, ...profile.layers]
  return {
    values: new Map([...layers.toReversed(), choices(found, chosen, asked)].flatMap((layer) => [...layer])),
    profile,
    wrong: [...environment.wrong, ...found.wrong, ...file.wrong, ...profiles.wrong, ...chosen.wrong],
  }
}
