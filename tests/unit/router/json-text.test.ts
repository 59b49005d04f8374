import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeText, isTooDeep, MAX_DEPTH, parseJson } from '../../../src/router/json-text.ts'

const refusal = (text: string): string => {
  try {
    parseJson(text)
  } catch (error) {
    return (error as Error).message
  }
  return 'no refusal'
}

const columnOf = (text: string): number => Number(/column (\d+)$/.exec(refusal(text))?.[1])

/** How deep brackets are nested outside of strings, counted the slow way. */
const depthOf = (value: unknown): number =>
  typeof value === 'object' && value !== null ? 1 + Math.max(0, ...Object.values(value).map(depthOf)) : 0

describe('parseJson', () => {
  test('reads what JSON.parse reads', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        expect(parseJson(JSON.stringify(value))).toEqual(JSON.parse(JSON.stringify(value)))
      }),
    )
  })

  test('names what it could not read', () => {
    expect(() => parseJson('{', 'The query parameter "input"')).toThrow(
      'The query parameter "input" is not valid JSON at line 1, column 2',
    )
  })

  test('refuses with BAD_REQUEST', () => {
    expect(() => parseJson('{')).toThrow(expect.objectContaining({ code: 'BAD_REQUEST', status: 400 }))
  })

  test('counts lines and columns from 1', () => {
    expect(refusal('x')).toMatch(/line 1, column 1$/)
    expect(refusal('{\n  "a": 1,\n  "b": oops\n}')).toMatch(/line 3, column 8$/)
    expect(refusal('[1,\n2\n,]')).toMatch(/line 3, column 2$/)
  })

  test('points at the first character that can not be, wherever it was put', () => {
    const stray = fc.constantFrom('x', '@', '#', "'", '`', '\u00a0', 'N', 'u')
    fc.assert(
      fc.property(fc.array(fc.integer(), { minLength: 1 }), stray, fc.nat(), (numbers, character, index) => {
        const items = numbers.map(String)
        const place = index % items.length
        const before = `[${items.slice(0, place).join(',')}${place > 0 ? ',' : ''}`
        expect(columnOf(before + character + items.slice(place).join(',') + ']')).toBe(before.length + 1)
      }),
    )
  })

  test('points at the end of what was cut off', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.nat(), (value, cut) => {
        const text = JSON.stringify([value])
        const part = text.slice(0, 1 + (cut % (text.length - 1)))
        expect(columnOf(part)).toBeLessThanOrEqual(part.length + 1)
        expect(columnOf(part)).toBeGreaterThan(0)
      }),
    )
  })

  test('always tells a place, whatever is wrong', () => {
    fc.assert(
      fc.property(fc.json(), fc.nat(), fc.string({ minLength: 1, maxLength: 3 }), (text, at, put) => {
        const place = at % (text.length + 1)
        const message = refusal(text.slice(0, place) + put + text.slice(place))
        expect(message).toMatch(/^(no refusal|The body is not valid JSON at line \d+, column \d+)$/)
      }),
    )
  })
})

describe('isTooDeep', () => {
  test(`is true past ${MAX_DEPTH} levels and not before`, () => {
    const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)
    expect(isTooDeep(nested(MAX_DEPTH))).toBe(false)
    expect(isTooDeep(nested(MAX_DEPTH + 1))).toBe(true)
    expect(isTooDeep(`${'{"a":'.repeat(MAX_DEPTH + 1)}1${'}'.repeat(MAX_DEPTH + 1)}`)).toBe(true)
  })

  test('agrees with a count of the levels', () => {
    const deepAndWide = fc
      .tuple(fc.integer({ min: 250, max: 262 }), fc.array(fc.jsonValue(), { maxLength: 20 }), fc.string())
      .map(([depth, values, text]) => {
        let value: unknown = [text, `${text}"[[[{{{`, ...values]
        for (let level = 1; level < depth; level++) value = level % 2 ? [value] : { [text]: value }
        return value
      })
    fc.assert(
      fc.property(deepAndWide, (value) => {
        expect(isTooDeep(JSON.stringify(value))).toBe(depthOf(value) > MAX_DEPTH)
      }),
    )
  })
})

describe('decodeText', () => {
  test('reads UTF-8, with or without a byte order mark', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: 'binary' }).filter((text) => text.isWellFormed() && !text.startsWith('\ufeff')),
        (text) => {
          expect(decodeText(Buffer.from(text))).toBe(text)
          expect(decodeText(Buffer.from(`\ufeff${text}`))).toBe(text)
          expect(decodeText(new Uint8Array(Buffer.from(text)))).toBe(text)
        },
      ),
    )
  })

  test('refuses anything else', () => {
    for (const bytes of [[0xff], [0xc0, 0x80], [0xed, 0xa0, 0x80], [0xf5, 0x80, 0x80, 0x80], [0xe2, 0x98]])
      expect(() => decodeText(Uint8Array.from(bytes))).toThrow('The body is not valid UTF-8')
  })
})
