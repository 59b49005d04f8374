/** Formats and patterns of texts: a format that tools know stands alone, without zod's pattern for it. */
import type { z } from 'zod'
import { defOf, type AnyDef } from '../procedures/inspect.ts'
import type { JsonSchema } from './json-schema.ts'

/** Formats that tools know, so that the pattern beside one only repeats it at length. */
const KNOWN_FORMATS: ReadonlySet<unknown> = new Set([
  'email',
  'uuid',
  'uri',
  'date-time',
  'date',
  'duration',
  'ipv4',
  'ipv6',
  'hostname',
  'base64',
  'base64url',
])

/** JSON Schema's names for zod's. */
const RENAMED: Readonly<Record<string, string>> = { guid: 'uuid', url: 'uri', datetime: 'date-time' }

/** What zod calls formats and are patterns. */
const PATTERNS: ReadonlySet<unknown> = new Set([
  'regex',
  'starts_with',
  'ends_with',
  'includes',
  'lowercase',
  'uppercase',
])

/** The checks on a text's form: a schema may be one itself. */
const formChecks = (schema: z.core.$ZodType): readonly AnyDef[] => {
  const def = defOf(schema)
  const checks: readonly AnyDef[] = [
    def,
    ...(def.checks ?? []).map((check: z.core.$ZodCheck) => check._zod.def),
  ]
  return checks.filter(({ check }) => check === 'string_format')
}

const isPattern = ({ format }: AnyDef): boolean => PATTERNS.has(format)

// A local time, or one without seconds, is not what JSON Schema calls a date-time.
const isExact = ({ local, precision }: AnyDef): boolean => !local && precision !== -1

const knownFormat = (checks: readonly AnyDef[]): string | undefined =>
  checks
    .filter((check) => !isPattern(check) && isExact(check))
    .map(({ format }) => RENAMED[format] ?? format)
    .findLast((name) => KNOWN_FORMATS.has(name))

const setPatterns = (json: JsonSchema, patterns: readonly string[]): void => {
  delete json['pattern']
  delete json['allOf']
  if (patterns.length === 1) json['pattern'] = patterns[0]
  if (patterns.length > 1) json['allOf'] = patterns.map((pattern) => ({ pattern }))
}

/** Puts the conversion of a text into its wire form, in place. */
export const stringForm = (json: JsonSchema, schema: z.core.$ZodType): void => {
  if (PATTERNS.has(json['format'])) delete json['format']
  if (json['pattern'] === undefined && json['allOf'] === undefined) return
  if (KNOWN_FORMATS.has(json['format']) && !defOf(schema).checks?.length) return void delete json['pattern']
  const checks = formChecks(schema)
  const format = knownFormat(checks)
  if (format === undefined) return
  json['format'] = format
  setPatterns(json, [...new Set(checks.filter(isPattern).map(({ pattern }) => pattern.source))])
}
