import { expect, test } from 'vitest'
import { isRate, parseRate } from '../../../src/procedures/rate.ts'

test.each([
  ['5/1s', 5, 1],
  ['100/1m', 100, 60],
  ['1/1.5m', 1, 90],
  ['10000/24d', 10_000, 2_073_600],
] as const)('%s is %i in %i seconds', (text, times, seconds) => {
  expect(isRate(text)).toBe(true)
  expect(parseRate(text)).toEqual({ times, seconds, text })
})

test.each([
  '',
  '100',
  '100/m',
  '0/1m',
  '-1/1m',
  '1.5/1m',
  '1e3/1m',
  '100/1.5s',
  '1/500ms',
  '1/25d',
  '1/0s',
  ' 1/1m',
  100,
  null,
  {},
])('%j is none', (value) => {
  expect(isRate(value)).toBe(false)
  expect(() => parseRate(value as never)).toThrow(/is not a rate of whole seconds/)
})
