/** What a handler gets and gives. */
import type { TaskHandle } from '../protocol/task-handle.ts'
import type { ErrorMakers } from './errors.ts'
import type { Meta } from './meta.ts'
import type { ServerStartOptions, StartOptions, TaskProcedure } from './procedure.ts'

/** A value or a promise of it. */
export type MaybePromise<T> = T | Promise<T>

/** Starts tasks from a handler. In a worker there is no transaction to join. */
export interface TaskStarter<TOptions extends StartOptions = StartOptions> {
  /** Resolves once the task is durable. */
  start<I, O, P, E>(task: TaskProcedure<I, O, P, E>, input: I, options?: TOptions): Promise<TaskHandle<O, P>>
  /** By dotted name. */
  start(path: string, input: unknown, options?: TOptions): Promise<TaskHandle>
}

/** What every handler gets. */
export interface HandlerArgs<TInput, TContext, TErrors> {
  /** Parsed by the input schema. */
  readonly input: TInput
  readonly ctx: TContext
  /** Makers of the declared errors: `throw errors.NOT_FOUND({ id })`. */
  readonly errors: ErrorMakers<TErrors>
  /** Aborts when the caller hangs up. */
  readonly signal: AbortSignal
  readonly tasks: TaskStarter<ServerStartOptions>
  readonly meta: Meta
  /** The procedure's dotted path. */
  readonly path: string
}

/** Log lines of a task, kept with it and sent to whoever watches. */
export interface TaskLogger {
  debug(message: string, fields?: Record<string, unknown>): void
  info(message: string, fields?: Record<string, unknown>): void
  warn(message: string, fields?: Record<string, unknown>): void
  error(message: string, fields?: Record<string, unknown>): void
}

/** What a task's handler gets. It may run in another thread, process or host, so it has no request and no context. */
export interface TaskHandlerArgs<TInput, TCarried, TProgress, TErrors> {
  /** Parsed by the input schema, again, in the worker. */
  readonly input: TInput
  /** What `carry` took from the context at the start; undefined where the server itself started the task, without one. */
  readonly carried: TCarried | undefined
  readonly errors: ErrorMakers<TErrors>
  /** Aborts on cancel, on the attempt's timeout, and on the deadline. */
  readonly signal: AbortSignal
  /** Reports progress: the latest is in the record, all go to whoever watches. */
  readonly progress: (progress: TProgress) => void
  readonly log: TaskLogger
  /** Counts from 1. */
  readonly attempt: number
  readonly taskId: string
  readonly tasks: TaskStarter
  readonly meta: Meta
  readonly path: string
}
