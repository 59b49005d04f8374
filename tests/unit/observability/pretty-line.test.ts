/** The log for people: what is in a line is shown, and does nothing to the terminal. */
import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import { prettyLine } from '../../../src/observability/pretty-line.ts'

const shown = (line: object): string =>
  stripVTControlCharacters(
    prettyLine(JSON.stringify({ time: '2026-05-04T10:00:00.123Z', level: 'info', ...line })),
  )

test('a line has its time, its level, its words and its fields', () => {
  expect(shown({ msg: 'request', status: 200, path: '/add', tags: ['a'] })).toBe(
    "10:00:00.123 INFO  request status=200 path=/add tags=[ 'a' ]\n",
  )
})

test('an error comes below, with its stack', () => {
  const err = { type: 'Error', message: 'boom', stack: 'Error: boom\n    at here' }
  expect(shown({ level: 'error', msg: 'it failed', err })).toBe(
    '10:00:00.123 ERROR it failed\nError: boom\n    at here\n',
  )
})

test('control characters of callers are shown, not sent to the terminal', () => {
  const line = prettyLine(
    JSON.stringify({
      time: '2026-05-04T10:00:00.123Z',
      level: 'warn',
      msg: '\u001B[2J cleared',
      owner: '\u009B31m red',
      err: { stack: 'Error: \u0007' },
    }),
  )
  expect(line).toContain('\\x1B[2J cleared')
  expect(line).toContain('\\x9B31m red')
  expect(line).toContain('Error: \\x07')
})
