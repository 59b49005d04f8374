/** Anything thrown, as data: what the caller may see, and what only the log and admins may. */
import { isErrorCode, statusForCode, type ErrorData } from '../protocol/errors.ts'
import { isProcedureError, toErrorData } from './errors.ts'

/** An error that was not meant for callers. */
export interface InternalError {
  readonly name: string
  readonly message: string
  readonly stack?: string
}

/** A failed call. */
export interface Failure extends ErrorData {
  /** The thrown error's name, for `retryOn` and `neverRetryOn`. */
  readonly name?: string
  /** Never sent to a caller, but in development and to admins. */
  readonly internal?: InternalError
}

/** How a call ended. */
export type CallResult<T = unknown> =
  { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: Failure }

export const success = <T>(value: T): CallResult<T> => ({ ok: true, value })
export const failure = (error: Failure): CallResult<never> => ({ ok: false, error })

const INTERNAL_MESSAGE = 'Internal server error'

interface TRPCErrorLike extends Error {
  readonly code: string
}

// A handler moved over from tRPC goes on throwing TRPCErrors; told by its name, as two copies have two classes.
const isTRPCError = (error: unknown): error is TRPCErrorLike =>
  error instanceof Error && error.name === 'TRPCError' && isErrorCode((error as TRPCErrorLike).code)

const describe = (thrown: unknown): InternalError =>
  thrown instanceof Error
    ? { name: thrown.name, message: thrown.message, ...(thrown.stack ? { stack: thrown.stack } : {}) }
    : { name: typeof thrown, message: String(thrown) }

/** What a throw means for the caller. An error not meant for callers keeps its words inside. */
export const toFailure = (thrown: unknown): Failure => {
  if (isProcedureError(thrown))
    return {
      ...toErrorData(thrown),
      ...(thrown.cause === undefined ? {} : { internal: describe(thrown.cause) }),
    }
  if (isTRPCError(thrown)) return { code: thrown.code, status: statusForCode(thrown.code), message: thrown.message }
  const internal = describe(thrown)
  return { code: 'INTERNAL_SERVER_ERROR', status: 500, message: INTERNAL_MESSAGE, name: internal.name, internal }
}

/** The part of a failure that goes over the wire; `reveal` adds the internal message, for development. */
export const toWireError = (error: Failure, reveal: boolean): ErrorData => {
  const { internal, name: _name, ...data } = error
  if (!internal || !reveal) return data
  return { ...data, message: data.status === 500 ? `${internal.name}: ${internal.message}` : data.message }
}
