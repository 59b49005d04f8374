import { describe, expect, test } from 'vitest'
import { toMilliseconds } from '../../../src/protocol/duration.ts'
import { nameProblem, taskOperationIds, toOperationId, toUrlPath } from '../../../src/protocol/paths.ts'
import { isFinished } from '../../../src/protocol/task.ts'

describe('a duration', () => {
  test.each<[string | number, number]>([
    [0, 0],
    [250, 250],
    ['250ms', 250],
    ['1.5s', 1500],
    ['5m', 300_000],
    ['2h', 7_200_000],
    ['7d', 604_800_000],
    ['0s', 0],
  ])('%j is %i ms', (duration, ms) => expect(toMilliseconds(duration as never)).toBe(ms))

  test.each([
    '',
    '5',
    's',
    '5 m',
    '-1s',
    '1e3s',
    '5M',
    '1h30m',
    'Infinityd',
    '9'.repeat(400) + 'd',
    -1,
    Number.NaN,
    Infinity,
    null,
    undefined,
    {},
  ])('%j is none', (duration) => {
    expect(() => toMilliseconds(duration as never)).toThrow(
      /is not a duration: give milliseconds or a text like '10s' or '5m'/,
    )
  })
})

describe('a name', () => {
  test.each(['a', 'add', 'countPrimes', 'A1_b', 'x'.repeat(100)])('may be %s', (name) =>
    expect(nameProblem(name)).toBeUndefined(),
  )
  test.each(['then', 'call', 'apply', 'client', 'constructor', 'prototype', 'createCaller'])(
    'may not be %s',
    (name) => expect(nameProblem(name)).toBe(`the name "${name}" is reserved`),
  )
  test.each(['', '1a', '_a', 'a-b', 'a.b', 'ä', '__proto__', 'a b', 'a\n'])('%j has another form', (name) =>
    expect(nameProblem(name)).toMatch(/must match/),
  )
})

test('a dotted path is a URL path and an operationId', () => {
  expect([toUrlPath('add'), toUrlPath('a.b.cD')]).toEqual(['/add', '/a/b/cD'])
  expect([toOperationId('add'), toOperationId('users.create'), toOperationId('a.b.cD')]).toEqual([
    'add',
    'usersCreate',
    'aBCD',
  ])
  expect(taskOperationIds('media.thumb')).toEqual({
    run: 'mediaThumb',
    start: 'startMediaThumb',
    get: 'getMediaThumbTask',
    watch: 'watchMediaThumbTask',
    cancel: 'cancelMediaThumbTask',
  })
})

test('a task is finished in three of five states', () => {
  expect((['queued', 'running', 'succeeded', 'failed', 'cancelled'] as const).filter(isFinished)).toEqual([
    'succeeded',
    'failed',
    'cancelled',
  ])
})
