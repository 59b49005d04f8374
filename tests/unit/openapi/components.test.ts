import { describe, expect, it } from 'vitest'
import { initTRPC } from '@trpc/server'
import { z } from 'zod'
import { createApp, DeclarationError, procedure } from '../../../src/index.ts'
import { convert, documentOf, resolve, type Json } from '../../fixtures/openapi/document-of.ts'

const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` })

const give = (output: z.ZodType) =>
  procedure.query({ input: z.void(), output, handler: () => undefined as never })
const take = (input: z.ZodType) => procedure.mutation({ input, output: z.void(), handler: () => undefined })

const given = (document: Json, path: string): Json =>
  document.paths[path].post.responses['200'].content['application/json'].schema

describe('schemas with an id', () => {
  const User = z.object({ name: z.string() }).meta({ id: 'User', description: 'Somebody' })

  it('are components, mentioned wherever they are', async () => {
    const { output, components } = await convert(
      z.object({
        plain: User,
        optional: User.optional(),
        nullable: User.nullable(),
        list: z.array(User),
        described: User.describe('The boss'),
        byName: z.record(z.string(), User),
        both: z.union([User, z.string().min(1)]),
      }),
    )
    expect(output.properties).toEqual({
      plain: ref('User'),
      optional: ref('User'),
      nullable: { anyOf: [ref('User'), { type: 'null' }] },
      list: { type: 'array', items: ref('User') },
      described: { ...ref('User'), description: 'The boss' },
      byName: { type: 'object', additionalProperties: ref('User') },
      both: { anyOf: [ref('User'), { type: 'string', minLength: 1 }] },
    })
    expect(components['User']).toEqual({
      type: 'object',
      properties: { name: { type: 'string' } },
      required: ['name'],
      description: 'Somebody',
    })
  })

  it('are not nullable for having been seen so first', async () => {
    const document = await documentOf({ a: give(User.nullable()), b: give(User) })
    expect(given(document, '/a')).toEqual({ anyOf: [ref('User'), { type: 'null' }] })
    expect(document.components.schemas.User.type).toBe('object')
  })

  it('are mentioned with what is said of them, and nothing twice', async () => {
    const Id = z.uuid().meta({ id: 'Id' })
    const Count = z.int().meta({ id: 'Count' })
    const WithDefault = z.object({ a: z.int().default(1), b: z.string() }).meta({ id: 'WithDefault' })
    const { output, components } = await convert(
      z.object({
        id: Id.describe('Whose'),
        count: Count.min(5).describe('How many'),
        first: WithDefault.describe('The first').describe('The very first'),
        refined: WithDefault.refine(() => true).meta({ title: 'Refined' }),
      }),
    )
    expect(output.properties).toEqual({
      id: { ...ref('Id'), description: 'Whose' },
      count: { ...ref('Count'), minimum: 5, description: 'How many' },
      first: { ...ref('WithDefault'), description: 'The very first' },
      refined: { ...ref('WithDefault'), title: 'Refined' },
    })
    expect(components['WithDefault'].required).toEqual(['a', 'b'])
  })

  it('need not be objects', async () => {
    const { output, components } = await convert(z.object({ role: z.enum(['a', 'b']).meta({ id: 'Role' }) }))
    expect(output.properties.role).toEqual(ref('Role'))
    expect(components['Role']).toEqual({ type: 'string', enum: ['a', 'b'] })
  })

  it('two with one id are refused, in errors and progress too', () => {
    const other = z.object({ x: z.int() }).meta({ id: 'User' })
    const error = procedure.query({
      input: User,
      output: z.void(),
      errors: { NO: { status: 409, data: other } },
      handler: () => undefined,
    })
    const progress = procedure.task({
      input: User,
      output: z.void(),
      progress: other,
      handler: () => undefined,
    })
    expect(() => createApp({ a: give(User), b: give(other) })).toThrow(DeclarationError)
    expect(() => createApp({ error })).toThrow(/two schemas have the id "User"/)
    expect(() => createApp({ progress })).toThrow(/two schemas have the id "User"/)
  })

  it('get a legal name, and not that of another', async () => {
    const document = await documentOf({
      a: give(z.object({ a: z.string() }).meta({ id: 'My user/1' })),
      b: give(z.object({ b: z.string() }).meta({ id: 'My user~1' })),
    })
    expect(given(document, '/a')).toEqual(ref('My_user_1'))
    expect(given(document, '/b')).toEqual(ref('My_user_12'))
    expect(resolve(document, given(document, '/b')).properties).toEqual({ b: { type: 'string' } })
  })

  it("keep their names from Errand's own components", async () => {
    const Task = z.object({ title: z.string() }).meta({ id: 'Task' })
    const Problem = z.object({ why: z.string() }).meta({ id: 'Problem' })
    const todo = procedure.task({ input: Task, output: Problem, handler: () => ({ why: '' }) })
    const { components, paths } = await documentOf({ todo })
    expect(components.schemas.Task.properties).toEqual({ title: { type: 'string' } })
    expect(components.schemas.TodoTask.allOf[0]).toEqual(ref('ErrandTask'))
    expect(paths['/todo'].post.responses.default).toEqual({ $ref: '#/components/responses/Problem' })
    expect(components.responses.Problem.content['application/problem+json'].schema).toEqual(
      ref('GeneralProblem'),
    )
    expect(components.schemas.GeneralProblem.allOf[0]).toEqual(ref('ErrandProblem'))
  })
})

describe('input and output of one schema', () => {
  it('are one component when they say the same', async () => {
    const { input, output, components } = await convert(
      z.object({ a: z.string().optional() }).meta({ id: 'Same' }),
    )
    expect([input, output]).toEqual([ref('Same'), ref('Same')])
    expect(components['SameInput']).toBeUndefined()
  })

  it('a default may be left out by the caller, and is always in the answer', async () => {
    const { input, output, components } = await convert(
      z.object({ role: z.string().default('member'), note: z.string().optional() }).meta({ id: 'User' }),
    )
    expect([input, output]).toEqual([ref('UserInput'), ref('User')])
    expect(components['User'].required).toEqual(['role'])
    expect(components['UserInput'].required).toBeUndefined()
    expect(components['UserInput'].properties.role).toEqual({ type: 'string', default: 'member' })
  })

  it('differ through what they mention', async () => {
    const Inner = z.object({ n: z.int().default(1) }).meta({ id: 'Inner' })
    const Outer = z.object({ list: z.array(Inner) }).meta({ id: 'Outer' })
    const Plain = z.object({ s: z.string() }).meta({ id: 'Plain' })
    const { components } = await convert(z.object({ outer: Outer, plain: Plain }))
    expect(components['Outer'].properties.list.items).toEqual(ref('Inner'))
    expect(components['OuterInput'].properties.list.items).toEqual(ref('InnerInput'))
    expect(components['PlainInput']).toBeUndefined()
  })

  it('take their plain name when only one side is used', async () => {
    const User = z.object({ role: z.string().default('member') }).meta({ id: 'User' })
    const { components } = await documentOf({ create: take(User) })
    expect(components.schemas.User.required).toBeUndefined()
    expect(components.schemas.UserInput).toBeUndefined()
  })

  it("don't take a name the user gave to another", async () => {
    const User = z.object({ role: z.string().default('member') }).meta({ id: 'User' })
    const UserInput = z.object({ mine: z.string() }).meta({ id: 'UserInput' })
    const { input, components } = await convert(z.object({ User, UserInput }))
    expect(input.properties).toEqual({ User: ref('UserInput2'), UserInput: ref('UserInput') })
    expect(components['UserInput'].properties).toEqual({ mine: { type: 'string' } })
  })

  it.each([
    ['an optional default', z.string().default('x').optional(), false],
    ['a nullable default', z.string().nullable().default(null), true],
    ['a default of an optional', z.string().optional().default('x'), false],
    ['a prefault', z.string().prefault('x'), true],
    ['a codec with a default', z.stringbool().default(true), true],
    ['a non-optional', z.string().optional().nonoptional(), true],
    ['a readonly default', z.array(z.string()).default([]).readonly(), true],
    ['a union with an optional', z.union([z.string().optional(), z.int()]), false],
  ])('%s', async (_name, field, required) => {
    const { output } = await convert(z.object({ field }))
    expect(output.required ?? []).toEqual(required ? ['field'] : [])
  })

  it('holds in tuples, records and intersections', async () => {
    const word = z.string().default('x')
    const { input, output } = await convert(
      z.object({
        tuple: z.tuple([z.int(), word]),
        record: z.record(z.enum(['a', 'b']), word),
        closed: z.intersection(z.strictObject({ a: word }), z.strictObject({ b: z.int() })),
      }),
    )
    expect([input.properties.tuple.minItems, output.properties.tuple.minItems]).toEqual([1, 2])
    expect([input.properties.record.required, output.properties.record.required]).toEqual([
      undefined,
      ['a', 'b'],
    ])
    expect(input.properties.closed).toMatchObject({ required: ['b'], additionalProperties: false })
    expect(output.properties.closed).toMatchObject({ required: ['a', 'b'], additionalProperties: false })
  })
})

describe('recursion', () => {
  it('with an id', async () => {
    const Category = z
      .object({
        name: z.string(),
        get children(): z.ZodArray<typeof Category> {
          return z.array(Category)
        },
      })
      .meta({ id: 'Category' }) as z.ZodObject
    const { input, output, components } = await convert(Category)
    expect([input, output]).toEqual([ref('Category'), ref('Category')])
    expect(components['Category'].properties.children).toEqual({ type: 'array', items: ref('Category') })
  })

  it('without one is named for the operation that reaches it first', async () => {
    const List = z.object({
      value: z.int(),
      get next() {
        return List.nullable()
      },
    })
    const document = await documentOf({ lists: { get: give(z.object({ list: List })), put: take(List) } })
    expect(given(document, '/lists/get').properties.list).toEqual(ref('ListsGetOutput'))
    expect(document.components.schemas.ListsGetOutput.properties.next).toEqual({
      anyOf: [ref('ListsGetOutput'), { type: 'null' }],
    })
    const body = document.paths['/lists/put'].post.requestBody.content['application/json'].schema
    expect(body).toEqual(ref('ListsGetOutput'))
  })

  it('between two', async () => {
    const Folder = z.object({
      get files() {
        return z.array(File)
      },
    })
    const File = z.object({
      get folder(): z.ZodOptional<typeof Folder> {
        return Folder.optional()
      },
    })
    const { output, document } = await convert(Folder)
    expect(resolve(document, output).properties.files.items.properties.folder).toEqual(output)
  })

  it('inside a component does not split it', async () => {
    const Event = z.object({ payload: z.json() }).meta({ id: 'Event' })
    const { input, output, components } = await convert(Event)
    expect([input, output]).toEqual([ref('Event'), ref('Event')])
    expect(components['Event'].properties.payload).toEqual(ref('JsonValue'))
  })

  it('every z.json() is one component', async () => {
    const { components } = await convert(
      z.object({ a: z.json(), b: z.json().nullable(), c: z.array(z.json()) }),
    )
    expect(Object.keys(components).filter((name) => !/Problem|InvalidInput/.test(name))).toEqual([
      'JsonValue',
    ])
    expect(components['JsonValue'].anyOf).toContainEqual({ type: 'array', items: ref('JsonValue') })
  })

  it('leaves no name of zod behind', async () => {
    const Node = z.object({
      get next() {
        return Node.optional()
      },
    })
    const text = JSON.stringify(
      await documentOf({ a: give(Node), b: take(z.array(Node)), c: give(z.json()) }),
    )
    expect(text).not.toMatch(/__schema|__shared|\$defs|"\$ref":""/)
  })
})

describe('discriminated unions', () => {
  const Cat = z.object({ kind: z.literal('cat'), lives: z.int() }).meta({ id: 'Cat' })
  const Dog = z.object({ kind: z.literal(['dog', 'wolf']) }).meta({ id: 'Dog' })

  it('are oneOf, with a mapping to their components', async () => {
    const { output } = await convert(z.discriminatedUnion('kind', [Cat, Dog]))
    expect(output).toEqual({
      oneOf: [ref('Cat'), ref('Dog')],
      discriminator: {
        propertyName: 'kind',
        mapping: { cat: ref('Cat').$ref, dog: ref('Dog').$ref, wolf: ref('Dog').$ref },
      },
    })
  })

  it('map to the variant of their side', async () => {
    const Fish = z.object({ kind: z.literal('fish'), bowl: z.boolean().default(false) }).meta({ id: 'Fish' })
    const { input, output } = await convert(z.discriminatedUnion('kind', [Cat, Fish]))
    expect(input.discriminator.mapping.fish).toBe(ref('FishInput').$ref)
    expect(output.discriminator.mapping.fish).toBe(ref('Fish').$ref)
    expect(input.oneOf[0]).toEqual(output.oneOf[0])
  })

  it('without ids have the name of the property alone', async () => {
    const a = z.object({ t: z.literal('a') })
    const b = z.object({ t: z.literal('b') })
    const { output } = await convert(z.discriminatedUnion('t', [a, b]))
    expect(output.discriminator).toEqual({ propertyName: 't' })
  })

  it('by numbers are plain oneOf, as a discriminator is a text', async () => {
    const a = z.object({ t: z.literal(1) })
    const b = z.object({ t: z.literal(2) })
    const { output } = await convert(z.discriminatedUnion('t', [a, b]))
    expect(output.oneOf).toHaveLength(2)
    expect(output.discriminator).toBeUndefined()
  })
})

describe('procedures of plain tRPC', () => {
  const t = initTRPC.create()

  it('give what tRPC parses: defaults filled in, transforms done, dates as text', async () => {
    const User = z.object({ name: z.string(), role: z.string().default('member') }).meta({ id: 'User' })
    const router = t.router({
      get: t.procedure
        .input(User)
        .output(User)
        .query(() => ({ name: 'Ada' })),
      size: t.procedure
        .output(
          z.object({
            size: z
              .string()
              .transform((text) => text.length)
              .pipe(z.int()),
          }),
        )
        .query(() => ({ size: 'abc' })),
      when: t.procedure.output(z.object({ at: z.date() })).query(() => ({ at: new Date() })),
      any: t.procedure.query(() => 1),
    })
    const document = await documentOf({ old: router })
    expect(given(document, '/old/get')).toEqual(ref('User'))
    expect(document.components.schemas.User.required).toEqual(['name', 'role'])
    expect(document.components.schemas.UserInput.required).toEqual(['name'])
    expect(given(document, '/old/size').properties.size).toEqual({ type: 'integer' })
    expect(given(document, '/old/when').properties.at).toEqual({ type: 'string', format: 'date-time' })
    expect(given(document, '/old/any')).toEqual({})
  })
})
