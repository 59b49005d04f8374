/**
 * The OpenAPI 3.1 document of an app. Its schemas are zod's own conversion; the registry of
 * zod-to-openapi assembles the rest.
 * The same app gives the same bytes, whatever the order of its declarations.
 */
import { OpenAPIRegistry, OpenApiGeneratorV31, type RouteConfig } from '@asteasolutions/zod-to-openapi'
import type { Meta } from '../procedures/meta.ts'
import { schemesOf } from '../procedures/security.ts'
import type { RestBinding } from '../router/rest-routes.ts'
import { Components } from './components.ts'
import { byText } from './name-definitions.ts'
import { operationOf, type Draft } from './operation.ts'
import { given, type Operation } from './operation-types.ts'
import { Problems } from './problems.ts'
import { genericTaskOperations, TASKS_TAG } from './task-operations.ts'
import { taskParameters } from './task-parts.ts'
import { taskProcedureOperations } from './task-procedure-operations.ts'
import { TaskSchemas } from './task-schemas.ts'

/** An OpenAPI 3.1 document. */
export type OpenApiDocument = ReturnType<OpenApiGeneratorV31['generateDocument']>

/** What a document says of the app as a whole. */
export interface DocumentOptions {
  /** Default `API`. */
  readonly title?: string
  /** Of the API, not of Errand. Default `0.0.0`. */
  readonly version?: string
  readonly description?: string
  readonly servers?: readonly { readonly url: string; readonly description?: string }[]
  /** OpenAPI 3.1 security schemes by name; `meta.security` refers to them. */
  readonly securitySchemes?: Readonly<Record<string, object>>
  /** What every operation needs unless its `meta.security` says otherwise. */
  readonly security?: Meta['security']
}

/** What a document is made of. */
export interface DocumentSource extends DocumentOptions {
  /** Hidden ones are left out. */
  readonly bindings: readonly RestBinding[]
  /** Before every path. */
  readonly prefix: string
  /** Of the routes by task id, below the prefix; undefined when they are off. */
  readonly tasksRoot: string | undefined
}

const shownBindings = (bindings: readonly RestBinding[]): RestBinding[] =>
  bindings.filter(({ hidden }) => !hidden).sort((a, b) => byText(a.entry.path, b.entry.path))

const buildOperations = (bindings: readonly RestBinding[], draft: Draft): Operation[] => {
  const hasTasks = bindings.some(({ entry }) => entry.kind === 'task')
  const tasks = hasTasks ? new TaskSchemas(draft.components, draft.tasksRoot !== undefined) : undefined
  const operations = bindings.flatMap((binding) =>
    tasks && binding.entry.kind === 'task'
      ? taskProcedureOperations(binding, draft, tasks)
      : operationOf(binding, draft),
  )
  const generic =
    tasks && draft.tasksRoot !== undefined ? genericTaskOperations(draft.tasksRoot, draft, tasks) : []
  return [...operations, ...generic].sort((a, b) => byText(a.path, b.path) || byText(a.method, b.method))
}

const tagsOf = (operations: readonly Operation[]): { name: string; description?: string }[] | undefined => {
  const names = new Set(operations.flatMap(({ tags = [] }) => tags))
  if (names.size === 0) return undefined
  return [...names].sort(byText).map((name) => (name === TASKS_TAG.name ? { ...TASKS_TAG } : { name }))
}

const usesTasks = (operations: readonly Operation[]): boolean =>
  operations.some((operation) => operation['x-kind'] === 'task')

const register = (
  source: DocumentSource,
  operations: readonly Operation[],
  draft: Draft,
): OpenAPIRegistry => {
  const registry = new OpenAPIRegistry()
  const all = (
    kind: 'schemas' | 'responses' | 'parameters' | 'securitySchemes',
    parts: Readonly<Record<string, object>>,
  ) => {
    for (const [name, part] of Object.entries(parts)) registry.registerComponent(kind, name, part)
  }
  // Before the schemas: a response mentions some.
  all('responses', draft.problems.shared())
  all('schemas', draft.components.settle())
  all('parameters', usesTasks(operations) ? taskParameters() : {})
  all('securitySchemes', { ...draft.schemes, ...source.securitySchemes })
  // Its own types ask for mutable arrays; it only reads them.
  for (const operation of operations) registry.registerPath(operation as unknown as RouteConfig)
  return registry
}

/** Where the document came from. */
const here = () => [{ url: '/' }]

/** Drops what the generator adds though there is none of it. */
const withoutEmpty = ({ webhooks: _none, components, ...document }: OpenApiDocument): OpenApiDocument => ({
  ...document,
  components: Object.fromEntries(
    Object.entries(components ?? {}).filter(([, parts]) => Object.keys(parts).length > 0),
  ),
})

/** Makes the document. */
export const createDocument = (source: DocumentSource): OpenApiDocument => {
  const {
    prefix,
    tasksRoot,
    title = 'API',
    version = '0.0.0',
    description,
    servers = here(),
    security = [],
  } = source
  const components = new Components()
  const bindings = shownBindings(source.bindings)
  const draft: Draft = {
    components,
    problems: new Problems(components),
    prefix,
    tasksRoot: tasksRoot === undefined ? undefined : prefix + tasksRoot,
    schemes: schemesOf(bindings.map(({ entry }) => entry.definition)),
  }
  const operations = buildOperations(bindings, draft)
  const registry = register(source, operations, draft)
  const document = new OpenApiGeneratorV31(registry.definitions).generateDocument({
    openapi: '3.1.1',
    info: { title, version, ...given('description', description) },
    servers: servers as { url: string }[],
    security: security as Record<string, string[]>[],
    ...given('tags', tagsOf(operations)),
  })
  return withoutEmpty(document)
}
