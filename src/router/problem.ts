/** Errors on the REST door: RFC 9457 `application/problem+json`. */
import { STATUS_CODES } from 'node:http'
import { errorData, type ErrorData, type ErrorCode } from '../protocol/errors.ts'
import type { HttpReply } from './http.ts'

/** Body of a problem (RFC 9457 §3). */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: string
  readonly detail: string
  readonly issues?: ErrorData['issues']
  readonly data?: unknown
  readonly instance: string
}

/** An error as a problem; `instance` is the path it happened at. */
export const toProblem = (error: ErrorData, instance: string): Problem => ({
  type: 'about:blank',
  title: STATUS_CODES[error.status] ?? 'Error',
  status: error.status,
  code: error.code,
  detail: error.message,
  ...(error.issues ? { issues: error.issues } : {}),
  ...(error.data === undefined ? {} : { data: error.data }),
  instance,
})

const retryAfter = (error: ErrorData): readonly string[] =>
  error.retryAfter === undefined ? [] : ['retry-after', String(Math.max(1, Math.ceil(error.retryAfter)))]

/** An error as an answer. */
export const problemReply = (
  error: ErrorData,
  instance: string,
  headers: readonly string[] = [],
): HttpReply => ({
  status: error.status,
  headers: ['content-type', 'application/problem+json', ...retryAfter(error), ...headers],
  body: JSON.stringify(toProblem(error, instance)),
})

/** A code and a message as an answer. */
export const problem = (
  code: ErrorCode,
  message: string,
  instance: string,
  headers?: readonly string[],
): HttpReply => problemReply(errorData(code, message), instance, headers)
