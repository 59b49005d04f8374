/** Anything thrown, as data: what the caller may see, and what only the log and admins may. */
import { inspect } from 'node:util'
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
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: Failure }

export const success = <T>(value: T): CallResult<T> => ({ ok: true, value })
export const failure = (error: Failure): CallResult<never> => ({ ok: false, error })

const INTERNAL_MESSAGE = 'Internal server error'

interface TRPCErrorLike extends Error {
  readonly code: string
}

// A handler moved over from tRPC goes on throwing TRPCErrors; told by its name, as two copies have two classes.
const isTRPCError = (error: unknown): error is TRPCErrorLike =>
  error instanceof Error && error.name === 'TRPCError' && isErrorCode((error as TRPCErrorLike).code)

/** How deep causes are followed: they may go round in a circle. */
const LONGEST_CHAIN = 5

const inWords = (value: unknown): string => (typeof value === 'string' ? value : inspect(value))

/** The stack, and those of what caused it: often only they tell what went wrong. */
const stackOf = (error: Error, depth = 0): string => {
  const reasons = [error.cause, ...((error as AggregateError).errors ?? [])].filter(
    (reason: unknown) => reason !== undefined,
  )
  const own = error.stack ?? `${error.name}: ${error.message}`
  if (depth === LONGEST_CHAIN) return own
  const causes = reasons.map(
    (reason) => `\nCaused by: ${reason instanceof Error ? stackOf(reason, depth + 1) : inWords(reason)}`,
  )
  return own + causes.join('')
}

const describe = (thrown: unknown): InternalError =>
  thrown instanceof Error
    ? { name: inWords(thrown.name), message: inWords(thrown.message), stack: stackOf(thrown) }
    : { name: typeof thrown, message: inWords(thrown) }

/** What waited for the caller and broke off when he hung up: Node's own functions give the reason as the cause. */
const isHangUp = (thrown: unknown): thrown is Error =>
  thrown instanceof Error && thrown.name === 'AbortError' && isProcedureError(thrown.cause)

// tRPC puts a TRPCError around what it doesn't know, with the same words. They were not meant for callers.
const isWrapper = ({ code, message, cause }: TRPCErrorLike): boolean =>
  isProcedureError(cause) ||
  (code === 'INTERNAL_SERVER_ERROR' && cause instanceof Error && cause.message === message)

const fromTRPC = (error: TRPCErrorLike): Failure => {
  if (isWrapper(error)) return toFailure(error.cause)
  const { code, message, cause } = error
  return {
    code,
    status: statusForCode(code),
    message,
    ...(cause === undefined ? {} : { internal: describe(cause) }),
  }
}

/** What a throw means for the caller. An error not meant for callers keeps its words inside. */
export const toFailure = (thrown: unknown): Failure => {
  if (isProcedureError(thrown)) {
    const data = toErrorData(thrown)
    return thrown.cause === undefined ? data : { ...data, internal: describe(thrown.cause) }
  }
  if (isTRPCError(thrown)) return fromTRPC(thrown)
  if (isHangUp(thrown)) return toFailure(thrown.cause)
  const internal = describe(thrown)
  return {
    code: 'INTERNAL_SERVER_ERROR',
    status: 500,
    message: INTERNAL_MESSAGE,
    name: internal.name,
    internal,
  }
}

/** The part of a failure that goes over the wire; `reveal` adds the internal message, for development. */
export const toWireError = (error: Failure, reveal: boolean): ErrorData => {
  if (error.internal === undefined && error.name === undefined) return error
  const { internal, name: _name, ...data } = error
  if (!internal || !reveal) return data
  return { ...data, message: data.status === 500 ? `${internal.name}: ${internal.message}` : data.message }
}
