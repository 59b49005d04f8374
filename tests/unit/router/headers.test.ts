import { describe, expect, test } from 'vitest'
import { toBytes, sizeProblem } from '../../../src/router/body-limit.ts'
import { headerList, pathOf, queryOf, withExtra } from '../../../src/router/http.ts'
import { readPrefer } from '../../../src/router/prefer.ts'
import { formatEvent } from '../../../src/router/sse.ts'

describe('Prefer', () => {
  test.each<[string | undefined, boolean, number | undefined]>([
    [undefined, false, undefined],
    ['', false, undefined],
    ['wait=5', false, undefined],
    ['respond-async', true, undefined],
    ['Respond-Async', true, undefined],
    ['respond-async, wait=5', true, 5],
    ['wait=5; respond-async', true, 5],
    ['respond-async, wait="5"', true, 5],
    ['respond-async, wait=9999', true, 30],
    ['respond-async, wait=soon', true, undefined],
    ['respond-async, wait=-1', true, undefined],
    ['respond-asynchronously', false, undefined],
    [',,;=;respond-async;=', true, undefined],
  ])('%j', (header, respondAsync, wait) => {
    const preference = readPrefer(header)
    expect([preference.respondAsync, preference.wait]).toEqual([respondAsync, wait])
    expect(preference.applied).toEqual(
      respondAsync
        ? ['preference-applied', wait === undefined ? 'respond-async' : `respond-async, wait=${wait}`]
        : [],
    )
  })
})

describe('an event', () => {
  test('is one line of data, whatever is in it', () => {
    expect(formatEvent({ data: 'a\nb\r\n\u2028' })).toBe('data: "a\\nb\\r\\n\u2028"\n\n')
    expect(formatEvent({ event: 'done', id: '7', data: { a: 1 } })).toBe(
      'event: done\nid: 7\ndata: {"a":1}\n\n',
    )
    expect(formatEvent({ data: undefined })).toBe('data: null\n\n')
  })
})

describe('headers that a handler set', () => {
  test('keep a line for each cookie', () => {
    expect(
      headerList(
        new Headers([
          ['set-cookie', 'a'],
          ['x', '1'],
          ['set-cookie', 'b'],
          ['x', '2'],
        ]),
      ),
    ).toEqual(['set-cookie', 'a', 'set-cookie', 'b', 'x', '1, 2'])
  })

  test('are refused where HTTP can not carry them', () => {
    expect(() => headerList(new Headers({ x: 'a\u0001' }))).toThrow(/Invalid character/)
  })

  test('win over ours, but for those that frame the message', () => {
    const extra = new Headers({
      'content-type': 'a/b',
      'content-length': '5',
      'set-cookie': 'b',
      vary: 'x',
      'transfer-encoding': 'chunked',
    })
    expect(
      withExtra(
        ['content-type', 'application/json', 'set-cookie', 'a', 'vary', 'origin', 'etag', '"1"'],
        extra,
      ),
    ).toEqual([
      'set-cookie',
      'a',
      'vary',
      'origin',
      'etag',
      '"1"',
      'content-type',
      'a/b',
      'set-cookie',
      'b',
      'vary',
      'x',
    ])
  })
})

test('a URL is its path and its query', () => {
  expect([pathOf('/a?b?c'), queryOf('/a?b?c')]).toEqual(['/a', 'b?c'])
  expect([pathOf('/a'), queryOf('/a')]).toEqual(['/a', ''])
  expect([pathOf('?'), queryOf('?')]).toEqual(['', ''])
})

test.each<[unknown, number | string]>([
  [0, 0],
  [1000, 1000],
  ['1kb', 1024],
  ['1.5mb', 1_572_864],
  ['1gb', 'bodyLimit "1gb" is not a size: give bytes or a text like \'10mb\''],
  ['mb', 'bodyLimit "mb" is not a size: give bytes or a text like \'10mb\''],
  [-1, "bodyLimit -1 is not a size: give bytes or a text like '10mb'"],
])('a body limit of %j', (size, expected) => {
  expect(sizeProblem(size as never) ?? toBytes(size as never)).toBe(expected)
})
