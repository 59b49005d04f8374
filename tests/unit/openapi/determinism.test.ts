import { afterEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { procedure } from '../../../src/index.ts'
import { convert, documentOf } from '../../fixtures/openapi/document-of.ts'

afterEach(() => vi.useRealTimers())

const fail = (): never => {
  throw new Error('user code ran')
}

describe('a document', () => {
  const User = z.object({ name: z.string().default('x') }).meta({ id: 'User' })
  const query = (output: z.ZodType) =>
    procedure.query({ input: z.void(), output, handler: () => undefined as never })
  const Node = z.object({
    get next() {
      return Node.optional()
    },
  })

  it('is the same each time, and whatever the order of declarations', async () => {
    const procedures = {
      a: query(User),
      b: query(z.object({ node: Node })),
      c: { x: query(z.json()), y: procedure.mutation({ input: User, output: Node, handler: () => ({}) }) },
      t: procedure.task({ input: User, output: User, handler: () => ({ name: '' }) }),
    }
    const { a, b, c, t } = procedures
    const texts = [procedures, procedures, { t, c: { y: c.y, x: c.x }, b, a }].map(async (tree) =>
      JSON.stringify(await documentOf(tree)),
    )
    const [first, second, third] = await Promise.all(texts)
    expect(second).toBe(first)
    expect(third).toBe(first)
  })

  it('is made of objects of its own: changing one changes no other', async () => {
    const tree = {
      a: query(User),
      b: query(User),
      t: procedure.task({ input: z.void(), output: User, handler: () => ({ name: '' }) }),
    }
    const before = JSON.stringify(await documentOf(tree))
    const mutable = await documentOf(tree)
    for (const schema of Object.values<object>(mutable.components.schemas))
      Object.assign(schema, { spoilt: true })
    expect(JSON.stringify(await documentOf(tree))).toBe(before)
  })
})

describe("user's code is not run", () => {
  it('refinements, checks, transforms, codecs and preprocessors', async () => {
    const { input } = await convert(
      z
        .object({
          refined: z.string().refine(fail),
          checked: z.int().check(fail),
          codec: z.codec(z.string(), z.int(), { decode: fail, encode: fail }),
          overwritten: z.string().overwrite(fail),
          superRefined: z.array(z.string()).superRefine(fail),
        })
        .refine(fail),
    )
    expect(Object.keys(input.properties)).toEqual([
      'refined',
      'checked',
      'codec',
      'overwritten',
      'superRefined',
    ])
  })

  it('one-way transforms and preprocessors of inputs', async () => {
    const take = procedure.mutation({
      input: z.object({ a: z.string().transform(fail), b: z.preprocess(fail, z.int()) }),
      output: z.void(),
      handler: () => undefined,
    })
    const { paths } = await documentOf({ take })
    expect(paths['/take'].post.requestBody.content['application/json'].schema.properties).toEqual({
      a: { type: 'string' },
      b: { type: 'integer' },
    })
  })
})

describe('defaults', () => {
  const defaultOf = async (field: z.ZodType): Promise<unknown> =>
    (await convert(z.object({ field }))).input.properties.field.default

  it('that are constants are shown, made by a function or not', async () => {
    expect(await defaultOf(z.int().default(3))).toBe(3)
    expect(await defaultOf(z.array(z.string()).default(() => ['a']))).toEqual(['a'])
    expect(await defaultOf(z.string().prefault('x'))).toBe('x')
    expect(await defaultOf(z.string().catch('x'))).toBe('x')
    expect(await defaultOf(z.string().default('x').optional())).toBe('x')
  })

  it.each([
    ['a date', z.string().default(() => new Date().toISOString())],
    ['a day', z.string().default(() => new Date().toISOString().slice(0, 10))],
    ['a year', z.int().default(() => new Date().getFullYear())],
    ['milliseconds', z.number().default(() => Date.now())],
    ['a text of a date', z.string().default(() => Date())],
    ['a random number', z.number().default(() => Math.random())],
    ['a random id', z.uuid().default(() => crypto.randomUUID())],
    ['a prefault of now', z.number().prefault(() => Date.now())],
    ['a catch of now', z.number().catch(() => Date.now())],
    [
      'a counter',
      z.int().default(
        (
          (n) => () =>
            n++
        )(0),
      ),
    ],
  ])('that are %s are not', async (_name, field) => {
    expect(await defaultOf(field)).toBeUndefined()
    expect(await defaultOf(field.describe('x').optional())).toBeUndefined()
  })

  it('leave the clock as it was', async () => {
    const { Date } = globalThis
    await defaultOf(
      z
        .int()
        .default(() => fail())
        .or(z.int()),
    ).catch(() => undefined)
    await defaultOf(z.number().default(() => Date.now()))
    expect(globalThis.Date).toBe(Date)
  })
})

describe('a schema that has no JSON Schema', () => {
  it('is named', async () => {
    const bad = procedure.mutation({
      input: z.object({ a: z.int().default(fail) }),
      output: z.void(),
      handler: () => undefined,
    })
    const good = procedure.mutation({
      input: z.object({ a: z.int() }),
      output: z.void(),
      handler: () => undefined,
    })
    await expect(documentOf({ good, nested: { bad } })).rejects.toThrow(
      'The input schema of nestedBad has no JSON Schema: user code ran',
    )
  })
})
