/** Values that a JSON Schema takes, and values that it nearly takes, as arbitraries. */
import fc from 'fast-check'
import { json } from '../hostile.ts'

/** A schema, read loosely. */
export interface Schema {
  readonly $ref?: string
  readonly type?: string | readonly string[]
  readonly const?: unknown
  readonly enum?: readonly unknown[]
  readonly anyOf?: readonly Schema[]
  readonly oneOf?: readonly Schema[]
  readonly allOf?: readonly Schema[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly required?: readonly string[]
  readonly items?: Schema
  readonly minItems?: number
  readonly maxItems?: number
  readonly minLength?: number
  readonly maxLength?: number
  readonly minimum?: number
  readonly maximum?: number
  readonly format?: string
  readonly pattern?: string
  readonly contentSchema?: Schema
}

/** Finds what a reference means. */
export type Resolve = (ref: string) => Schema

const FORMATS: Readonly<Record<string, fc.Arbitrary<string>>> = {
  uuid: fc.uuid(),
  'date-time': fc
    .date({ min: new Date(0), max: new Date('2099-01-01'), noInvalidDate: true })
    .map((date) => date.toISOString()),
  email: fc.constantFrom('ada@example.org', 'a.b+c@example.co'),
  uri: fc.webUrl(),
}

/** Deeper than that only what must be. */
const DEEPEST = 4

const text = ({
  format,
  pattern,
  minLength = 0,
  maxLength = minLength + 20,
}: Schema): fc.Arbitrary<unknown> => {
  const known = format === undefined ? undefined : FORMATS[format]
  if (known) return known
  if (pattern === '^\\d{5}$') return fc.integer({ min: 10_000, max: 99_999 }).map(String)
  return fc.string({ minLength, maxLength, unit: 'grapheme' })
}

const number = ({ type, minimum = -1e9, maximum = 1e9 }: Schema): fc.Arbitrary<unknown> =>
  type === 'integer'
    ? fc.integer({ min: Math.max(minimum, -(2 ** 31)), max: Math.min(maximum, 2 ** 31 - 1) })
    : fc.double({ min: minimum, max: maximum, noNaN: true })

/** The values of a schema. */
export const valuesOf = (schema: Schema, resolve: Resolve, depth = 0): fc.Arbitrary<unknown> => {
  const below = (inner: Schema): fc.Arbitrary<unknown> => valuesOf(inner, resolve, depth + 1)
  const options = schema.anyOf ?? schema.oneOf
  if (schema.$ref !== undefined) return valuesOf(resolve(schema.$ref), resolve, depth + 1)
  if ('const' in schema) return fc.constant(schema.const)
  if (schema.enum) return fc.constantFrom(...schema.enum)
  if (options) {
    // The last is most often null, or what ends a recursion.
    const some = depth > DEEPEST ? options.slice(-1) : options
    return fc.oneof(...some.map(below))
  }
  if (schema.allOf)
    return fc.tuple(...schema.allOf.map(below)).map((parts) => Object.assign({}, ...parts) as unknown)
  if (Array.isArray(schema.type))
    return fc.oneof(...(schema.type as string[]).map((type) => below({ ...schema, type })))
  switch (schema.type) {
    case 'object':
      return objects(schema, below)
    case 'array':
      return fc.array(below(schema.items ?? {}), {
        minLength: schema.minItems ?? 0,
        maxLength: depth > DEEPEST ? (schema.minItems ?? 0) : (schema.maxItems ?? 4),
      })
    case 'string':
      return text(schema)
    case 'number':
    case 'integer':
      return number(schema)
    case 'boolean':
      return fc.boolean()
    case 'null':
      return fc.constant(null)
    default:
      return depth > DEEPEST ? fc.constant(null) : json
  }
}

const objects = (
  { properties = {}, required = [] }: Schema,
  below: (inner: Schema) => fc.Arbitrary<unknown>,
): fc.Arbitrary<unknown> =>
  fc.record(Object.fromEntries(Object.entries(properties).map(([name, inner]) => [name, below(inner)])), {
    requiredKeys: required.filter((name) => name in properties),
  })

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** A value with one thing wrong in it, or with something that nobody asked for. */
const spoilt = (values: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> =>
  fc
    .tuple(values, fc.nat(), json, fc.constantFrom('drop', 'change', 'add'))
    .map(([value, at, other, how]) => {
      if (!isRecord(value)) return other
      const keys = Object.keys(value)
      const key = keys[at % Math.max(1, keys.length)] ?? 'more'
      const { [key]: _left, ...rest } = value
      if (how === 'drop') return rest
      return how === 'change' ? { ...rest, [key]: other } : { ...value, more: other }
    })

/** Values that fit, that nearly fit, and that don't. */
export const aroundOf = (schema: Schema, resolve: Resolve): fc.Arbitrary<unknown> => {
  const values = valuesOf(schema, resolve)
  return fc.oneof(
    { weight: 5, arbitrary: values },
    { weight: 3, arbitrary: spoilt(values) },
    { weight: 1, arbitrary: json },
  )
}
