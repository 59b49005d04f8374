import { TRPCError } from '@trpc/server'
import { describe, expect, test } from 'vitest'
import {
  errorWithoutStack,
  isProcedureError,
  ProcedureError,
  toErrorData,
  toProcedureError,
} from '../../../src/procedures/errors.ts'
import { toFailure, toWireError } from '../../../src/procedures/failure.ts'
import type { ErrorCode } from '../../../src/protocol/errors.ts'

describe('a ProcedureError', () => {
  test('has the status of its code', () => {
    expect(new ProcedureError('NOT_FOUND', 'No such user', { data: { id: 1 } })).toMatchObject({
      name: 'ProcedureError',
      code: 'NOT_FOUND',
      status: 404,
      message: 'No such user',
      data: { id: 1 },
      declared: false,
    })
  })

  test('refuses a code that is no key, and says how to declare one', () => {
    expect(() => new ProcedureError('OOPS' as ErrorCode)).toThrow(
      /"OOPS" is not a tRPC code key .* errors: \{ OOPS: \{ status: 409 \} \}, then throw errors\.OOPS\(\)/,
    )
  })

  test('is known by its name too, as there may be two copies of the class', () => {
    const other = Object.assign(new Error('x'), { name: 'ProcedureError', code: 'CONFLICT', status: 409 })
    expect(isProcedureError(other)).toBe(true)
    expect(isProcedureError({ name: 'ProcedureError', status: 409 })).toBe(false)
    expect(isProcedureError(new Error('x'))).toBe(false)
  })

  test('goes over a wire and back', () => {
    const data = {
      code: 'OUT_OF_STOCK',
      status: 409,
      message: 'None',
      issues: [{ path: ['a'], message: 'm' }],
      data: { a: 1 },
      retryAfter: 3,
      declared: true,
    }
    expect(toErrorData(toProcedureError(data))).toEqual(data)
    expect(toErrorData(toProcedureError({ code: 'CONFLICT', status: 409, message: 'm' }))).toEqual({
      code: 'CONFLICT',
      status: 409,
      message: 'm',
    })
  })

  test('has no stack where the caller is to blame, and leaves the limit of stacks as it was', () => {
    const limit = Error.stackTraceLimit
    expect(errorWithoutStack({ code: 'CONFLICT', status: 409, message: 'm' }).stack).not.toContain('at ')
    expect(Error.stackTraceLimit).toBe(limit)
  })
})

describe('toFailure', () => {
  const hidden = { code: 'INTERNAL_SERVER_ERROR', status: 500, message: 'Internal server error' }

  test('keeps the words of an unexpected error inside', () => {
    const failure = toFailure(new RangeError('secret'))
    expect(failure).toMatchObject({
      ...hidden,
      name: 'RangeError',
      internal: { name: 'RangeError', message: 'secret', stack: expect.stringContaining('failure.test.ts') },
    })
    expect(toWireError(failure, false)).toEqual(hidden)
    expect(toWireError(failure, true)).toEqual({ ...hidden, message: 'RangeError: secret' })
  })

  test.each<[string, unknown, string]>([
    ['undefined', undefined, 'undefined'],
    ['null', null, 'null'],
    ['a text', 'text', 'text'],
    ['an object without a prototype', Object.create(null), '[Object: null prototype] {}'],
    ['an object', { a: 1 }, '{ a: 1 }'],
    ['a symbol', Symbol('s'), 'Symbol(s)'],
  ])('describes %s', (_, thrown, message) =>
    expect(toFailure(thrown)).toMatchObject({ ...hidden, internal: { name: typeof thrown, message } }),
  )

  test('follows causes, and not in a circle', () => {
    const inner: Error = new Error('inner')
    const outer = new Error('outer', { cause: inner })
    expect(toFailure(outer).internal?.stack).toMatch(/outer[\s\S]*Caused by: Error: inner/)
    inner.cause = outer
    expect(toFailure(outer).internal?.stack?.split('Caused by').length).toBeLessThan(10)
    expect(toFailure(new AggregateError([new Error('one'), 'two'])).internal?.stack).toMatch(
      /Caused by: Error: one[\s\S]*Caused by: two/,
    )
  })

  test('takes a TRPCError for what it says, and one that only wraps for what it wraps', () => {
    expect(toFailure(new TRPCError({ code: 'FORBIDDEN', message: 'No' }))).toEqual({
      code: 'FORBIDDEN',
      status: 403,
      message: 'No',
    })
    expect(toFailure(new TRPCError({ code: 'INTERNAL_SERVER_ERROR', message: 'Sorry' }))).toEqual({
      code: 'INTERNAL_SERVER_ERROR',
      status: 500,
      message: 'Sorry',
    })
    expect(
      toFailure(new TRPCError({ code: 'INTERNAL_SERVER_ERROR', cause: new Error('secret') })),
    ).toMatchObject({ ...hidden, internal: { message: 'secret' } })
    const declared = toProcedureError({ code: 'NO_SUCH', status: 404, message: 'm', data: 1, declared: true })
    expect(toFailure(new TRPCError({ code: 'NOT_FOUND', cause: declared }))).toEqual({
      code: 'NO_SUCH',
      status: 404,
      message: 'm',
      data: 1,
      declared: true,
    })
  })

  test('takes what broke off because the caller hung up for that', () => {
    const reason = new ProcedureError('CLIENT_CLOSED_REQUEST', 'gone')
    const abort = Object.assign(new Error('The operation was aborted', { cause: reason }), {
      name: 'AbortError',
    })
    expect(toFailure(abort)).toMatchObject({ code: 'CLIENT_CLOSED_REQUEST', status: 499 })
    expect(toFailure(Object.assign(new Error('aborted'), { name: 'AbortError' }))).toMatchObject(hidden)
  })
})
