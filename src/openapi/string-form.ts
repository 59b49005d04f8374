/** Formats and patterns of texts: a format that tools know stands alone, without zod's pattern for it. */
import type { z } from 'zod'
import { defOf, type AnyDef } from '../procedures/inspect.ts'
import type { JsonSchema } from './json-schema.ts'

/** Formats that tools know, so that the pattern beside one only repeats it at length. */
const KNOWN_FORMATS: ReadonlySet<unknown> = new Set([
  'email', 'uuid', 'uri', 'date-time', 'date', 'duration', 'ipv4', 'ipv6', 'hostname', 'base64', 'base64url',
])

/** JSON Schema's names for zod's. */
const RENAMED: Readonly<Record<string, string>> = { guid: 'uuid', url: 'uri', datetime: 'date-time' }

/** What zod calls formats and are patterns. */
const PATTERNS: ReadonlySet<unknown> = new Set([
  'regex', 'starts_with', 'ends_with', 'includes', 'lowercase', 'uppercase',
])

/** The format checks of a schema, itself one or not. */
const formatChecks = (schema: z.core.$ZodType): readonly AnyDef[] => {
  const def = defOf(schema)
  const checks: readonly AnyDef[] = [def, ...(def.checks ?? []).map((check: z.core.$ZodCheck) => check._zod.def)]
  return checks.filter(({ check, format }) => check === 'string_format' && !PATTERNS.has(format))
}

// A local time, or one without seconds, is not what JSON Schema calls a date-time.
const isExact = ({ local, precision }: AnyDef): boolean => !local && precision !== -1

const knownFormat = (checks: readonly AnyDef[]): string | undefined => {
  const names = checks.filter(isExact).map(({ format }) => RENAMED[format] ?? format)
  return names.findLast((name) => KNOWN_FORMATS.has(name))
}

const dropPatterns = (json: JsonSchema, own: ReadonlySet<string>): void => {
  const all = (json['allOf'] as readonly { pattern: string }[] | undefined) ?? []
  const kept = all.filter(({ pattern }) => !own.has(pattern))
  delete json['allOf']
  if (all.length === 0) delete json['pattern']
  if (kept.length === 1) Object.assign(json, kept[0])
  if (kept.length > 1) json['allOf'] = kept
}

/** Puts the conversion of a text into its wire form, in place. */
export const stringForm = (json: JsonSchema, schema: z.core.$ZodType): void => {
  if (PATTERNS.has(json['format'])) delete json['format']
  if (json['pattern'] === undefined && json['allOf'] === undefined) return
  const checks = formatChecks(schema)
  const format = knownFormat(checks)
  if (format === undefined) return
  json['format'] = format
  dropPatterns(json, new Set(checks.map(({ pattern }) => pattern?.source)))
}
