/** `createApp`: the one file that knows every ring. It puts the parts together and opens nothing before it is needed. */
import { createFetchHandler, type FetchHandler } from './adapters/fetch.ts'
import type { ListenOptions, RunningServer } from './adapters/listen.ts'
import { createNodeHandler, type NodeHandler } from './adapters/node.ts'
import type { Serving } from './adapters/server-limits.ts'
import { AppLife } from './app-life.ts'
import { configure, type ShownSetting } from './app-configuration.ts'
import { registerWork } from './app-worker.ts'
import type { AppOptions } from './app-options.ts'
import { AppMetrics } from './app-metrics.ts'
import { AppProtection } from './app-protection.ts'
import { Readiness } from './app-readiness.ts'
import type { Seams } from './app-seams.ts'
import type { AppRouter } from './app-types.ts'
import { AppTasks } from './app-tasks.ts'
import { buildRoutes, type OpenApiDocument } from './app-routes.ts'
import { createObserver } from './observability/observer.ts'
import { traceCall } from './observability/traced-calls.ts'
import { watchRequests } from './observability/watched-requests.ts'
import { collectEntries, checkSchemaIds, type Complaint } from './router/entries.ts'
import { corsPolicy } from './router/cors.ts'
import type { Doors } from './router/doors.ts'
import { challengeOf, schemesOf } from './procedures/security.ts'
import { compileGate } from './router/gate.ts'
import type { RouteTable } from './router/route-table.ts'
import { compileHandleRequest } from './router/handle-request.ts'
import { toBytes } from './router/body-limit.ts'
import type { Outside } from './config/resolve.ts'
import type { Tasks } from './tasks/tasks.ts'
import { isInWorker } from './tasks/worker/registry.ts'

/** An app: procedures behind all their doors. */
// oxlint-disable-next-line typescript/no-explicit-any -- an app whatever its procedures and its context
export interface App<TTree = any, TContext = any> {
  /** For `typeof app.router` at a tRPC client, or any tRPC adapter. */
  readonly router: AppRouter<TTree, TContext>
  readonly tasks: Tasks
  /** Calls procedures on the server, as tRPC's `createCaller`. */
  caller(ctx: TContext): ReturnType<AppRouter<TTree, TContext>['createCaller']>
  readonly fetch: FetchHandler
  readonly node: NodeHandler
  /** Starts the workers that tasks need, opens the task engine and a server; SIGTERM and SIGINT then close the app. */
  listen(options?: ListenOptions): Promise<RunningServer>
  /** The OpenAPI 3.1 document. */
  openapi(): Promise<OpenApiDocument>
  /** Every route: method, path, and whose it is. */
  routes(): readonly { readonly method: string; readonly path: string; readonly owner: string }[]
  /** Every setting as it holds, and where it was said. */
  config(): readonly ShownSetting[]
  /** Takes no new requests or tasks, lets those under way end, and releases everything. */
  close(): Promise<void>
}

const DEFAULT_BODY_LIMIT = 1024 ** 2

/** `createApp` was given something it can't serve. */
export class DeclarationError extends Error {
  override readonly name = 'DeclarationError'
  readonly complaints: readonly Complaint[]
  constructor(complaints: readonly Complaint[]) {
    super(`createApp can't serve this:\n${complaints.map(({ at, text }) => `  - ${at}: ${text}`).join('\n')}`)
    this.complaints = complaints
    // The message says it all; whoever prints the error need not read it twice.
    Object.defineProperty(this, 'complaints', { enumerable: false })
  }
}

/**
 * Puts procedures behind tRPC, REST and an OpenAPI document, and makes their tasks durable.
 *
 * @param tree procedures by name, nested at will; a plain tRPC router is one too
 * @throws DeclarationError that names every procedure it can't serve, the place inside it, and the cure
 *
 * @example export default createApp({ add, users: { create } }, { module: import.meta.url })
 */
export const createApp = <const TTree extends object, TContext extends object = object>(
  tree: TTree,
  options: AppOptions<TContext> = {},
): App<TTree, TContext> => buildApp(tree, options, {})

/** What is around an app, besides its code. */
const surroundings = (): Outside => ({ environment: process.env, dir: process.cwd() })

const servingOf = (handler: NodeHandler, { routes }: RouteTable): Serving => {
  const probes = new Set(routes.flatMap(({ path, always }) => (always ? path : [])))
  return { handler, always: (path) => probes.has(path) }
}

/** `createApp`, with a way in for a test kit. */
export const buildApp = <const TTree extends object, TContext extends object>(
  tree: TTree,
  given: AppOptions<TContext>,
  seams: Seams,
): App<TTree, TContext> => {
  const configuration = configure(given, seams.sealed || isInWorker() ? undefined : surroundings())
  const { options, profile } = configuration
  const complaints: Complaint[] = [...configuration.complaints]
  const complain = (complaint: Complaint): void => void complaints.push(complaint)
  const { createContext = () => ({}), bodyLimit = DEFAULT_BODY_LIMIT } = options
  const observer = createObserver({
    option: options.logger,
    profile,
    on: options.on,
    ownerOf: options.owner && ((ctx) => doors.ownerOf(ctx)),
    counted: (happening) => metrics.told(happening),
  })
  const { logger } = observer
  const declared = collectEntries(tree, complain, Array.isArray(options.use) ? options.use : []).map(
    seams.entry ?? ((entry) => entry),
  )
  checkSchemaIds(declared, complain)
  const metrics = new AppMetrics({ options, entries: declared, looks: () => appTasks, logger, complain })
  const entries = declared.map((entry) => metrics.timed(entry))
  const appTasks = new AppTasks({
    entries,
    options,
    option: configuration.tasks,
    seams,
    profile,
    observer,
    complain,
  })
  const protection = new AppProtection(options, entries, logger)
  const doors: Doors = {
    createContext,
    tasks: appTasks.tasks,
    reveal: profile === 'development',
    bodyLimit: toBytes(bodyLimit),
    report: observer.callFailed,
    ownerOf: (ctx) => options.owner?.(ctx) ?? null,
    strangerKey: protection.strangerKey,
    throttle: protection.throttle,
    streams: protection.streams,
    traceCall,
  }
  const readiness = new Readiness({
    vitals: appTasks.vitals(),
    isDraining: () => life.ending.draining.aborted,
    logger,
  })
  const routes = buildRoutes({
    entries,
    options,
    doors,
    taskDoors: appTasks.doors,
    readiness,
    metrics: metrics.routes(),
    complain,
    warn: (message) => logger.warn({}, `OpenAPI document: ${message}`),
  })
  if (complaints.length > 0) throw new DeclarationError(complaints)
  appTasks.register()

  const { limits, hops, pressure } = protection
  const gate = compileGate(limits, pressure)
  const challenge = challengeOf(schemesOf(entries.map(({ definition }) => definition)))
  const front = { cors: corsPolicy(options.cors), gate, hops, challenge }
  const watchers = [...observer.answered, ...metrics.answered]
  const handle = watchRequests(compileHandleRequest(routes.table, doors, front), watchers)
  const { listen } = configuration
  const life = new AppLife({ tasks: appTasks, guard: protection, aside: metrics, logger, listen })
  const node = createNodeHandler(handle, life.ending, limits.answerTimeout)

  const app: App<TTree, TContext> = {
    get router() {
      return routes.router() as AppRouter<TTree, TContext>
    },
    tasks: appTasks.tasks,
    caller: (ctx) => routes.router().createCaller(ctx) as never,
    fetch: createFetchHandler(handle),
    node,
    listen: (listenOptions = {}) => life.listen(servingOf(node, routes.table), listenOptions),
    // A copy: what a caller does to it is not what is served.
    openapi: async () => structuredClone(await routes.openapi()),
    routes: () => routes.table.routes.map(({ method, path, owner }) => ({ method, path, owner })),
    config: () => configuration.shown(),
    close: () => life.close(),
  }
  registerWork(app, (work) => life.work(work))
  return app
}
