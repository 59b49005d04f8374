/** The types of an app: what `typeof app.router` promises to a client. */
import type {
  AnyTRPCRouter,
  TRPCBuiltRouter,
  TRPCMutationProcedure,
  TRPCQueryProcedure,
  TRPCRouterRecord,
} from '@trpc/server'
import type { TaskPage, TaskRecord, TaskStatus } from './protocol/task.ts'
import type { ErrorShape, GetTask, TaskRouter } from './procedures/procedure.ts'

interface Op<I, O> {
  input: I
  output: O
  meta: unknown
}

/** What to list: filters, and where to go on. */
export interface ListTasks {
  procedure?: string | undefined
  status?: TaskStatus | undefined
  tag?: string | undefined
  /** 1 to 200, default 50. */
  limit?: number | undefined
  cursor?: string | undefined
}

/** `trpc.tasks`: tasks of all procedures. */
export type TasksRouter = {
  list: TRPCQueryProcedure<Op<ListTasks | undefined, TaskPage>>
  get: TRPCQueryProcedure<Op<GetTask, TaskRecord>>
  cancel: TRPCMutationProcedure<Op<{ id: string }, TaskRecord>>
  retry: TRPCMutationProcedure<Op<{ id: string }, TaskRecord>>
  remove: TRPCMutationProcedure<Op<{ id: string }, void>>
}

interface TaskTypes {
  readonly '~types': { input: unknown; output: unknown; progress: unknown; error: unknown }
}

type RouterOfTask<T extends TaskTypes> = TaskRouter<
  T['~types']['input'],
  T['~types']['output'],
  T['~types']['progress'],
  T['~types']['error']
>

type RecordOfForeign<T> = T extends { readonly _def: { readonly record: infer R } } ? R : T

/**
 * A record of procedures as a tRPC router's record: tasks become routers of their own, the rest passes untouched.
 * It asks for the names of members only, as comparing whole procedures is what costs a compiler.
 */
export type RouterRecordOf<T> = {
  [K in keyof T]: '~types' extends keyof T[K]
    ? T[K] extends TaskTypes
      ? RouterOfTask<T[K]>
      : never
    : '~errand' extends keyof T[K]
      ? T[K]
      : '_def' extends keyof T[K]
        ? RecordOfForeign<T[K]>
        : RouterRecordOf<T[K]>
}

/** The root types of an app's router. */
export interface Root<TContext> {
  ctx: TContext
  meta: object
  errorShape: ErrorShape
  transformer: false
}

type RecordOf<T> = T extends AnyTRPCRouter ? T['_def']['record'] : RouterRecordOf<T>

/** The tRPC router of an app. */
export type AppRouter<TTree, TContext> = TRPCBuiltRouter<
  Root<TContext>,
  RecordOf<TTree> & { tasks: TasksRouter } extends infer R extends TRPCRouterRecord ? R : never
>
