/** What a procedure is: a plain object that carries its definition, and the types a tRPC client reads from it. */
import type { TRPCMutationProcedure, TRPCQueryProcedure, TRPCSubscriptionProcedure } from '@trpc/server'
import type { z } from 'zod'
import type { Issue } from '../protocol/errors.ts'
import type { TaskEvent, TaskRecord } from '../protocol/task.ts'
import type { Meta } from './meta.ts'
import type { Middleware } from './middleware.ts'
import type { TaskOptions } from './task-options.ts'

/** A handler with its types erased: one list holds handlers of every input, so the argument can't be named. */
// oxlint-disable-next-line typescript/no-explicit-any -- erased generics
export type AnyHandler = (args: any) => unknown

/** What a procedure does: answer, change, stream, or run as a durable task. */
export type Kind = 'query' | 'mutation' | 'subscription' | 'task'

/** Everything known about a procedure at run time, its types erased. */
export interface Definition {
  readonly kind: Kind
  readonly input: z.core.$ZodType
  readonly output: z.core.$ZodType
  readonly progress?: z.core.$ZodType
  readonly errors: Readonly<Record<string, { status: number; message?: string; data?: z.core.$ZodType }>>
  readonly meta: Meta
  /** In the order they run. */
  readonly middlewares: readonly Middleware[]
  readonly handler: AnyHandler
  /** Keys of the declaration that mean nothing; `createApp` refuses them. */
  readonly unknownOptions: readonly string[]
  /** Set on a task. */
  readonly task?: TaskOptions
}

/** The key a procedure's definition is kept under. */
export const DEFINITION = '~errand'

interface Defined<TKind extends Kind> {
  readonly '~errand': Definition & { readonly kind: TKind }
}

/** The tRPC error shape of a procedure: tRPC's standard one, with `data.error` for a declared error. */
export interface ErrorShape<TError = { code: string; data?: unknown }> {
  message: string
  /** JSON-RPC 2.0 number. */
  code: number
  data: {
    /** tRPC code key for the HTTP status. */
    code: string
    httpStatus: number
    path?: string
    issues?: readonly Issue[]
    /** Seconds to wait before another try. */
    retryAfter?: number
    error?: TError
  }
}

// `unknown` makes tRPC use the router's own shape, which saves the compiler a type per procedure.
type ShapeOf<TError> = [TError] extends [never] ? unknown : ErrorShape<TError>

interface Types<I, O, E> {
  input: I
  output: O
  meta: unknown
  errorShape: ShapeOf<E>
}

/** A procedure that reads. `I`, `O` and `E` are its input, output and declared errors on the wire. */
export interface QueryProcedure<I, O, E = never>
  extends TRPCQueryProcedure<Types<I, O, E>>, Defined<'query'> {}

/** A procedure that changes something. */
export interface MutationProcedure<I, O, E = never>
  extends TRPCMutationProcedure<Types<I, O, E>>, Defined<'mutation'> {}

/** A procedure that streams items of type `O`. */
export interface SubscriptionProcedure<I, O, E = never>
  extends TRPCSubscriptionProcedure<Types<I, AsyncIterable<O>, E>>, Defined<'subscription'> {}

/** A procedure whose calls are durable tasks. `P` is what it reports as progress. */
export interface TaskProcedure<I, O, P = unknown, E = never> extends Defined<'task'> {
  readonly '~types': { input: I; output: O; progress: P; error: E }
}

/** Any of the four. */
export interface AnyProcedure {
  readonly '~errand': Definition
}

/** The definition of a procedure. */
export const definitionOf = (procedure: AnyProcedure): Definition => procedure[DEFINITION]

/** Whether a value is a procedure made by Errand. */
export const isProcedure = (value: unknown): value is AnyProcedure =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, DEFINITION)

/** Input of `startWith`: when, how urgently and under which key the task is to run. */
export interface StartWith<I> extends RepeatableStart {
  input: I
}

/** How a task is started. */
export interface StartOptions {
  /** Unique per owner and procedure while the record is kept: a second start with it gets the first one's task. */
  idempotencyKey?: string | undefined
  /** Not before this time, ISO 8601. */
  runAt?: string | undefined
  /** Not before so long from now; milliseconds or a text like `'10m'`. */
  delay?: number | string | undefined
  /** −100 to 100; higher runs first. Default: the procedure's, else 0. */
  priority?: number | undefined
  /** To find it by. */
  tags?: string[] | undefined
}

/** A start that a client may make again when its answer was lost. */
export interface RepeatableStart extends StartOptions {
  /** Tells the same start from another, where no idempotency key does: neither the caller's nor the procedure's own. */
  retryKey?: string | undefined
}

/** How code on the server starts a task: nothing of it comes over the wire. */
export interface ServerStartOptions extends StartOptions {
  /**
   * A database transaction of yours, on an engine that keeps tasks in that database (`pgmq`): a client of `pg` after BEGIN, or
   * a transaction of Kysely. The task is there once you commit, and never was if you roll back.
   */
  tx?: object | undefined
}

/** Input of `get`. */
export interface GetTask {
  id: string
  /**
   * Seconds (≤ 30) to wait until it ends or, with `after`, changes. In a batch that is answered as a whole (the
   * `httpBatchLink`), until any other call of it has its answer.
   */
  wait?: number | undefined
  /** The `rev` you know. */
  after?: string | undefined
}

/** Input of `watch`; a tRPC client sends `lastEventId` by itself when it reconnects. */
export interface WatchTask {
  id: string
  lastEventId?: string | undefined
}

interface TaskTypes<I, O> {
  input: I
  output: O
  meta: unknown
}

/** How a task looks to a tRPC client: `trpc.countPrimes.run.mutate(input)`. */
export type TaskRouter<I, O, P, E = never> = {
  /** Start and wait for the output. */
  run: TRPCMutationProcedure<Types<I, O, E>>
  /** Start; the record is durable when this answers. */
  start: TRPCMutationProcedure<TaskTypes<I, TaskRecord<O, P>>>
  /** Start with options. */
  startWith: TRPCMutationProcedure<TaskTypes<StartWith<I>, TaskRecord<O, P>>>
  get: TRPCQueryProcedure<TaskTypes<GetTask, TaskRecord<O, P>>>
  /** Typed events, resumable. */
  watch: TRPCSubscriptionProcedure<TaskTypes<WatchTask, AsyncIterable<{ id: string; data: TaskEvent<O, P> }>>>
  cancel: TRPCMutationProcedure<TaskTypes<{ id: string }, TaskRecord<O, P>>>
  /** Run a failed or cancelled task again. */
  retry: TRPCMutationProcedure<TaskTypes<{ id: string }, TaskRecord<O, P>>>
}
