import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { createApp, procedure } from '../../../src/index.ts'
import { convert } from '../../fixtures/openapi/document-of.ts'

const both = async (schema: z.ZodType) => {
  const { input, output } = await convert(schema)
  expect(output).toEqual(input)
  return input
}

describe('texts', () => {
  it.each([
    ['uuid', z.uuid(), 'uuid'],
    ['email', z.email(), 'email'],
    ['url', z.url(), 'uri'],
    ['datetime', z.iso.datetime(), 'date-time'],
    ['date', z.iso.date(), 'date'],
    ['duration', z.iso.duration(), 'duration'],
    ['ipv4', z.ipv4(), 'ipv4'],
    ['ipv6', z.ipv6(), 'ipv6'],
  ])('z.%s says its format once, without the pattern behind it', async (_name, schema, format) => {
    expect(await both(schema)).toEqual({ type: 'string', format })
  })

  it('base64 keeps its encoding', async () => {
    expect(await both(z.base64())).toEqual({ type: 'string', format: 'base64', contentEncoding: 'base64' })
  })

  it('a format that no tool knows keeps its pattern', async () => {
    expect(await both(z.nanoid())).toEqual({
      type: 'string',
      format: 'nanoid',
      pattern: '^[a-zA-Z0-9_-]{21}$',
    })
  })

  it("the user's own pattern stays beside a format", async () => {
    expect(await both(z.uuid().regex(/^0/))).toEqual({ type: 'string', format: 'uuid', pattern: '^0' })
    expect(await both(z.uuid().regex(/^0/).regex(/1$/))).toEqual({
      type: 'string',
      format: 'uuid',
      allOf: [{ pattern: '^0' }, { pattern: '1$' }],
    })
  })

  it('a pattern on a format that has none is kept', async () => {
    expect(await both(z.url().startsWith('https://'))).toEqual({
      type: 'string',
      format: 'uri',
      pattern: expect.stringContaining('https'),
    })
  })

  it('startsWith, includes and the like are patterns, not formats', async () => {
    expect(await both(z.string().startsWith('a'))).toEqual({ type: 'string', pattern: '^a.*' })
    expect(await both(z.string().lowercase())).toEqual({ type: 'string', pattern: '^[^A-Z]*$' })
  })

  it('a local time keeps its pattern, as date-time would refuse it', async () => {
    const json = await both(z.iso.datetime({ local: true }))
    expect(json.format).toBeUndefined()
    expect(json.pattern).toBeTypeOf('string')
  })

  it('template literals are patterns', async () => {
    expect(await both(z.templateLiteral(['v', z.int()]))).toEqual({
      type: 'string',
      pattern: expect.any(String),
    })
  })
})

describe('numbers', () => {
  it('integers have no bounds that only say how JavaScript counts', async () => {
    expect(await both(z.int())).toEqual({ type: 'integer' })
    expect(await both(z.number().int().min(3))).toEqual({ type: 'integer', minimum: 3 })
  })

  it('int32 has its bounds and its format, uint32 its bounds', async () => {
    expect(await both(z.int32())).toEqual({
      type: 'integer',
      format: 'int32',
      minimum: -2147483648,
      maximum: 2147483647,
    })
    expect(await both(z.uint32())).toEqual({ type: 'integer', minimum: 0, maximum: 4294967295 })
  })

  it('floats have formats instead of bounds at the end of the range', async () => {
    expect(await both(z.float32())).toEqual({ type: 'number', format: 'float' })
    expect(await both(z.float64())).toEqual({ type: 'number', format: 'double' })
  })

  it('multipleOf and exclusive bounds are kept', async () => {
    expect(await both(z.number().gt(1).multipleOf(5))).toEqual({
      type: 'number',
      exclusiveMinimum: 1,
      multipleOf: 5,
    })
  })

  it('coerced values are of the plain type, not nullable', async () => {
    expect(await both(z.coerce.number())).toEqual({ type: 'number' })
    expect(await both(z.coerce.string())).toEqual({ type: 'string' })
    expect(await both(z.coerce.boolean())).toEqual({ type: 'boolean' })
  })
})

describe('values and combinations', () => {
  it('a literal of several values lists them all', async () => {
    expect(await both(z.literal([1, 2]))).toEqual({ type: 'number', enum: [1, 2] })
    expect(await both(z.literal(['a', null]))).toEqual({ enum: ['a', null] })
  })

  it('nullable values are of two types', async () => {
    expect(await both(z.string().nullable())).toEqual({ type: ['string', 'null'] })
  })

  it('a tuple keeps its rest', async () => {
    expect(await both(z.tuple([z.string()]).rest(z.boolean()))).toEqual({
      type: 'array',
      prefixItems: [{ type: 'string' }],
      items: { type: 'boolean' },
      minItems: 1,
    })
  })

  it('a record with named keys requires them', async () => {
    expect(await both(z.record(z.enum(['a', 'b']), z.int()))).toEqual({
      type: 'object',
      propertyNames: { type: 'string', enum: ['a', 'b'] },
      additionalProperties: { type: 'integer' },
      required: ['a', 'b'],
    })
    expect((await both(z.partialRecord(z.enum(['a', 'b']), z.int()))).required).toBeUndefined()
  })

  it('a record of any keys does not say that keys are strings', async () => {
    expect(await both(z.record(z.string(), z.int()))).toEqual({
      type: 'object',
      additionalProperties: { type: 'integer' },
    })
  })

  it('xor is oneOf, union anyOf', async () => {
    expect(await both(z.xor([z.string(), z.int()]))).toEqual({
      oneOf: [{ type: 'string' }, { type: 'integer' }],
    })
    expect(await both(z.union([z.string().min(1), z.int()]))).toEqual({
      anyOf: [{ type: 'string', minLength: 1 }, { type: 'integer' }],
    })
  })

  it('unknown takes anything, never nothing', async () => {
    expect(await both(z.object({ any: z.unknown(), none: z.never().optional() }))).toEqual({
      type: 'object',
      properties: { any: {}, none: { not: {} } },
      required: ['any'],
    })
  })

  it('objects stay open in a document, strict ones are closed', async () => {
    expect((await both(z.object({}))).additionalProperties).toBeUndefined()
    expect((await both(z.strictObject({}))).additionalProperties).toBe(false)
    expect((await both(z.object({}).catchall(z.int()))).additionalProperties).toEqual({ type: 'integer' })
  })

  it('readonly is about JavaScript, not about who sends it', async () => {
    expect(await both(z.object({ list: z.array(z.string()).readonly() }).readonly())).toEqual({
      type: 'object',
      properties: { list: { type: 'array', items: { type: 'string' } } },
      required: ['list'],
    })
    expect((await both(z.string().readonly().meta({ readOnly: true }))).readOnly).toBe(true)
  })

  it('titles, descriptions, examples and deprecation are kept', async () => {
    const meta = { title: 'Sku', description: 'A thing to buy', examples: ['a-1'], deprecated: true }
    expect(await both(z.string().meta(meta))).toEqual({ type: 'string', ...meta })
  })

  it('properties may be called like keywords, and like members of every object', async () => {
    const field = z.string().optional()
    const shape = {
      $ref: field,
      properties: field,
      default: field,
      enum: field,
      constructor: field,
      toString: field,
    }
    expect(Object.keys((await both(z.object(shape))).properties)).toEqual(Object.keys(shape))
  })

  it('a $ref inside data is data', async () => {
    const value = { $ref: '#/$defs/User' }
    expect((await both(z.object({ $ref: z.string() }).default(value))).default).toEqual(value)
  })
})

describe('codecs and transforms show what is on the wire', () => {
  const isoDate = z.codec(z.iso.datetime(), z.date(), {
    decode: (text) => new Date(text),
    encode: (date) => date.toISOString(),
  })

  it('in both directions', async () => {
    expect(await both(isoDate)).toEqual({ type: 'string', format: 'date-time' })
    expect(await both(z.stringbool())).toEqual({ type: 'string' })
  })

  it('without examples and defaults, which are values of the other end', async () => {
    const { input } = await convert(
      z.object({ at: isoDate.default(new Date(0)).meta({ description: 'When' }) }),
    )
    expect(input.properties.at).toEqual({ type: 'string', format: 'date-time', description: 'When' })
  })

  it('a transform shows what it takes, a preprocess what it is checked against', async () => {
    const post = async (input: z.ZodType) => {
      const app = createApp({
        take: procedure.mutation({ input, output: z.void(), handler: () => undefined }),
      })
      const document = JSON.parse(JSON.stringify(await app.openapi()))
      return document.paths['/take'].post.requestBody.content['application/json'].schema
    }
    expect(await post(z.string().transform(Number))).toEqual({ type: 'string' })
    expect(await post(z.preprocess((value) => value, z.int()))).toEqual({ type: 'integer' })
  })
})
