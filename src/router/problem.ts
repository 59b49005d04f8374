/** Errors on the REST door: RFC 9457 `application/problem+json`. */
import { STATUS_CODES } from 'node:http'
import { errorData, type ErrorData, type ErrorCode } from '../protocol/errors.ts'
import { NOSNIFF, type HttpReply } from './http.ts'

/** Body of a problem (RFC 9457 §3). */
export interface Problem {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: string
  readonly detail: string
  readonly issues?: ErrorData['issues'] | undefined
  readonly data?: unknown
  readonly instance: string
}

/** An error as a problem; `instance` is the path it happened at. What an error lacks, JSON leaves out. */
export const toProblem = (error: ErrorData, instance: string): Problem => ({
  type: 'about:blank',
  title: STATUS_CODES[error.status] ?? 'Error',
  status: error.status,
  code: error.code,
  detail: error.message,
  issues: error.issues,
  data: error.data,
  instance,
})

const PROBLEM_TYPE: readonly string[] = ['content-type', 'application/problem+json', ...NOSNIFF]

/** When to come back, if an error says so. */
export const retryAfterHeader = ({ retryAfter }: ErrorData): readonly string[] =>
  retryAfter === undefined ? [] : ['retry-after', String(Math.max(1, Math.ceil(retryAfter)))]

const problemHeaders = (error: ErrorData, headers: readonly string[]): readonly string[] =>
  error.retryAfter === undefined && headers.length === 0
    ? PROBLEM_TYPE
    : [...PROBLEM_TYPE, ...retryAfterHeader(error), ...headers]

/** An error as an answer. */
export const problemReply = (
  error: ErrorData,
  instance: string,
  headers: readonly string[] = [],
): HttpReply => ({
  status: error.status,
  headers: problemHeaders(error, headers),
  body: JSON.stringify(toProblem(error, instance)),
})

/** A code and a message as an answer. */
export const problem = (
  code: ErrorCode,
  message: string,
  instance: string,
  headers?: readonly string[],
): HttpReply => problemReply(errorData(code, message), instance, headers)
