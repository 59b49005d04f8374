/** Parameters of an operation. */
import { z } from 'zod'
import { defOf } from '../procedures/inspect.ts'
import type { RestBinding } from '../router/rest-routes.ts'
import { unwrap } from '../router/text-values.ts'
import type { Components } from './components.ts'
import { exampleOfField } from './examples.ts'
import { fieldsOutside, takesNothing, wholeInQuery, type Placed } from './input-places.ts'
import { given, type Parameter } from './operation-types.ts'

type AnySchema = z.core.$ZodType

const isArray = (schema: AnySchema): boolean => defOf(unwrap(schema)).type === 'array'

/** A schema's own description, or that of what it wraps. */
const descriptionOf = (schema: AnySchema): string | undefined => {
  const own = z.globalRegistry.get(schema)?.description
  const { innerType } = defOf(schema)
  return own ?? (innerType ? descriptionOf(innerType) : undefined)
}

const toParameter = (binding: RestBinding, components: Components, operationId: string) => {
  const { meta } = binding.entry.definition
  return ({ field, schema, in: place, name }: Placed): Parameter => ({
    name,
    in: place,
    required: place === 'path' || !takesNothing(schema),
    ...given('description', descriptionOf(schema)),
    schema: components.schema(schema, 'input', operationId),
    ...(place === 'query' && isArray(schema) ? { style: 'form', explode: true } : {}),
    ...exampleOfField(meta, field),
  })
}

// OpenAPI has `content: { 'application/json': … }` for it, but generated clients then send a flattened object.
const wholeParameter = (schema: AnySchema, components: Components, operationId: string): Parameter => ({
  name: 'input',
  in: 'query',
  required: !takesNothing(schema),
  description: 'The input as JSON text.',
  schema: {
    type: 'string',
    contentMediaType: 'application/json',
    contentSchema: components.schema(schema, 'input', operationId),
  },
})

/** Path, query, header and cookie parameters of a binding. */
export const parametersOf = (
  binding: RestBinding,
  components: Components,
  operationId: string,
): Parameter[] => {
  const { entry, source } = binding
  const whole = wholeInQuery(entry.definition, source)
  return [
    ...fieldsOutside(entry.definition, source).map(toParameter(binding, components, operationId)),
    ...(whole ? [wholeParameter(whole, components, operationId)] : []),
  ]
}

/** Path parameters alone: what the routes below a task's own path repeat. */
export const pathParametersOf = (
  binding: RestBinding,
  components: Components,
  operationId: string,
): Parameter[] =>
  fieldsOutside(binding.entry.definition, binding.source)
    .filter((placed) => placed.in === 'path')
    .map(toParameter(binding, components, operationId))
