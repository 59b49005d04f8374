/** Typed errors of a procedure, told apart by code. */
import type { TRPCPromise } from '@trpc/client'
import { TaskError } from '../protocol/task-error.ts'

// What a client's procedure looks like; a task is told by its `run`.
// oxlint-disable typescript/no-explicit-any -- parameters and results of every procedure
type Resolver<TShape> = (...args: any) => TRPCPromise<any, TShape>
type ShapeOf<T> = T extends { query: Resolver<infer S> }
  ? S
  : T extends { mutate: Resolver<infer S> }
    ? S
    : T extends { run: { mutate: Resolver<infer S> } }
      ? S
      : never

// Distributes over the shape, so that none gives none.
type TrpcError<TShape> = TShape extends { data: { error?: infer E } } ? NonNullable<E> : never

type IsOne<T, TAll = T> = T extends unknown ? ([TAll] extends [T] ? true : false) : never
// Of the problems that a generated operation is answered with, each declared one has one code.
type DeclaredProblem<E> = E extends { code: infer C extends string }
  ? string extends C
    ? never
    : IsOne<C> extends true
      ? E
      : never
  : never
type ProblemOf<T> = T extends (options: any) => Promise<infer A>
  ? A extends { error: infer E }
    ? DeclaredProblem<E>
    : never
  : never
// oxlint-enable typescript/no-explicit-any

/** The errors that a procedure declares, as a union of `{ code, data }`. */
export type ErrorOf<T> = TrpcError<ShapeOf<T>> | ProblemOf<T>

/**
 * The declared error of a procedure that a call was answered with; undefined for any other failure.
 *
 * @param _procedure of a tRPC client, or an operation of a generated one
 *
 * @example const e = errorOf(trpc.shop.order, err); if (e?.code === 'OUT_OF_STOCK') e.data.sku
 */
export const errorOf = <T>(_procedure: T, error: unknown): ErrorOf<T> | undefined => {
  if (error instanceof TaskError) return { code: error.code, data: error.data } as unknown as ErrorOf<T>
  const { detail, data } = (error ?? {}) as { detail?: string; data?: { error?: ErrorOf<T> } | null }
  // Only a problem (RFC 9457) has a detail.
  return detail === undefined ? data?.error : (error as ErrorOf<T>)
}
