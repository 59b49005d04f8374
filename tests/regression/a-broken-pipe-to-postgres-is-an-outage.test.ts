/**
 * A connection that broke while a statement was being written (EPIPE) was taken for an error of Postgres, whose codes have
 * five characters too: callers got 500 instead of 503.
 */
import { expect, test } from 'vitest'
import { EngineUnavailable } from '../../src/tasks/engine.ts'
import { codeOf, mayBeOnes, toFailure } from '../../src/tasks/engines/pgmq/failures.ts'

/** As Node makes it. */
const systemError = (code: string): Error =>
  Object.assign(new Error(`write ${code}`), { code, errno: -32, syscall: 'write' })

test.each(['EPIPE', 'EBUSY', 'EPERM', 'ECONNRESET', 'ECONNREFUSED'])(
  '%s of a connection makes the database unavailable',
  (code) => {
    const failure = toFailure(systemError(code))
    expect(failure).toBeInstanceOf(EngineUnavailable)
    expect(codeOf(failure)).toBeUndefined()
    expect(mayBeOnes(failure)).toBe(false)
  },
)

test.each(['23505', '42P01', 'P0001', 'XX000'])('%s of the server is told as it is', (code) => {
  const error = Object.assign(new Error('by the server'), { code })
  expect(toFailure(error)).toBe(error)
  expect(codeOf(error)).toBe(code)
})
