/** Form bodies: `multipart/form-data` (RFC 7578) and `application/x-www-form-urlencoded`. */
import type { z } from 'zod'
import { ProcedureError } from '../procedures/errors.ts'
import { readTexts } from './text-values.ts'

const parse = async (bytes: Uint8Array, contentType: string): Promise<FormData> => {
  try {
    return await new Response(bytes as BodyInit, { headers: { 'content-type': contentType } }).formData()
  } catch (cause) {
    throw new ProcedureError('BAD_REQUEST', 'The body is not a valid form', { cause })
  }
}

const readField = (schema: z.core.$ZodType | undefined, values: readonly FormDataEntryValue[]): unknown => {
  const texts = values.filter((value) => typeof value === 'string')
  if (schema && texts.length === values.length) return readTexts(schema, texts)
  return values.length === 1 ? values[0] : values
}

/** Fields and files of a form by the fields of a schema. */
export const readForm = async (
  bytes: Uint8Array,
  contentType: string,
  fields: Readonly<Record<string, z.core.$ZodType>>,
): Promise<unknown> => {
  const form = await parse(bytes, contentType)
  const keys = [...new Set(form.keys())]
  return Object.fromEntries(
    keys.map((key) => [key, readField(Object.hasOwn(fields, key) ? fields[key] : undefined, form.getAll(key))]),
  )
}
