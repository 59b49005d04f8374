/** Where the fields of an input travel: path, query, headers, cookies, and the rest in a body. */
import { z } from 'zod'
import { defOf } from '../procedures/inspect.ts'
import type { Definition } from '../procedures/procedure.ts'
import { isVoid } from '../router/entries.ts'
import type { InputSource } from '../router/rest-input.ts'
import { fieldsOf, unwrap } from '../router/text-values.ts'

type AnySchema = z.core.$ZodType

/** A field outside the body. */
export interface Placed {
  readonly field: string
  readonly schema: AnySchema
  readonly in: 'path' | 'query' | 'header' | 'cookie'
  /** On the wire. */
  readonly name: string
}

/** Whether a schema takes `undefined`, so that what carries it may be left out. */
export const takesNothing = (schema: AnySchema): boolean =>
  schema._zod.optin !== undefined || ['unknown', 'any', 'void', 'undefined'].includes(defOf(schema).type)

/** Whether a text, or several of one name, can carry a value. */
const isFlat = (schema: AnySchema): boolean => {
  const def = defOf(unwrap(schema))
  if (def.type === 'array') return isFlatItem(def.element)
  return isFlatItem(schema)
}

const NESTED: ReadonlySet<string> = new Set(['object', 'array', 'tuple', 'record', 'intersection', 'file'])

const isFlatItem = (schema: AnySchema): boolean => {
  const def = defOf(unwrap(schema))
  return def.type === 'union' ? def.options.every(isFlatItem) : !NESTED.has(def.type)
}

const elsewhere = ({ pathFields, in: places }: InputSource): ReadonlySet<string> =>
  new Set([...pathFields, ...Object.keys(places)])

const restOf = (definition: Definition, source: InputSource): Record<string, AnySchema> => {
  const taken = elsewhere(source)
  return Object.fromEntries(
    Object.entries(fieldsOf(definition.input) ?? {}).filter(([name]) => !taken.has(name)),
  )
}

const placed = (definition: Definition, { pathFields, in: places }: InputSource): Placed[] => {
  const fields = fieldsOf(definition.input) ?? {}
  const schemaOf = (field: string): AnySchema => fields[field] ?? z.unknown()
  return [
    ...pathFields.map((field) => ({ field, schema: schemaOf(field), in: 'path', name: field }) as const),
    ...Object.entries(places).map(([field, place]) => {
      const at = place.indexOf(':')
      return {
        field,
        schema: schemaOf(field),
        in: place.slice(0, at) as Placed['in'],
        name: place.slice(at + 1),
      }
    }),
  ]
}

/** The fields outside the body. */
export const fieldsOutside = (definition: Definition, source: InputSource): readonly Placed[] => {
  const fixed = placed(definition, source)
  if (source.from === 'body' || wholeInQuery(definition, source)) return fixed
  const flat = Object.entries(restOf(definition, source))
  return [...fixed, ...flat.map(([field, schema]) => ({ field, schema, in: 'query', name: field }) as const)]
}

/** The input as one JSON query parameter, where it can't be flat fields. */
export const wholeInQuery = (definition: Definition, source: InputSource): AnySchema | undefined => {
  if (source.from === 'body' || isVoid(definition.input)) return undefined
  const fields = fieldsOf(definition.input)
  if (!fields) return definition.input
  const rest = restOf(definition, source)
  if (Object.hasOwn(fields, 'input') || Object.values(rest).every(isFlat)) return undefined
  return elsewhere(source).size > 0 ? restSchema(definition, rest) : definition.input
}

const restSchema = (definition: Definition, rest: Record<string, AnySchema>): AnySchema => {
  const { catchall } = defOf(unwrap(definition.input))
  const schema = z.object(rest)
  return catchall ? schema.catchall(catchall) : schema
}

/** What is in the body, if anything is. */
export const bodySchema = (definition: Definition, source: InputSource): AnySchema | undefined => {
  if (source.from === 'query' || isVoid(definition.input)) return undefined
  if (elsewhere(source).size === 0) return definition.input
  const rest = restOf(definition, source)
  return Object.keys(rest).length > 0 ? restSchema(definition, rest) : undefined
}

/** Whether a body may be left out: what comes from elsewhere makes an object of nothing. */
export const bodyIsOptional = (schema: AnySchema, definition: Definition): boolean =>
  takesNothing(schema) ||
  (schema !== definition.input && Object.values(fieldsOf(schema) ?? {}).every(takesNothing))

/** The part of an example that is in the body. */
export const pickRest =
  (source: InputSource) =>
  (value: unknown): unknown => {
    const taken = elsewhere(source)
    if (taken.size === 0 || typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).filter(([name]) => !taken.has(name)))
  }
