/** `procedure.query | mutation | subscription | task`: one plain object in, one procedure out. */
import type { DeclaredErrorUnion, DeclaredErrors } from './errors.ts'
import type { HandlerArgs, MaybePromise, TaskHandlerArgs } from './handler.ts'
import type { Meta } from './meta.ts'
import type { Middleware, Widen } from './middleware.ts'
import { DEFINITION, type Definition, type Kind } from './procedure.ts'
import type { MutationProcedure, QueryProcedure, SubscriptionProcedure, TaskProcedure } from './procedure.ts'
import type { Parsed, Schema, Wire } from './schema.ts'
import { TASK_OPTION_NAMES, type TaskOptions } from './task-options.ts'

/** What every procedure declares. */
export interface Declaration<TContext, I extends Schema, O extends Schema, TErrors> {
  /** `z.void()` for none. */
  readonly input: I
  /** `z.void()` for none: the answer is then 204. */
  readonly output: O
  /** Errors a client can tell apart by code. */
  readonly errors?: TErrors
  readonly meta?: Meta
  readonly handler: (args: HandlerArgs<Parsed<I>, TContext, TErrors>) => MaybePromise<Parsed<O>>
}

/** What a subscription declares; `output` is the type of each item. */
export interface SubscriptionDeclaration<TContext, I extends Schema, O extends Schema, TErrors> extends Omit<
  Declaration<TContext, I, O, TErrors>,
  'handler'
> {
  readonly handler: (args: HandlerArgs<Parsed<I>, TContext, TErrors>) => AsyncIterable<Parsed<O>>
}

/** What a task declares. */
export interface TaskDeclaration<
  TContext,
  I extends Schema,
  O extends Schema,
  P extends Schema,
  TErrors,
  TCarried,
>
  extends
    Omit<Declaration<TContext, I, O, TErrors>, 'handler'>,
    Omit<TaskOptions, 'carry' | 'idempotencyKey'> {
  /** Types what `progress()` takes and what watchers get. */
  readonly progress?: P
  /** The slice of the context that the worker gets as `carried`: JSON. */
  readonly carry?: (call: { readonly ctx: TContext }) => TCarried
  /** Makes the idempotency key of a start that brings none. */
  readonly idempotencyKey?: (call: { readonly input: Parsed<I> }) => string
  readonly handler: (
    args: TaskHandlerArgs<Parsed<I>, TCarried, Parsed<P>, TErrors>,
  ) => MaybePromise<Parsed<O>>
}

/** Makes procedures that share a context type and middleware. */
export interface ProcedureBase<TContext> {
  /** Reads: also answers GET. */
  query<I extends Schema, O extends Schema, const TErrors extends DeclaredErrors = {}>(
    declaration: Declaration<TContext, I, O, TErrors>,
  ): QueryProcedure<Wire<I>, Wire<O>, DeclaredErrorUnion<TErrors>>
  /** Changes something. */
  mutation<I extends Schema, O extends Schema, const TErrors extends DeclaredErrors = {}>(
    declaration: Declaration<TContext, I, O, TErrors>,
  ): MutationProcedure<Wire<I>, Wire<O>, DeclaredErrorUnion<TErrors>>
  /** Streams items, over tRPC and as server-sent events. */
  subscription<I extends Schema, O extends Schema, const TErrors extends DeclaredErrors = {}>(
    declaration: SubscriptionDeclaration<TContext, I, O, TErrors>,
  ): SubscriptionProcedure<Wire<I>, Wire<O>, DeclaredErrorUnion<TErrors>>
  /** Runs as a durable task. */
  task<
    I extends Schema,
    O extends Schema,
    P extends Schema = Schema,
    const TErrors extends DeclaredErrors = {},
    TCarried = undefined,
  >(
    declaration: TaskDeclaration<TContext, I, O, P, TErrors, TCarried>,
  ): TaskProcedure<Wire<I>, Wire<O>, Wire<P>, DeclaredErrorUnion<TErrors>>
  /** A base whose procedures run this middleware after those already there. */
  use<TExtra extends object>(middleware: Middleware<TContext, TExtra>): ProcedureBase<Widen<TContext, TExtra>>
}

type AnyDeclaration = Omit<Partial<Definition>, 'task'> & TaskOptions

const taskOptions = (declaration: AnyDeclaration): TaskOptions =>
  Object.fromEntries(
    TASK_OPTION_NAMES.filter((name) => name in declaration).map((name) => [name, declaration[name]]),
  )

const COMMON = ['input', 'output', 'errors', 'meta', 'handler'] as const

/** What a declaration of each kind may have. */
export const OPTIONS_OF: Readonly<Record<Kind, readonly string[]>> = {
  query: COMMON,
  mutation: COMMON,
  subscription: COMMON,
  task: [...COMMON, 'progress', ...TASK_OPTION_NAMES],
}

const unknownOptions = (kind: Kind, declaration: object): readonly string[] =>
  Object.keys(declaration).filter((key) => !OPTIONS_OF[kind].includes(key))

// The types are those a tRPC client reads; at run time a procedure is its definition and nothing else.
const declare =
  <TKind extends Kind>(kind: TKind, middlewares: readonly Middleware[]) =>
  (declaration: AnyDeclaration): never => {
    const { input, output, progress, errors = {}, meta = {}, handler } = declaration
    const definition = {
      kind,
      input,
      output,
      errors,
      meta,
      middlewares,
      handler,
      ...(progress ? { progress } : {}),
      ...(kind === 'task' ? { task: taskOptions(declaration) } : {}),
      unknownOptions: unknownOptions(kind, declaration),
    }
    return Object.freeze({ [DEFINITION]: Object.freeze(definition) }) as never
  }

const createBase = <TContext>(middlewares: readonly Middleware[]): ProcedureBase<TContext> =>
  ({
    query: declare('query', middlewares),
    mutation: declare('mutation', middlewares),
    subscription: declare('subscription', middlewares),
    task: declare('task', middlewares),
    use: (middleware: Middleware) => createBase([...middlewares, middleware]),
  }) as unknown as ProcedureBase<TContext>

/**
 * A base for procedures with a context of your own type, which `createApp`'s `createContext` makes.
 *
 * @example const procedure = createProcedure<{ user: User | null }>()
 */
export const createProcedure = <TContext extends object = object>(): ProcedureBase<TContext> =>
  createBase<TContext>([])

/** The base without a context. */
export const procedure: ProcedureBase<object> = createProcedure()
