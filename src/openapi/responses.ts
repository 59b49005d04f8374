/** What a call is answered with when it succeeds. */
import { inspectSchema } from '../procedures/inspect.ts'
import type { Definition } from '../procedures/procedure.ts'
import { isVoid, type Entry } from '../router/entries.ts'
import type { Components } from './components.ts'
import { examplesOf } from './examples.ts'
import { bytesSchema, outputMediaTypes } from './files.ts'
import { takesNothing } from './input-places.ts'
import type { JsonSchema } from './json-schema.ts'
import type { MediaType, Response, Responses } from './operation-types.ts'

/** Errand encodes what it gives; tRPC parses it. */
const outputSide = ({ definition, foreign }: Entry): 'output' | 'parsed' =>
  foreign && inspectSchema(definition.output, 'output').directional ? 'parsed' : 'output'

/** The schema of a procedure's output, or of each item it streams. */
export const outputSchema = (entry: Entry, components: Components, operationId: string): JsonSchema =>
  components.schema(entry.definition.output, outputSide(entry), operationId)

/** What streams over server-sent events, one schema for the data of each. */
export const eventStream = (description: string, media: MediaType): Response => ({
  description,
  content: { 'text/event-stream': media },
})

const STREAM =
  'The items, each the `data` of an event. `event: done` ends the stream, `event: error` with a problem too.'

const bytes = (types: readonly string[]): Response => ({
  description: 'The bytes.',
  content: Object.fromEntries(types.map((type) => [type, { schema: bytesSchema(type) }])),
})

const nothing: Response = { description: 'Done; there is nothing to return.' }

const json = (entry: Entry, components: Components, operationId: string): Response => ({
  description: 'The output.',
  content: {
    'application/json': {
      schema: outputSchema(entry, components, operationId),
      ...examplesOf(entry.definition.meta, 'output'),
    },
  },
})

/** A declared output that may be `undefined` is then an empty 204. */
const maybeNothing = ({ output }: Definition): boolean =>
  output._zod.optin !== undefined && takesNothing(output)

/** The success responses of a procedure. */
export const successResponses = (entry: Entry, components: Components, operationId: string): Responses => {
  const { definition } = entry
  const status = definition.meta.rest?.status
  if (entry.kind === 'subscription') {
    const schema = outputSchema(entry, components, operationId)
    return { 200: eventStream(STREAM, { schema, ...examplesOf(definition.meta, 'output') }) }
  }
  if (isVoid(definition.output)) return { [status ?? 204]: nothing }
  const types = outputMediaTypes(entry)
  if (types) return { [status ?? 200]: bytes(types) }
  const success = { [status ?? 200]: json(entry, components, operationId) }
  return maybeNothing(definition) ? { ...success, 204: nothing } : success
}
