import { expect, test } from 'vitest'
import { summarize } from './summary.ts'

const file = (status: string, ...assertions: string[]) => ({
  status,
  assertionResults: assertions.map((one) => ({ status: one })),
})

test('counts what vitest counts', () => {
  const testResults = [file('failed', 'passed', 'failed'), file('passed', 'passed')]
  expect(summarize({ numPassedTests: 2, numFailedTests: 1, testResults })).toBe('2 passed, 1 failed')
})

test('a file that could not be loaded is a failure', () => {
  expect(summarize({ numPassedTests: 0, numFailedTests: 0, testResults: [file('failed')] })).toBe(
    '0 passed, 1 failed',
  )
})

test('no report is a failure', () => {
  expect(summarize(undefined)).toBe('0 passed, 1 failed')
})
