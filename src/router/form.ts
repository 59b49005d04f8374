/** Form bodies: `multipart/form-data` (RFC 7578) and `application/x-www-form-urlencoded`. */
import type { z } from 'zod'
import { ProcedureError } from '../procedures/errors.ts'
import { defOf } from '../procedures/inspect.ts'
import { decodeText, parseJson } from './json-text.ts'
import { byKey, elementOf, readText, readTexts, unwrap } from './text-values.ts'

type Entries = Iterable<readonly [string, FormDataEntryValue]>

/** More fields than any form has, and few enough to be read at once. */
const MOST_FIELDS = 10_000

// As a FormData it would take seconds.
const parseEncoded = (text: string): Entries => {
  let fields = 0
  for (let at = text.indexOf('&'); at >= 0 && fields <= MOST_FIELDS; at = text.indexOf('&', at + 1)) fields++
  if (fields < MOST_FIELDS) return new URLSearchParams(text)
  throw new ProcedureError('PAYLOAD_TOO_LARGE', `The form has more than the ${MOST_FIELDS} fields allowed`)
}

const parse = async (bytes: Uint8Array, contentType: string): Promise<Entries> => {
  if (!contentType.trimStart().toLowerCase().startsWith('multipart/')) return parseEncoded(decodeText(bytes))
  try {
    return await new Response(bytes as BodyInit, { headers: { 'content-type': contentType } }).formData()
  } catch (cause) {
    throw new ProcedureError('BAD_REQUEST', 'The body is not a valid form', { cause })
  }
}

const STRUCTURED: ReadonlySet<string> = new Set(['object', 'record', 'intersection', 'array', 'tuple'])

// An object in a form is JSON (OpenAPI 3.1.1 §4.8.15.1). What isn't stays text, for the schema to refuse.
const readFormText = (schema: z.core.$ZodType, text: string): unknown => {
  if (!STRUCTURED.has(defOf(unwrap(schema)).type)) return readText(schema, text)
  try {
    return parseJson(text)
  } catch {
    return text
  }
}

const readField = (schema: z.core.$ZodType | undefined, values: readonly FormDataEntryValue[]): unknown => {
  const texts = values.filter((value) => typeof value === 'string')
  if (schema && texts.length === values.length) return readTexts(schema, texts, readFormText)
  return values.length === 1 && !(schema && elementOf(schema)) ? values[0] : values
}

/** Fields and files of a form by the fields of a schema. */
export const readForm = async (
  bytes: Uint8Array,
  contentType: string,
  fields: Readonly<Record<string, z.core.$ZodType>>,
): Promise<unknown> => {
  const form = await parse(bytes, contentType)
  return Object.fromEntries(
    [...byKey(form)].map(([key, values]) => [
      key,
      readField(Object.hasOwn(fields, key) ? fields[key] : undefined, values),
    ]),
  )
}
