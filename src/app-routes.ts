/** An app's routes: every door at its path, clashes refused. */
import type { AnyTRPCRouter } from '@trpc/server'
import type { AnyAppOptions } from './app-options.ts'
import { toOperationId, taskOperationIds } from './protocol/paths.ts'
import { schemesOf } from './procedures/security.ts'
import type { Doors } from './router/doors.ts'
import type { Complaint, Entry } from './router/entries.ts'
import { jsonReply } from './router/http.ts'
import { livenessRoutes, readinessRoutes, type ReadinessProbe } from './router/probes.ts'
import { checkBinding, restBindings, restRoute, type RestBinding } from './router/rest-routes.ts'
import { RouteTable, type Route } from './router/route-table.ts'
import { genericTaskOperations, taskOperations } from './router/task-operations.ts'
import { genericTaskRoutes, taskProcedureRoutes } from './router/task-routes.ts'
import type { TaskDoors } from './router/task-service.ts'
import { compileDelegate } from './router/trpc-delegate.ts'
import { compileTrpcDoor } from './router/trpc-door.ts'
import { buildTrpcRouter, entryOperation, guarded, type Operation } from './router/trpc-router.ts'
import { referenceRoutes } from './openapi/reference.ts'
import type { OpenApiDocument } from './openapi/document.ts'

export type { OpenApiDocument }

/** Parts of the app that routes need. */
export interface AppRoutesParts {
  readonly entries: readonly Entry[]
  readonly options: AnyAppOptions
  readonly doors: Doors
  readonly taskDoors: TaskDoors
  readonly readiness: ReadinessProbe
  /** Where metrics are read. */
  readonly metrics: readonly Route[]
  readonly complain: (complaint: Complaint) => void
  /** Told of what works but could be better. */
  readonly warn: (message: string) => void
}

/** What an app serves, and where. */
export interface AppRoutes {
  readonly table: RouteTable
  /** Made when first asked for: a server without tRPC clients never pays for it. */
  readonly router: () => AnyTRPCRouter
  readonly openapi: () => Promise<OpenApiDocument>
}

const once = <T>(make: () => T): (() => T) => {
  let made: { value: T } | undefined
  return () => (made ??= { value: make() }).value
}

const at = (option: string | false | undefined, standard: string): string | undefined =>
  option === false ? undefined : (option ?? standard)

type TrpcDoor = ReturnType<typeof compileTrpcDoor>

const trpcRoutes = (path: string | undefined, door: TrpcDoor): Route[] =>
  path === undefined
    ? []
    : ['GET', 'POST'].map((method) => ({ method, path: `${path}/{path*}`, owner: 'routes.trpc', ...door }))

const documentRoute = (path: string | undefined, document: () => Promise<OpenApiDocument>): Route[] => {
  if (path === undefined) return []
  const text = once(async () => JSON.stringify(await document()))
  return [{ method: 'GET', path, owner: 'routes.openapi', handle: async () => jsonReply(200, await text()) }]
}

const operationIds = ({ entry, hidden }: RestBinding): string[] => {
  if (hidden) return []
  return entry.kind === 'task' ? Object.values(taskOperationIds(entry.path)) : [toOperationId(entry.path)]
}

const GENERIC_IDS = [
  'listTasks',
  'getTask',
  'getTaskStatus',
  'getTaskResult',
  'watchTask',
  'cancelTask',
  'retryTask',
  'removeTask',
]

const checkOperationIds = (bindings: readonly RestBinding[], complain: AppRoutesParts['complain']): void => {
  const known = new Map<string, string>(GENERIC_IDS.map((id) => [id, 'the task routes']))
  for (const binding of bindings)
    for (const id of operationIds(binding)) {
      const other = known.get(id)
      if (other)
        complain({
          at: binding.entry.path,
          text: `its operationId ${id} is also that of ${other}: rename one`,
        })
      known.set(id, binding.entry.path)
    }
}

/** One name can't stand for two ways of saying who one is. */
const checkSchemeNames = (entries: readonly Entry[], complain: AppRoutesParts['complain']): void => {
  const known = new Map<string, string>()
  for (const { path, definition } of entries)
    for (const [name, document] of Object.entries(schemesOf([definition]))) {
      const text = JSON.stringify(document)
      if ((known.get(name) ?? text) !== text)
        complain({
          at: path,
          text: `it checks a security scheme ${JSON.stringify(name)}, and another procedure a different one of that name: rename one`,
        })
      known.set(name, text)
    }
}

const checkTasksName = (entries: readonly Entry[], complain: AppRoutesParts['complain']): void => {
  for (const { path } of entries)
    if (path === 'tasks' || path.startsWith('tasks.'))
      complain({
        at: path,
        text: 'the name "tasks" is taken by trpc.tasks, which reads the tasks of all procedures: rename it',
      })
}

const ownRoutes = (parts: AppRoutesParts, openapi: AppRoutes['openapi'], trpc: TrpcDoor): Route[] => {
  const { options } = parts
  const { routes = {}, prefix = '' } = options
  const path = (option: string | false | undefined, standard: string): string | undefined => {
    const own = at(option, standard)
    return own === undefined ? undefined : prefix + own
  }
  const documentPath = path(routes.openapi, '/openapi.json')
  const docsPath = path(routes.docs, '/docs')
  return [
    ...trpcRoutes(path(routes.trpc, '/trpc'), trpc),
    ...documentRoute(documentPath, openapi),
    ...(docsPath && documentPath ? referenceRoutes({ path: docsPath, documentPath }) : []),
    ...livenessRoutes(at(routes.healthz, '/healthz')),
    ...readinessRoutes(at(routes.readyz, '/readyz'), parts.readiness),
    ...parts.metrics,
  ]
}

/** Builds the table of routes and what stands behind them. */
export const buildRoutes = (parts: AppRoutesParts): AppRoutes => {
  const { entries, options, doors, taskDoors, complain } = parts
  const { prefix = '', routes = {} } = options
  const tasks = entries.filter(({ kind }) => kind === 'task')
  const tasksRoot = tasks.length > 0 ? at(routes.tasks, '/tasks') : undefined
  const bindings = entries.flatMap((entry) => restBindings(entry, doors.bodyLimit))
  for (const binding of bindings) checkBinding(binding, complain)
  checkOperationIds(bindings, complain)
  checkSchemeNames(entries, complain)
  if (tasks.length > 0) checkTasksName(entries, complain)

  const openapi = once(async () => {
    const [{ createDocument }, { documentWarnings }] = await Promise.all([
      import('./openapi/document.ts'),
      import('./openapi/warnings.ts'),
    ])
    const document = createDocument({ bindings, prefix, tasksRoot, ...options.openapi })
    for (const warning of documentWarnings(document)) parts.warn(warning)
    return document
  })

  const operations: Operation[] = [
    ...entries.filter((entry) => entry.call && !entry.restOnly && !entry.foreign).map(entryOperation),
    ...tasks.flatMap((entry) => taskOperations(taskDoors, entry)),
    ...(tasks.length > 0 ? genericTaskOperations(taskDoors) : []),
  ].map((operation) => guarded(doors, operation))
  const foreign = entries.filter((entry) => entry.foreign)
  const router = once(() => buildTrpcRouter(doors, operations, foreign))
  const endpoint = prefix + (at(routes.trpc, '/trpc') ?? '')
  const byPath = new Map(
    [...operations, ...foreign.map((entry) => guarded(doors, entryOperation(entry)))].map((operation) => [
      operation.path,
      operation,
    ]),
  )
  const trpc = compileTrpcDoor(doors, byPath, compileDelegate(doors, router, endpoint))

  const context = { doors, taskDoors }
  const table = new RouteTable()
  const add = (route: Route): void => {
    const taken = table.add(route)
    if (taken)
      complain({
        at: route.owner,
        text: `${route.method} ${route.path} is also the route of ${taken.owner}: move one with meta.rest.path, or createApp's routes`,
      })
  }
  for (const route of ownRoutes(parts, openapi, trpc)) add(route)
  if (tasksRoot) for (const route of genericTaskRoutes(context, prefix + tasksRoot, tasks)) add(route)
  for (const binding of bindings)
    if (binding.entry.kind === 'task')
      for (const route of taskProcedureRoutes(context, binding, prefix)) add(route)
    else add(restRoute(doors, binding, prefix))
  return { table, router, openapi }
}
