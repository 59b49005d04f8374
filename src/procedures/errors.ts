/** The errors a procedure can throw: declared ones, `ProcedureError`, and everything else. */
import {
  ERROR_CODES,
  isErrorCode,
  statusForCode,
  type ErrorCode,
  type ErrorData,
  type Issue,
} from '../protocol/errors.ts'
import type { Parsed, Schema, Wire } from './schema.ts'

/** Errors a procedure declares: each code with its HTTP status and the schema of its data. */
export type DeclaredErrors = Readonly<Record<string, DeclaredErrorOptions>>

/** One declared error. */
export interface DeclaredErrorOptions {
  /** HTTP status, 400 to 599. */
  readonly status: number
  /** Default: the code in words. */
  readonly message?: string
  /** The payload's schema. Default: no payload. */
  readonly data?: Schema
}

type DataOf<TOptions> = TOptions extends { data: infer S extends Schema } ? S : never

/** Makers of the declared errors, as a handler gets them: `throw errors.OUT_OF_STOCK({ sku })`. */
export type ErrorMakers<TErrors> = {
  readonly [K in keyof TErrors]: [DataOf<TErrors[K]>] extends [never]
    ? (data?: undefined, options?: ErrorOptions & { message?: string }) => ProcedureError
    : (data: Parsed<DataOf<TErrors[K]>>, options?: ErrorOptions & { message?: string }) => ProcedureError
}

/** The declared errors of a procedure as a client sees them: a union told apart by `code`. */
export type DeclaredErrorUnion<TErrors> = {
  [K in keyof TErrors & string]: {
    code: K
    data: [DataOf<TErrors[K]>] extends [never] ? undefined : Wire<DataOf<TErrors[K]>>
  }
}[keyof TErrors & string]

/** Options of a `ProcedureError`. */
export interface ProcedureErrorOptions extends ErrorOptions {
  /** JSON sent with the error. */
  readonly data?: unknown
  /** Seconds to wait before another try; becomes `Retry-After`. */
  readonly retryAfter?: number
}

interface FullOptions extends ProcedureErrorOptions {
  readonly status?: number
  readonly issues?: readonly Issue[] | undefined
  readonly declared?: boolean
  /** The code need not be a key: it is declared, or came over a wire. */
  readonly anyCode?: boolean
}

const notAKey = (code: string): TypeError =>
  new TypeError(
    `ProcedureError: ${JSON.stringify(code)} is not a tRPC code key (one of ${Object.keys(ERROR_CODES).join(', ')}). ` +
      `For a code of your own, declare it: errors: { ${code}: { status: 409 } }, then throw errors.${code}().`,
  )

/**
 * An error meant for the caller: its code, message and data go over the wire.
 *
 * @example throw new ProcedureError('NOT_FOUND', 'No such user', { data: { id } })
 */
export class ProcedureError extends Error {
  override readonly name = 'ProcedureError'
  readonly code: string
  /** HTTP status. */
  readonly status: number
  readonly data: unknown
  readonly issues: readonly Issue[] | undefined
  readonly retryAfter: number | undefined
  /** Whether the procedure's `errors` declares it. */
  readonly declared: boolean

  /**
   * @param code a tRPC code key, which fixes the HTTP status
   * @throws TypeError when the code is not a key
   */
  constructor(code: ErrorCode, message?: string, options: ProcedureErrorOptions = {}) {
    super(message ?? code, options.cause === undefined ? undefined : { cause: options.cause })
    const full = options as FullOptions
    if (!full.anyCode && !isErrorCode(code)) throw notAKey(code)
    this.code = code
    this.status = full.status ?? statusForCode(code)
    this.data = full.data
    this.issues = full.issues
    this.retryAfter = full.retryAfter
    this.declared = full.declared ?? false
  }
}

/** Whether a value is a `ProcedureError`, also of another copy of this package. */
export const isProcedureError = (value: unknown): value is ProcedureError =>
  value instanceof ProcedureError ||
  (value instanceof Error &&
    value.name === 'ProcedureError' &&
    typeof (value as ProcedureError).status === 'number')

/** A `ProcedureError` without a stack: it says what the caller did, not where the code was. */
export const errorWithoutStack = (error: ErrorData): ProcedureError => {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 0
  try {
    return toProcedureError(error)
  } finally {
    Error.stackTraceLimit = limit
  }
}

/** Error data as a throwable. */
export const toProcedureError = (error: ErrorData, cause?: unknown): ProcedureError =>
  new ProcedureError(error.code as ErrorCode, error.message, {
    status: error.status,
    data: error.data,
    issues: error.issues,
    retryAfter: error.retryAfter,
    declared: error.declared,
    anyCode: true,
    ...(cause === undefined ? {} : { cause }),
  } as FullOptions)

/** A `ProcedureError` as data, without its cause. */
export const toErrorData = (error: ProcedureError): ErrorData => {
  const { code, status, message, issues, data, retryAfter, declared } = error
  if (data === undefined && retryAfter === undefined && !declared)
    return issues ? { code, status, message, issues } : { code, status, message }
  return {
    code,
    status,
    message,
    ...(issues ? { issues } : {}),
    ...(data === undefined ? {} : { data }),
    ...(retryAfter === undefined ? {} : { retryAfter }),
    ...(declared ? { declared: true } : {}),
  }
}
