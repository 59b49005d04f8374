/** Typed errors of a procedure, told apart by code. */
import type { TRPCPromise } from '@trpc/client'
import { TaskError } from '../protocol/task-error.ts'

// What a client's procedure looks like; a task is told by its `run`.
// oxlint-disable-next-line typescript/no-explicit-any -- parameters and results of every procedure
type Resolver<TShape> = (...args: any) => TRPCPromise<any, TShape>
type ShapeOf<T> = T extends { query: Resolver<infer S> }
  ? S
  : T extends { mutate: Resolver<infer S> }
    ? S
    : T extends { run: { mutate: Resolver<infer S> } }
      ? S
      : never

/** The errors that a procedure declares, as a union of `{ code, data }`. */
export type ErrorOf<T> = ShapeOf<T> extends { data: { error?: infer E } } ? NonNullable<E> : never

/**
 * The declared error of a procedure that a call was answered with; undefined for any other failure.
 *
 * @example const e = errorOf(trpc.shop.order, err); if (e?.code === 'OUT_OF_STOCK') e.data.sku
 */
export const errorOf = <T>(_procedure: T, error: unknown): ErrorOf<T> | undefined => {
  if (error instanceof TaskError) return { code: error.code, data: error.data } as unknown as ErrorOf<T>
  return (error as { data?: { error?: ErrorOf<T> } } | undefined)?.data?.error
}
