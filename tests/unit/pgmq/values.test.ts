/** What goes into Postgres comes out of it: texts, lists, times, and names of queues that are no two procedures'. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toArray } from '../../../src/tasks/engines/pgmq/arrays.ts'
import { queueName } from '../../../src/tasks/engines/pgmq/queue-name.ts'
import { fromText, toText } from '../../../src/tasks/engines/pgmq/text.ts'
import { toMs } from '../../../src/tasks/engines/pgmq/times.ts'

describe('texts', () => {
  // Every UTF-16 unit, so that halves of pairs are among them.
  const anyText = fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units))

  it('hold any string, in a form that Postgres takes', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const written = toText(text)
        expect(written).not.toContain('\0')
        expect(written.isWellFormed()).toBe(true)
        expect(fromText(written)).toBe(text)
      }),
    )
  })

  it('stay as they are where they can', () => {
    expect(toText('users.create ü 🚀')).toBe('users.create ü 🚀')
    expect(toText('a\0b\\u0000')).toBe('a\\u0000b\\u005cu0000')
  })
})

describe('lists', () => {
  it('are written as Postgres reads them', () => {
    expect(toArray(['a', 'b "c" \\ d', '', null, undefined, 3, true, 4n])).toBe(
      '{"a","b \\"c\\" \\\\ d","",NULL,NULL,3,true,4}',
    )
    expect(toArray([])).toBe('{}')
  })

  it('hold any text, as Postgres reads it: a backslash stands before what is meant', () => {
    const units = fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.constantFrom(0x22, 0x5c, 0x0a, 0x7f))
    fc.assert(
      fc.property(fc.array(units), (codes) => {
        const text = String.fromCharCode(...codes)
        expect(toArray([text]).slice(2, -2).replaceAll(/\\(.)/gs, '$1')).toBe(text)
      }),
    )
  })
})

describe('times', () => {
  it('keep their microseconds, whatever the zone', () => {
    expect(toMs('2026-11-25T19:46:39.123002+00:00')).toBe(Date.UTC(2026, 10, 25, 19, 46, 39, 123) + 0.002)
    expect(toMs('2026-11-25T19:46:39+05:30')).toBe(Date.UTC(2026, 10, 25, 14, 16, 39))
    expect(toMs('2026-11-25T19:46:39.5+00:00')).toBe(Date.UTC(2026, 10, 25, 19, 46, 39, 500))
  })

  it('reach as far as a calendar does', () => {
    expect(toMs('275760-09-12T00:00:00+00:00')).toBe(8.64e15 - 864e5)
  })
})

describe('names of queues', () => {
  it('are read with ease where nothing is lost', () => {
    expect(queueName('errand', 'resize')).toBe('errand_resize')
  })

  it('are no two procedures’, and no longer than pgmq allows', () => {
    const procedures = [
      'countPrimes',
      'countprimes',
      'count_primes',
      'count.primes',
      'a'.repeat(60),
      'a'.repeat(61),
    ]
    const names = procedures.map((procedure) => queueName('errand', procedure))
    expect(new Set(names).size).toBe(procedures.length)
    for (const name of names) expect(name).toMatch(/^[a-z0-9_]{1,47}$/)
  })
})
