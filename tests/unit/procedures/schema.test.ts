import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { inspectSchema } from '../../../src/procedures/inspect.ts'
import { compileEncode, compileParse } from '../../../src/procedures/schema.ts'
import { stream, streamContentType } from '../../../src/procedures/stream.ts'

const day = z.codec(z.iso.date(), z.date(), {
  decode: (text) => new Date(text),
  encode: (date) => date.toISOString().slice(0, 10),
})

describe('compileParse', () => {
  test('gives the parsed value, or every issue', () => {
    const parse = compileParse(z.object({ a: z.number(), day: day.optional() }))
    expect(parse({ a: 1, day: '2024-02-29', more: 1 })).toMatchObject({
      value: { a: 1, day: new Date('2024-02-29') },
      issues: [],
    })
    expect(parse({ day: 5 })).toMatchObject({
      value: undefined,
      issues: [{ path: ['a'] }, { path: ['day'] }],
    })
  })

  test('gives issues that are JSON, without the value that was refused', () => {
    const parse = compileParse(
      z.object({ n: z.codec(z.string(), z.bigint().max(5n), { decode: BigInt, encode: String }) }),
    )
    expect(parse({ n: '6' })).toMatchObject({ issues: [{ code: 'too_big', maximum: '5', path: ['n'] }] })
    const circular: Record<string, unknown> = {}
    circular['self'] = circular
    const odd = compileParse(z.string().refine(() => false, { params: circular, message: 'm' }))
    expect(odd('secret')).toEqual({ value: undefined, issues: [{ path: [], message: 'm' }] })
    expect(JSON.stringify(parse({ n: 'x'.length === 1 ? '7' : '' }))).not.toContain('"input"')
  })

  test('is synchronous until a schema turns out not to be, and asynchronous from then on', async () => {
    let calls = 0
    const parse = compileParse(z.string().refine(async (text) => (calls++, text !== 'bad')))
    expect(parse('good')).toBeInstanceOf(Promise)
    expect(await parse('bad')).toMatchObject({ issues: [{ code: 'custom' }] })
    expect(calls).toBeGreaterThan(1)
    expect(compileParse(z.string())('x')).toEqual(expect.objectContaining({ value: 'x' }))
  })

  test('carries nothing over from one caller to the next', () => {
    const parse = compileParse(z.object({ list: z.array(z.string()).default([]) }))
    const first = parse({}) as { value: { list: string[] } }
    first.value.list.push('mine')
    expect(parse({})).toMatchObject({ value: { list: [] } })
  })
})

describe('compileEncode', () => {
  test('runs codecs backwards and drops what the schema lacks', () => {
    const encode = compileEncode(z.object({ day, list: z.array(day) }))
    expect(encode({ day: new Date(0), list: [new Date(0)], more: 1 })).toMatchObject({
      value: { day: '1970-01-01', list: ['1970-01-01'] },
      issues: [],
    })
    expect(encode({ day: 'x', list: [] })).toMatchObject({ issues: [{ path: ['day'] }] })
  })

  test('holds refinements', () => {
    expect(compileEncode(z.number().max(5))(6)).toMatchObject({ issues: [{ code: 'too_big' }] })
  })
})

describe('inspectSchema', () => {
  test('tells what a plan needs to know', () => {
    const facts = (schema: z.ZodType) => {
      const { directional, opaque, file } = inspectSchema(schema, 'output')
      return { directional, opaque, file }
    }
    expect(facts(z.object({ a: z.string() }))).toEqual({ directional: false, opaque: false, file: false })
    expect(facts(z.object({ a: z.array(day) }))).toEqual({ directional: true, opaque: false, file: false })
    expect(facts(z.record(z.string(), z.unknown()))).toEqual({
      directional: false,
      opaque: true,
      file: false,
    })
    expect(facts(z.file())).toEqual({ directional: false, opaque: false, file: true })
    expect(facts(z.record(day as never, z.string()))).toMatchObject({ directional: true })
  })

  test('ends on schemas that contain themselves', () => {
    const Node = z.object({
      get next() {
        return Node.optional()
      },
    })
    expect(inspectSchema(Node, 'input').refusals).toEqual([])
    const List: z.ZodType = z.lazy(() => z.array(List))
    expect(inspectSchema(List, 'output').refusals).toEqual([])
  })
})

test('stream() marks a schema with its content type', () => {
  expect(streamContentType(stream('text/csv; charset=utf-8'))).toBe('text/csv; charset=utf-8')
  expect(streamContentType(z.custom())).toBeUndefined()
})
