import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { fieldsOf, readText, readTexts, unwrap } from '../../../src/router/text-values.ts'

describe('readText', () => {
  test.each<[string, z.ZodType, string, unknown]>([
    ['a number', z.number(), '1.5', 1.5],
    ['an int', z.int(), '-7', -7],
    ['a number in another form', z.number(), '+.5e1', 5],
    ['no number in words', z.number(), 'one', 'one'],
    ['no number in hexadecimal', z.number(), '0x10', '0x10'],
    ['nothing for a number', z.number(), '', ''],
    ['a blank for a number', z.number(), ' 1', ' 1'],
    ['yes', z.boolean(), 'on', true],
    ['no', z.boolean(), '0', false],
    ['no boolean', z.boolean(), 'True', 'True'],
    ['null', z.null(), 'null', null],
    ['a literal number', z.literal(5), '5', 5],
    ['a literal among several', z.literal(['a', true, 3]), 'true', true],
    ['an enum of numbers', z.enum({ One: 1, Two: 2 }), '2', 2],
    ['text that looks like a number', z.string(), '5', '5'],
    ['the first member of a union that changes it', z.union([z.boolean(), z.number()]), '1', true],
    [
      'a number through what wraps it',
      z.number().optional().nullable().default(1).readonly().catch(2),
      '3',
      3,
    ],
    ['a number behind a lazy', z.lazy(() => z.number()), '3', 3],
    [
      'the wire side of a codec',
      z.codec(z.number(), z.date(), { decode: (n) => new Date(n), encode: (d) => d.getTime() }),
      '3',
      3,
    ],
    ['what a preprocess step leads to', z.preprocess((value) => value, z.number()), '3', 3],
    ['an object as text', z.object({}), '{}', '{}'],
  ])('reads %s', (_, schema, text, value) => expect(readText(schema, text)).toBe(value))

  test('reads back every number and boolean that is written as text', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (n) => {
        expect(readText(z.number(), String(n))).toBe(Object.is(n, -0) ? 0 : n)
      }),
    )
    fc.assert(
      fc.property(fc.boolean(), (b) => {
        expect(readText(z.boolean(), String(b))).toBe(b)
      }),
    )
  })

  test('never changes a text that a string schema gets', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        expect(readText(z.string(), text)).toBe(text)
      }),
    )
  })
})

describe('readTexts', () => {
  test('makes a list where the schema has one, of one text too', () => {
    expect(readTexts(z.array(z.number()), ['1'])).toEqual([1])
    expect(readTexts(z.array(z.number()).optional(), ['1', '2'])).toEqual([1, 2])
  })

  test('leaves a repeated key as it is where the schema has no list, for it to refuse', () => {
    expect(readTexts(z.number(), ['1', '2'])).toEqual(['1', '2'])
  })
})

describe('fieldsOf', () => {
  const object = z.object({ a: z.string() })
  test.each<[string, z.ZodType, string[] | undefined]>([
    ['an object', object, ['a']],
    ['a wrapped object', object.optional().default({ a: '' }).readonly(), ['a']],
    ['a transformed object', object.transform(String), ['a']],
    ['an intersection', z.intersection(object, z.object({ b: z.string() })), ['a', 'b']],
    [
      'an intersection with something else',
      z.intersection(object, z.record(z.string(), z.string())),
      undefined,
    ],
    ['a union', z.union([object, object]), undefined],
    ['a scalar', z.string(), undefined],
  ])('are those of %s', (_, schema, names) =>
    expect(fieldsOf(schema) && Object.keys(fieldsOf(schema) as object)).toEqual(names),
  )

  test('changes nothing of the schema', () => {
    const before = JSON.stringify(z.toJSONSchema(object))
    fieldsOf(object)
    readText(unwrap(object), 'x')
    expect(JSON.stringify(z.toJSONSchema(object))).toBe(before)
  })
})
