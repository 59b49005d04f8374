/** The options of `createApp`, checked. */
import { metricsProblems, type MetricsOptions } from './app-metrics-options.ts'
import { hookProblems, type HookOptions } from './app-hook-options.ts'
import { loggerProblems } from './app-logger-options.ts'
import type { Logger, LogOptions } from './observability/logger.ts'
import { protectionProblems, type ProtectionOptions } from './app-protection-options.ts'
import type { DocumentOptions } from './openapi/document.ts'
import type { BaseProfile } from './config/profiles.ts'
import { path as pathRule } from './config/option-rules.ts'
import { expectedOneOf } from './config/near-miss.ts'
import type { ProfileSettings, RouteOptions } from './app-config.ts'
import { sizeProblem } from './router/body-limit.ts'
import type { ContextRequest } from './router/http.ts'
import type { CorsOptions } from './router/cors.ts'
import type { Meta } from './procedures/meta.ts'
import type { MaybePromise } from './procedures/handler.ts'
import type { TasksOption } from './tasks/engines/options.ts'

/** Settings by name, which decide how much is shown and what may be left open: one of three, or the project's own. */
export type Profile = BaseProfile | (string & {})

/** What the document says of the app as a whole. */
export type OpenApiOptions = DocumentOptions

/** Options of `createApp`. */
export interface AppOptions<TContext = object> extends ProtectionOptions, HookOptions<TContext> {
  /** `import.meta.url` of the module that calls `createApp`: workers import it. */
  readonly module?: string
  /** Where tasks live. Default `local()`: a SQLite file and worker threads. */
  readonly tasks?: TasksOption
  /** Makes the context of each request. Default: an empty object. */
  readonly createContext?: (request: ContextRequest) => MaybePromise<TContext>
  /** Whose task it is. Without it all callers are one. */
  readonly owner?: (ctx: TContext) => string | null
  /** Who sees and may stop every task. */
  readonly admin?: (ctx: TContext) => boolean
  /** Put before every path but the probes, such as `/api`. */
  readonly prefix?: string
  readonly routes?: RouteOptions
  /** Largest body, in bytes or as `'10mb'`. Default 1 MiB. */
  readonly bodyLimit?: NonNullable<Meta['bodyLimit']>
  readonly cors?: boolean | CorsOptions
  readonly openapi?: OpenApiOptions
  /** Metrics for Prometheus, over the package prom-client. Default: none. */
  readonly metrics?: boolean | MetricsOptions
  /** Where the log goes: a logger such as pino's, how to make one, or `false` for none. Default: pino on standard error. */
  readonly logger?: Logger | LogOptions | false
  /** Default: `ERRAND_PROFILE`, else `NODE_ENV` if a profile has that name, else what the file says, else `development`. */
  readonly profile?: Profile
  /** Profiles by name: more in the three that are built in, or the project's own. */
  readonly profiles?: Readonly<Record<string, ProfileSettings>>
  /**
   * The file that says what code doesn't, relative to the working directory; `false` reads none. Default: `ERRAND_CONFIG`,
   * else `errand.config.{ts,mts,js,mjs,cjs,json,toml,yaml,yml}` if there is one.
   */
  readonly config?: string | false
}

/** Options whatever the context: the parts of an app don't look into it. */
// oxlint-disable-next-line typescript/no-explicit-any -- erased generics: both given to and taken from the options
export type AnyAppOptions = AppOptions<any>

const KNOWN: ReadonlySet<string> = new Set([
  'module',
  'tasks',
  'createContext',
  'owner',
  'admin',
  'prefix',
  'routes',
  'bodyLimit',
  'limits',
  'rateLimit',
  'trustProxy',
  'cors',
  'metrics',
  'openapi',
  'use',
  'useTask',
  'on',
  'logger',
  'profile',
  'profiles',
  'config',
] satisfies (keyof AppOptions)[])

const KNOWN_ROUTES: ReadonlySet<string> = new Set([
  'tasks',
  'docs',
  'openapi',
  'trpc',
  'healthz',
  'readyz',
  'metrics',
] satisfies (keyof RouteOptions)[])

const KNOWN_CORS: ReadonlySet<string> = new Set([
  'origin',
  'credentials',
  'headers',
  'expose',
  'maxAge',
] satisfies (keyof CorsOptions)[])

const KNOWN_OPENAPI: ReadonlySet<string> = new Set([
  'title',
  'version',
  'description',
  'servers',
  'securitySchemes',
  'security',
] satisfies (keyof OpenApiOptions)[])

const isPath = pathRule('/api').holds

const unknownIn = (value: unknown, known: ReadonlySet<string>, prefix = ''): string[] =>
  Object.keys(typeof value === 'object' && value !== null ? value : {})
    .filter((key) => !known.has(key))
    .map(
      (key) =>
        `unknown option ${prefix ? prefix + key : JSON.stringify(key)}, ${expectedOneOf(key, [...known])}`,
    )

const routeProblems = (routes: RouteOptions): string[] =>
  Object.entries(routes).flatMap(([name, path]: [string, unknown]) => {
    if (!KNOWN_ROUTES.has(name) || path === false || path === undefined || isPath(path)) return []
    return [`routes.${name} is ${JSON.stringify(path)}, expected a path like "/_${name}", or false`]
  })

/** What is wrong with the options, in sentences. */
export const optionProblems = (options: AnyAppOptions): string[] => {
  const { prefix, routes = {}, module, cors, openapi, bodyLimit, config } = options
  const size = sizeProblem(bodyLimit)
  return [
    ...unknownIn(options, KNOWN),
    ...unknownIn(routes, KNOWN_ROUTES, 'routes.'),
    ...unknownIn(cors, KNOWN_CORS, 'cors.'),
    ...unknownIn(openapi, KNOWN_OPENAPI, 'openapi.'),
    ...(size ? [size] : []),
    ...(prefix === undefined || prefix === '' || isPath(prefix)
      ? []
      : [`prefix is ${JSON.stringify(prefix)}, expected a path like "/api"`]),
    ...routeProblems(routes),
    ...protectionProblems(options),
    ...hookProblems(options),
    ...loggerProblems(options.logger),
    ...metricsProblems(options.metrics),
    ...(config === undefined || config === false || (typeof config === 'string' && config !== '')
      ? []
      : [`config is ${JSON.stringify(config)}, expected the path of a configuration file, or false`]),
    ...(module === undefined || module.startsWith('file:')
      ? []
      : [`module is ${JSON.stringify(module)}, expected a file: URL: pass import.meta.url`]),
  ]
}
