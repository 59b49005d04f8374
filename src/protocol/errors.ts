/**
 * Error codes and what an error looks like on a wire. Every door (REST, tRPC, a task record, a worker's
 * outcome) carries `ErrorData`; each door has its own envelope around it.
 */

/** tRPC's own code keys: the HTTP status and the JSON-RPC 2.0 number of each. */
export const ERROR_CODES = {
  PARSE_ERROR: { status: 400, rpc: -32700 },
  BAD_REQUEST: { status: 400, rpc: -32600 },
  UNAUTHORIZED: { status: 401, rpc: -32001 },
  PAYMENT_REQUIRED: { status: 402, rpc: -32002 },
  FORBIDDEN: { status: 403, rpc: -32003 },
  NOT_FOUND: { status: 404, rpc: -32004 },
  METHOD_NOT_SUPPORTED: { status: 405, rpc: -32005 },
  TIMEOUT: { status: 408, rpc: -32008 },
  CONFLICT: { status: 409, rpc: -32009 },
  PRECONDITION_FAILED: { status: 412, rpc: -32012 },
  PAYLOAD_TOO_LARGE: { status: 413, rpc: -32013 },
  UNSUPPORTED_MEDIA_TYPE: { status: 415, rpc: -32015 },
  UNPROCESSABLE_CONTENT: { status: 422, rpc: -32022 },
  PRECONDITION_REQUIRED: { status: 428, rpc: -32028 },
  TOO_MANY_REQUESTS: { status: 429, rpc: -32029 },
  CLIENT_CLOSED_REQUEST: { status: 499, rpc: -32099 },
  INTERNAL_SERVER_ERROR: { status: 500, rpc: -32603 },
  NOT_IMPLEMENTED: { status: 501, rpc: -32603 },
  BAD_GATEWAY: { status: 502, rpc: -32603 },
  SERVICE_UNAVAILABLE: { status: 503, rpc: -32603 },
  GATEWAY_TIMEOUT: { status: 504, rpc: -32603 },
} as const satisfies Record<string, { status: number; rpc: number }>

/** A tRPC code key, such as `'NOT_FOUND'`. */
export type ErrorCode = keyof typeof ERROR_CODES

/** How a task can end beyond its own errors, with the HTTP status of each. */
export const TASK_ERROR_CODES = {
  TASK_TIMEOUT: 504,
  DEADLINE_EXCEEDED: 504,
  WORKER_LOST: 500,
  OUTPUT_INVALID: 500,
  CANCELLED: 409,
} as const satisfies Record<string, number>

/** A code that Errand itself gives to a task that did not succeed. */
export type TaskErrorCode = keyof typeof TASK_ERROR_CODES

/** One thing wrong with an input; `path` is zod's array of keys and indexes. */
export interface Issue {
  readonly code?: string
  readonly path: readonly (string | number)[]
  readonly message: string
  readonly [detail: string]: unknown
}

/** An error as data: what crosses a thread, a store or a wire. */
export interface ErrorData {
  /** The declared code, a task code, or a tRPC code key. */
  readonly code: string
  /** HTTP status. */
  readonly status: number
  readonly message: string
  /** What is wrong with the input, every issue. */
  readonly issues?: readonly Issue[]
  /** The payload of a declared error. */
  readonly data?: unknown
  /** Seconds to wait before another try. */
  readonly retryAfter?: number
  /** The procedure declares it: clients can tell it by its code. */
  readonly declared?: boolean
}

const KEY_BY_STATUS = new Map<number, ErrorCode>(
  (Object.keys(ERROR_CODES) as ErrorCode[])
    .filter((key) => key !== 'PARSE_ERROR')
    .map((key) => [ERROR_CODES[key].status, key]),
)

/** Whether a code is one of tRPC's keys. */
export const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(ERROR_CODES, code)

/** The tRPC key that stands for an HTTP status; the nearest general one where there is none. */
export const codeForStatus = (status: number): ErrorCode =>
  KEY_BY_STATUS.get(status) ?? (status < 500 ? 'BAD_REQUEST' : 'INTERNAL_SERVER_ERROR')

/** The HTTP status of a code key or a task code; 500 for an unknown one. */
export const statusForCode = (code: string): number => {
  if (isErrorCode(code)) return ERROR_CODES[code].status
  return Object.hasOwn(TASK_ERROR_CODES, code) ? TASK_ERROR_CODES[code as TaskErrorCode] : 500
}

/** Makes error data for a code key or a task code. */
export const errorData = (
  code: ErrorCode | TaskErrorCode,
  message: string,
  extra?: Pick<ErrorData, 'issues' | 'data' | 'retryAfter'>,
): ErrorData => ({ code, status: statusForCode(code), message, ...extra })
