/** Bytes in and out: files and streams. */
import type { z } from 'zod'
import { defOf, inspectSchema } from '../procedures/inspect.ts'
import { streamContentType } from '../procedures/stream.ts'
import type { Entry } from '../router/entries.ts'
import { unwrap } from '../router/text-values.ts'
import type { JsonSchema } from './json-schema.ts'

type AnySchema = z.core.$ZodType

interface MimeCheck {
  readonly check: string
  readonly mime?: readonly string[]
}

/** The media types a `z.file().mime(…)` takes; none said, none given. */
export const mediaTypesOf = (schema: AnySchema): readonly string[] => {
  const def = defOf(schema)
  if (def.type !== 'file') return []
  const checks: readonly MimeCheck[] = (def.checks ?? []).map((check: z.core.$ZodCheck) => check._zod.def)
  return checks.flatMap(({ check, mime }) => (check === 'mime_type' && mime ? mime : []))
}

/** Whatever the file says that it is. */
const ANY_TYPE = ['*/*']

/** The media types of an output of bytes; undefined for JSON. */
export const outputMediaTypes = ({
  definition: { output },
  restOnly,
}: Entry): readonly string[] | undefined => {
  if (!restOnly) return undefined
  const streamed = streamContentType(output)
  if (streamed !== undefined) return [streamed]
  if (!inspectSchema(output, 'output').file) return undefined
  const types = mediaTypesOf(unwrap(output))
  return types.length > 0 ? types : ANY_TYPE
}

/** The schema of a body of bytes. */
export const bytesSchema = (mediaType: string): JsonSchema =>
  /^text\/|[/+](json|xml)\b/.test(mediaType) ? { type: 'string' } : { type: 'string', format: 'binary' }
