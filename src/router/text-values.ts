/**
 * Reads values that arrive as text (query, path, header, cookie, form) by looking at the schema, never by changing it.
 * Text that doesn't fit stays text: the schema then says what is wrong with it.
 */
import type { z } from 'zod'
import { defOf, type AnyDef } from '../procedures/inspect.ts'

type AnySchema = z.core.$ZodType

// One way to match each text: a regexp with two takes the square of its length to refuse one.
const NUMBER = /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i
const TRUE = new Set(['true', '1', 'on'])
const FALSE = new Set(['false', '0', 'off'])

/** A schema without what wraps it, on its wire side. */
export const unwrap = (schema: AnySchema): AnySchema => {
  const def: AnyDef = defOf(schema)
  switch (def.type) {
    case 'optional':
    case 'nullable':
    case 'nonoptional':
    case 'readonly':
    case 'default':
    case 'prefault':
    case 'catch':
      return unwrap(def.innerType)
    case 'lazy':
      return unwrap(def.getter())
    case 'pipe':
      return unwrap(defOf(def.in).type === 'transform' ? def.out : def.in)
    default:
      return schema
  }
}

/** The fields of an object schema by name; undefined for any other schema. */
export const fieldsOf = (schema: AnySchema): Readonly<Record<string, AnySchema>> | undefined => {
  const base = unwrap(schema)
  const def: AnyDef = defOf(base)
  if (def.type === 'object') return def.shape
  if (def.type !== 'intersection') return undefined
  const [left, right] = [fieldsOf(def.left), fieldsOf(def.right)]
  return left && right ? { ...left, ...right } : undefined
}

const asNumber = (text: string): unknown => (NUMBER.test(text) ? Number(text) : text)
const asBoolean = (text: string): unknown => (TRUE.has(text) ? true : FALSE.has(text) ? false : text)

const asOneOf = (values: Iterable<unknown>, text: string): unknown => {
  for (const value of values) if (String(value) === text) return value
  return text
}

const asFirstThatFits = (options: readonly AnySchema[], text: string): unknown => {
  for (const option of options) {
    const value = readText(option, text)
    if (value !== text) return value
  }
  return text
}

/** One text by the schema of its field. */
export const readText = (schema: AnySchema, text: string): unknown => {
  const base = unwrap(schema)
  const def: AnyDef = defOf(base)
  switch (def.type) {
    case 'number':
    case 'int':
      return asNumber(text)
    case 'boolean':
      return asBoolean(text)
    case 'null':
      return text === 'null' ? null : text
    case 'literal':
      return asOneOf(def.values, text)
    case 'enum':
      return asOneOf(Object.values(def.entries), text)
    case 'union':
      return asFirstThatFits(def.options, text)
    default:
      return text
  }
}

/** What the items of an array schema are; undefined for any other schema. */
export const elementOf = (schema: AnySchema): AnySchema | undefined => {
  const def: AnyDef = defOf(unwrap(schema))
  return def.type === 'array' ? def.element : undefined
}

/** All texts given for one field. A field that isn't an array keeps a repeated key as an array, which its schema refuses. */
export const readTexts = (schema: AnySchema, texts: readonly string[], read = readText): unknown => {
  const element = elementOf(schema)
  if (element) return texts.map((text) => read(element, text))
  return texts.length === 1 ? read(schema, texts[0] as string) : texts
}

/** Values by key, in one pass: to ask for those of each key takes the square of their number. */
export const byKey = <T>(entries: Iterable<readonly [string, T]>): ReadonlyMap<string, readonly T[]> => {
  const groups = new Map<string, T[]>()
  for (const [key, value] of entries) {
    const group = groups.get(key)
    if (group) group.push(value)
    else groups.set(key, [value])
  }
  return groups
}
