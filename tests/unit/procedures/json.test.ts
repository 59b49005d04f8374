import fc from 'fast-check'
import { expect, test } from 'vitest'
import { notJson } from '../../../src/procedures/json.ts'

test('everything that JSON gave is JSON', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      expect(notJson(JSON.parse(JSON.stringify(value)))).toBeUndefined()
    }),
  )
})

class Own {
  readonly a = 1
}

test.each<[string, unknown, string]>([
  ['undefined', undefined, 'the value is a undefined'],
  ['NaN', Number.NaN, 'the value is NaN'],
  ['infinity, inside', { a: [1, -Infinity] }, 'a.1 is -Infinity'],
  ['a bigint', { a: 1n }, 'a is a bigint'],
  ['a function', [() => 1], '0 is a function'],
  ['a symbol', Symbol('s'), 'the value is a symbol'],
  ['a Date', { at: new Date() }, 'at is a Date'],
  ['a Map', new Map(), 'the value is a Map'],
  ['an instance', { a: { b: new Own() } }, 'a.b is a Own'],
  ['nothing in a list', [1, undefined], '1 is a undefined'],
  ['a hole in a list', Object.assign([1], { length: 2 }), '1 is a undefined'],
  ['a method', { toJSON: () => 1 }, 'toJSON is a function'],
])('%s is not', (_, value, words) => expect(notJson(value)).toBe(words))

test('what contains itself is not', () => {
  const self: Record<string, unknown> = {}
  self['a'] = [self]
  expect(notJson(self)).toBe('a.0 contains itself')
})

test('what is there twice is', () => {
  const shared = { a: 1 }
  expect(notJson([shared, shared, { shared }])).toBeUndefined()
})

test('a member that is undefined is left out by JSON, and no objection', () => {
  expect(notJson({ a: undefined })).toBeUndefined()
})

test('an object without a prototype is', () => {
  expect(notJson(Object.assign(Object.create(null) as object, { a: 1 }))).toBeUndefined()
})
