/** The request body of an operation. */
import type { z } from 'zod'
import { defOf, inspectSchema } from '../procedures/inspect.ts'
import type { RestBinding } from '../router/rest-routes.ts'
import { fieldsOf, unwrap } from '../router/text-values.ts'
import type { Components } from './components.ts'
import { examplesOf } from './examples.ts'
import { mediaTypesOf } from './files.ts'
import { bodyIsOptional, bodySchema, pickRest } from './input-places.ts'
import { given, type MediaType, type RequestBody } from './operation-types.ts'

type AnySchema = z.core.$ZodType

const JSON_TYPE = 'application/json'
const MULTIPART = 'multipart/form-data'
const URLENCODED = 'application/x-www-form-urlencoded'

/** A file can't be JSON, nor a urlencoded field. */
const contentTypes = (schema: AnySchema, form: boolean): readonly string[] => {
  if (!form) return [JSON_TYPE]
  return inspectSchema(schema, 'input').file ? [MULTIPART] : [JSON_TYPE, MULTIPART, URLENCODED]
}

const fileOf = (schema: AnySchema): AnySchema => {
  const base = unwrap(schema)
  return defOf(base).type === 'array' ? unwrap(defOf(base).element) : base
}

/** Media types of the files among the fields. */
const encodingOf = (schema: AnySchema): MediaType['encoding'] => {
  const types = Object.entries(fieldsOf(schema) ?? {})
    .map(([name, field]) => [name, mediaTypesOf(fileOf(field))] as const)
    .filter(([, list]) => list.length > 0)
    .map(([name, list]) => [name, { contentType: list.join(', ') }] as const)
  return types.length > 0 ? Object.fromEntries(types) : undefined
}

/** The body of a binding; undefined when nothing is in it. */
export const requestBodyOf = (
  { entry, source }: RestBinding,
  components: Components,
  operationId: string,
): RequestBody | undefined => {
  const { definition } = entry
  const schema = bodySchema(definition, source)
  if (!schema) return undefined
  const media = (type: string): MediaType => ({
    schema: components.schema(schema, 'input', operationId),
    ...examplesOf(definition.meta, 'input', pickRest(source)),
    ...given('encoding', type === MULTIPART ? encodingOf(schema) : undefined),
  })
  return {
    required: !bodyIsOptional(schema, definition),
    content: Object.fromEntries(contentTypes(schema, source.form).map((type) => [type, media(type)])),
  }
}
