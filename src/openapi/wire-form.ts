/** What zod's own conversion leaves to say about a schema's form on the wire. */
import { z } from 'zod'
import { defOf, type AnyDef } from '../procedures/inspect.ts'
import type { JsonSchema } from './json-schema.ts'
import { isSteadyDefault } from './steady-default.ts'
import { stringForm } from './string-form.ts'

/**
 * Which values a schema describes: what is taken, what is given (encoded, so every default is there), or what
 * a plain tRPC procedure gives (parsed).
 */
export type Side = 'input' | 'output' | 'parsed'

type AnySchema = z.core.$ZodType
type Adjust = (json: JsonSchema, schema: AnySchema, side: Side) => void

/** The side of a pipe that is on the wire. */
const wireEnd = (def: AnyDef): AnySchema => (defOf(def.in).type === 'transform' ? def.out : def.in)

/** Whether a field may be absent from what is given. Encoding fills in no defaults, so they don't count. */
const mayBeAbsent = (schema: AnySchema): boolean => {
  if (schema._zod.optin === undefined) return false
  const def = defOf(schema)
  switch (def.type) {
    case 'optional':
      return true
    case 'default':
    case 'prefault':
    case 'catch':
    case 'nullable':
    case 'readonly':
      return mayBeAbsent(def.innerType)
    case 'nonoptional':
      return false
    case 'lazy':
      return mayBeAbsent(def.getter())
    case 'pipe':
      return mayBeAbsent(wireEnd(def))
    case 'union':
      return def.options.some(mayBeAbsent)
    default:
      return true
  }
}

const objectForm: Adjust = (json, schema, side) => {
  const def = defOf(schema)
  // Closed objects would make every new field of an output a breaking change; zod closes what it parses.
  if (side === 'parsed' && !def.catchall) delete json['additionalProperties']
  if (side !== 'output') return
  const keys = Object.keys(def.shape)
  const required = json['required'] as string[] | undefined
  if (required?.length === keys.length) return
  const given = keys.filter((key) => required?.includes(key) || !mayBeAbsent(def.shape[key]))
  if (given.length > 0) json['required'] = given
}

const recordForm: Adjust = (json, schema, side) => {
  const { keyType, valueType, partial } = defOf(schema)
  const values: ReadonlySet<unknown> | undefined = keyType._zod.values
  if (side !== 'output' || !values || partial || mayBeAbsent(valueType)) return
  const keys = [...values].filter((value) => typeof value === 'string' || typeof value === 'number')
  if (keys.length > 0) json['required'] = keys.map(String)
}

const tupleForm: Adjust = (json, schema, side) => {
  if (side !== 'output') return
  const items: readonly AnySchema[] = defOf(schema).items
  const given = items.findLastIndex((item) => !mayBeAbsent(item)) + 1
  if (given > Number(json['minItems'] ?? 0)) json['minItems'] = given
}

const NUMBER_FORMATS: Readonly<Record<string, string>> = {
  int32: 'int32',
  float32: 'float',
  float64: 'double',
}
const SAFE = Number.MAX_SAFE_INTEGER
const FLOAT32 = 3.4028234663852886e38
/** Bounds that say no more than the type does. */
const NATURAL_BOUNDS: ReadonlySet<unknown> = new Set(
  [SAFE, FLOAT32, Number.MAX_VALUE].flatMap((most) => [most, -most]),
)

const numberForm: Adjust = (json, schema) => {
  for (const bound of ['minimum', 'maximum'] as const) if (NATURAL_BOUNDS.has(json[bound])) delete json[bound]
  const format = NUMBER_FORMATS[defOf(schema).format ?? '']
  if (format && json['format'] === undefined) json['format'] = format
}

// Media types of a file stand in `encoding`, where multipart has them; generators know a file by its format.
const fileForm: Adjust = (json) => {
  delete json['contentEncoding']
  delete json['anyOf']
}

const dateForm: Adjust = (json) => void Object.assign(json, { type: 'string', format: 'date-time' })

const defaultForm: Adjust = (json, schema) => {
  if ('default' in json && !isSteadyDefault(defOf(schema))) delete json['default']
}

// To zod it means frozen, to OpenAPI never sent.
const readonlyForm: Adjust = (json, schema) => {
  if (z.globalRegistry.get(schema)?.['readOnly'] !== true) delete json['readOnly']
}

const discriminatorMapping = (json: JsonSchema, def: AnyDef): Record<string, string> | undefined => {
  const mapping: Record<string, string> = {}
  for (const [index, option] of (def.options as AnySchema[]).entries()) {
    const values = option._zod.propValues?.[def.discriminator]
    const uri = (json['oneOf'] as JsonSchema[])[index]?.['$ref']
    // OpenAPI 3.1 §4.8.25: a discriminator is a string, and always there.
    for (const value of values ?? [undefined]) {
      if (typeof value !== 'string') return undefined
      if (typeof uri === 'string') mapping[value] = uri
    }
  }
  return mapping
}

const unionForm: Adjust = (json, schema) => {
  const def = defOf(schema)
  if (def.discriminator === undefined || !Array.isArray(json['oneOf'])) return
  const mapping = discriminatorMapping(json, def)
  if (!mapping) return
  const propertyName: string = def.discriminator
  json['discriminator'] = Object.keys(mapping).length > 0 ? { propertyName, mapping } : { propertyName }
}

const ADJUST: ReadonlyMap<string, Adjust> = new Map(
  Object.entries({
    object: objectForm,
    record: recordForm,
    tuple: tupleForm,
    string: stringForm,
    number: numberForm,
    file: fileForm,
    date: dateForm,
    default: defaultForm,
    prefault: defaultForm,
    catch: defaultForm,
    readonly: readonlyForm,
    union: unionForm,
  }),
)

/** Puts a schema's conversion into its wire form, in place. */
export const toWireForm: Adjust = (json, schema, side) => ADJUST.get(defOf(schema).type)?.(json, schema, side)
