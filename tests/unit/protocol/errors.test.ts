import { TRPC_ERROR_CODES_BY_KEY } from '@trpc/server/rpc'
import { TRPCError } from '@trpc/server'
import { getHTTPStatusCodeFromError } from '@trpc/server/http'
import { describe, expect, test } from 'vitest'
import {
  codeForStatus,
  ERROR_CODES,
  errorData,
  isErrorCode,
  statusForCode,
  TASK_ERROR_CODES,
  type ErrorCode,
} from '../../../src/protocol/errors.ts'
import { TaskError } from '../../../src/protocol/task-error.ts'

describe('error codes', () => {
  test('are those of tRPC, with its numbers and statuses', () => {
    expect(Object.keys(ERROR_CODES).sort()).toEqual(Object.keys(TRPC_ERROR_CODES_BY_KEY).sort())
    for (const [key, { status, rpc }] of Object.entries(ERROR_CODES)) {
      const code = key as ErrorCode
      expect(rpc, key).toBe(TRPC_ERROR_CODES_BY_KEY[code])
      expect(status, key).toBe(getHTTPStatusCodeFromError(new TRPCError({ code })))
    }
  })

  test('have one key for each status, and the nearest for the others', () => {
    for (const [key, { status }] of Object.entries(ERROR_CODES))
      if (key !== 'PARSE_ERROR') expect(codeForStatus(status)).toBe(key)
    expect([402, 418, 410, 499, 507, 599].map(codeForStatus)).toEqual([
      'PAYMENT_REQUIRED',
      'BAD_REQUEST',
      'BAD_REQUEST',
      'CLIENT_CLOSED_REQUEST',
      'INTERNAL_SERVER_ERROR',
      'INTERNAL_SERVER_ERROR',
    ])
  })

  test('of tasks have the statuses of DESIGN §3', () => {
    expect(TASK_ERROR_CODES).toEqual({
      TASK_TIMEOUT: 504,
      DEADLINE_EXCEEDED: 504,
      WORKER_LOST: 500,
      OUTPUT_INVALID: 500,
      CANCELLED: 409,
    })
  })

  test('are no names of Object.prototype', () => {
    for (const name of ['toString', '__proto__', 'constructor', 'hasOwnProperty']) {
      expect(isErrorCode(name)).toBe(false)
      expect(statusForCode(name)).toBe(500)
    }
  })
})

test('errorData is a code with its status', () => {
  expect(errorData('CANCELLED', 'Stopped')).toEqual({ code: 'CANCELLED', status: 409, message: 'Stopped' })
  expect(errorData('TOO_MANY_REQUESTS', 'Later', { retryAfter: 2 })).toEqual({
    code: 'TOO_MANY_REQUESTS',
    status: 429,
    message: 'Later',
    retryAfter: 2,
  })
})

describe('a TaskError', () => {
  const attempts = [{ n: 1, startedAt: '2024-01-01T00:00:00.000Z' }]
  test('is the error of the record', () => {
    const error = { code: 'OUT_OF_STOCK', status: 409, message: 'None left', data: { sku: 'x' } }
    expect(new TaskError({ id: '7', status: 'failed', attempts, error })).toMatchObject({
      name: 'TaskError',
      message: 'None left',
      code: 'OUT_OF_STOCK',
      status: 409,
      data: { sku: 'x' },
      taskId: '7',
      attempts,
    })
  })
  test('of a cancelled task without an error is CANCELLED', () => {
    expect(new TaskError({ id: '7', status: 'cancelled', attempts })).toMatchObject({
      code: 'CANCELLED',
      status: 409,
      message: 'Task cancelled',
    })
  })
})
