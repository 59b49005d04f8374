/** The operation of a query, mutation or subscription. */
import { toOperationId } from '../protocol/paths.ts'
import { securityOf, type SecuritySchemes } from '../procedures/security.ts'
import { isVoid, type Entry } from '../router/entries.ts'
import type { RestBinding } from '../router/rest-routes.ts'
import type { Components } from './components.ts'
import { pathInWords } from './names.ts'
import { given, type Operation, type Reference, type Responses } from './operation-types.ts'
import { parametersOf } from './parameters.ts'
import type { Problems } from './problems.ts'
import { requestBodyOf } from './request-body.ts'
import { successResponses } from './responses.ts'

/** What all operations of a document are built with. */
export interface Draft {
  readonly components: Components
  readonly problems: Problems
  /** Before every path. */
  readonly prefix: string
  /** Of the routes by task id, the prefix included; undefined when they are off. */
  readonly tasksRoot: string | undefined
  /** Checked by the procedures themselves. */
  readonly schemes: SecuritySchemes
}

/** A route's path as OpenAPI writes it: `{rest*}` is a parameter like any other. */
export const templateOf = (path: string): string => path.replaceAll('*}', '}')

const tagsOf = ({ path, definition }: Entry): readonly string[] | undefined => {
  const [first, ...rest] = path.split('.')
  return definition.meta.tags ?? (rest.length > 0 ? [first as string] : undefined)
}

/** What an operation says of itself, from `meta`. */
export const aboutOf = (entry: Entry) => {
  const { meta } = entry.definition
  return {
    summary: meta.summary ?? pathInWords(entry.path),
    ...given('description', meta.description),
    ...given('tags', tagsOf(entry)),
    ...given('deprecated', meta.deprecated),
    ...given('security', securityOf(entry.definition)),
    'x-procedure': entry.path,
  }
}

/** The method of a binding as OpenAPI writes it. */
export const methodOf = ({ method }: RestBinding): Operation['method'] =>
  method.toLowerCase() as Operation['method']

/** How the input of a call is sent. `extra` parameters are those that aren't of the procedure's own making. */
export const requestOf = (
  binding: RestBinding,
  { components }: Draft,
  operationId: string,
  extra: readonly Reference[] = [],
) => {
  const parameters = [...parametersOf(binding, components, operationId), ...extra]
  return {
    ...given('parameters', parameters.length > 0 ? parameters : undefined),
    ...given('requestBody', requestBodyOf(binding, components, operationId)),
  }
}

/** What a call is refused or fails with. */
export const failuresOf = ({ definition }: Entry, { problems }: Draft, operationId: string): Responses =>
  problems.responsesOf(definition, operationId, !isVoid(definition.input))

/** The operation of a binding. */
export const operationOf = (binding: RestBinding, draft: Draft): Operation => {
  const { entry } = binding
  const operationId = toOperationId(entry.path)
  return {
    method: methodOf(binding),
    path: templateOf(draft.prefix + binding.path),
    operationId,
    ...aboutOf(entry),
    'x-kind': entry.kind,
    ...requestOf(binding, draft, operationId),
    responses: {
      ...successResponses(entry, draft.components, operationId),
      ...failuresOf(entry, draft, operationId),
    },
  }
}
