/** Errand's server side. What is not listed here is not promised. */
export { createApp, DeclarationError, type App } from './app.ts'
export { runWorker, type RunningWorker, type WorkerOptions } from './app-worker.ts'
export {
  defineConfig,
  type Config,
  type ProfileSettings,
  type RouteOptions,
  type Settings,
} from './app-config.ts'
export type { MetricsOptions } from './app-metrics-options.ts'
export type { ShownSetting } from './app-configuration.ts'
export type { AppOptions, OpenApiOptions, Profile } from './app-options.ts'
export type { Logger, LogLevel, LogOptions } from './observability/logger.ts'
export type { ProtectionOptions, RateLimitOptions } from './app-protection-options.ts'
export type { LimitOptions } from './config/limits.ts'
export type { AppRouter } from './app-types.ts'
export type { ListenOptions, RunningServer } from './adapters/listen.ts'
export type { OpenApiDocument } from './openapi/document.ts'
export { apiKey, type ApiKeyOptions } from './middleware/api-key.ts'
export { authenticate, type Authentication } from './middleware/authenticate.ts'
export { bearer, type BearerOptions } from './middleware/bearer.ts'
export { sameSecret } from './middleware/same-secret.ts'
export type { Scheme, Verify } from './middleware/scheme.ts'
export { session, type SessionOptions } from './middleware/session.ts'
export { createProcedure, procedure, type ProcedureBase } from './procedures/declare.ts'
export type { Rate } from './procedures/rate.ts'
export { ProcedureError, type ProcedureErrorOptions } from './procedures/errors.ts'
export type { HandlerArgs, TaskHandlerArgs, TaskLogger, TaskStarter } from './procedures/handler.ts'
export type { Meta, RestMeta } from './procedures/meta.ts'
export type { Middleware, MiddlewareArgs, MiddlewareResult } from './procedures/middleware.ts'
export type {
  MutationProcedure,
  QueryProcedure,
  ServerStartOptions,
  StartOptions,
  SubscriptionProcedure,
  TaskProcedure,
} from './procedures/procedure.ts'
export type { TaskMiddleware, TaskMiddlewareArgs } from './procedures/task-middleware.ts'
export { stream, type StreamBody } from './procedures/stream.ts'
export type { RetryOptions, TaskOptions } from './procedures/task-options.ts'
export type { Duration } from './protocol/duration.ts'
export type { ErrorCode, ErrorData, Issue } from './protocol/errors.ts'
export { TaskError } from './protocol/task-error.ts'
export type { TaskHandle, WaitOptions } from './protocol/task-handle.ts'
export type { TaskHappened, TaskHappenings, TaskListeners } from './observability/task-listeners.ts'
export type { TaskEvent, TaskLog, TaskPage, TaskRecord, TaskStatus } from './protocol/task.ts'
export type { ContextRequest } from './router/http.ts'
export type { CorsOptions } from './router/cors.ts'
export { inline, local } from './tasks/engines/local.ts'
