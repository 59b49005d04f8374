import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { procedure, stream } from '../../../src/index.ts'
import { documentWarnings } from '../../../src/openapi/warnings.ts'
import { documentOf, type Json } from '../../fixtures/openapi/document-of.ts'

const nothing = { input: z.void(), output: z.void(), handler: () => undefined }
const ref = (name: string) => ({ $ref: `#/components/schemas/${name}` })
const parameters = (operation: Json, place: string): Json[] =>
  operation.parameters.filter((each: Json) => each.in === place)

describe('every operation', () => {
  it('has an operationId, a summary, a kind and its procedure', async () => {
    const { paths } = await documentOf({
      shop: { placeOrder: procedure.mutation(nothing) },
      ping: procedure.query(nothing),
    })
    expect(paths['/shop/placeOrder'].post).toMatchObject({
      operationId: 'shopPlaceOrder',
      summary: 'Shop: place order',
      tags: ['shop'],
      'x-kind': 'mutation',
      'x-procedure': 'shop.placeOrder',
    })
    expect(paths['/ping'].post).toMatchObject({ operationId: 'ping', summary: 'Ping', 'x-kind': 'query' })
    expect(paths['/ping'].post.tags).toBeUndefined()
  })

  it.each([
    ['getURL', 'Get URL'],
    ['a.b.listUserIDs', 'A: b: list user IDs'],
    ['snake_case_name', 'Snake case name'],
    ['HTMLToPdf', 'HTML to pdf'],
    ['v2Users', 'V2 users'],
  ])('%s is %s in words', async (path, summary) => {
    const tree = path
      .split('.')
      .reduceRight<object>((inner, name) => ({ [name]: inner }), procedure.query(nothing))
    const { paths } = await documentOf(tree)
    expect((Object.values(paths)[0] as Json).post.summary).toBe(summary)
  })

  it('says what meta says', async () => {
    const meta = {
      summary: 'S',
      description: 'D',
      tags: ['x', 'y'],
      deprecated: true,
      security: [{ key: ['a'] }],
    }
    const { paths, tags, components } = await documentOf(
      { p: procedure.query({ ...nothing, meta }) },
      { openapi: { securitySchemes: { key: { type: 'apiKey', in: 'header', name: 'x-key' } } } },
    )
    expect(paths['/p'].post).toMatchObject(meta)
    expect(tags).toEqual([{ name: 'x' }, { name: 'y' }])
    expect(components.securitySchemes.key).toEqual({ type: 'apiKey', in: 'header', name: 'x-key' })
  })

  it("stands below the prefix, and Errand's own GET is not shown", async () => {
    const { paths } = await documentOf({ p: procedure.query(nothing) }, { prefix: '/api' })
    expect(Object.keys(paths)).toEqual(['/api/p'])
    expect(Object.keys(paths['/api/p'])).toEqual(['post'])
  })
})

describe('where an input comes from', () => {
  const input = z.object({
    id: z.uuid().describe('Whose'),
    token: z.string(),
    session: z.string().optional(),
    page: z.int().default(1),
    tags: z.array(z.string()).optional().describe('All of them'),
  })
  const rest = { path: '/things/{id}', in: { token: 'header:x-token', session: 'cookie:sid' } } as const

  it('a GET has path, header, cookie and flat query parameters', async () => {
    const { paths } = await documentOf({
      p: procedure.query({ ...nothing, input, meta: { rest: { ...rest, method: 'GET' } } }),
    })
    const { get } = paths['/things/{id}']
    expect(get.parameters).toEqual([
      {
        name: 'id',
        in: 'path',
        required: true,
        description: 'Whose',
        schema: { type: 'string', format: 'uuid', description: 'Whose' },
      },
      { name: 'x-token', in: 'header', required: true, schema: { type: 'string' } },
      { name: 'sid', in: 'cookie', required: false, schema: { type: 'string' } },
      { name: 'page', in: 'query', required: false, schema: { type: 'integer', default: 1 } },
      {
        name: 'tags',
        in: 'query',
        required: false,
        description: 'All of them',
        style: 'form',
        explode: true,
        schema: { type: 'array', items: { type: 'string' }, description: 'All of them' },
      },
    ])
    expect(get.requestBody).toBeUndefined()
  })

  it('a body has what is not elsewhere', async () => {
    const { paths } = await documentOf({
      p: procedure.mutation({ ...nothing, input, meta: { rest: { ...rest, method: 'PUT' } } }),
    })
    const { put } = paths['/things/{id}']
    expect(put.parameters.map(({ name }: Json) => name)).toEqual(['id', 'x-token', 'sid'])
    const { schema } = put.requestBody.content['application/json']
    expect(Object.keys(schema.properties)).toEqual(['page', 'tags'])
    expect(put.requestBody.required).toBe(false)
  })

  it('no body is left when all is elsewhere', async () => {
    const only = z.object({ id: z.string() })
    const { paths } = await documentOf({
      p: procedure.mutation({ ...nothing, input: only, meta: { rest: { path: '/p/{id}' } } }),
    })
    expect(paths['/p/{id}'].post.requestBody).toBeUndefined()
  })

  it('a strict input stays strict in its body', async () => {
    const strict = z.strictObject({ id: z.string(), name: z.string() })
    const { paths } = await documentOf({
      p: procedure.mutation({ ...nothing, input: strict, meta: { rest: { path: '/p/{id}' } } }),
    })
    const { schema } = paths['/p/{id}'].post.requestBody.content['application/json']
    expect(schema).toEqual({
      type: 'object',
      properties: { name: { type: 'string' } },
      required: ['name'],
      additionalProperties: false,
    })
  })

  it('what a query string can not hold flat is one parameter of JSON', async () => {
    const nested = z.object({ where: z.object({ text: z.string() }) }).meta({ id: 'Search' })
    const union = z.union([z.object({ a: z.string() }), z.object({ b: z.string() })])
    const get = { rest: { method: 'GET' } } as const
    const { paths } = await documentOf({
      nested: procedure.query({ ...nothing, input: nested, meta: get }),
      union: procedure.query({ ...nothing, input: union.optional(), meta: get }),
    })
    expect(paths['/nested'].get.parameters).toEqual([
      {
        name: 'input',
        in: 'query',
        required: true,
        description: 'The input as JSON text.',
        schema: { type: 'string', contentMediaType: 'application/json', contentSchema: ref('Search') },
      },
    ])
    expect(paths['/union'].get.parameters[0].required).toBe(false)
  })

  it.each([
    ['an object', z.object({}), true],
    ['an optional', z.object({}).optional(), false],
    ['a default', z.object({}).default({}), false],
    ['anything', z.unknown(), false],
    ['a text', z.string(), true],
  ])('a body of %s is required: %s', async (_name, schema, required) => {
    const { paths } = await documentOf({ p: procedure.mutation({ ...nothing, input: schema }) })
    expect(paths['/p'].post.requestBody.required).toBe(required)
  })

  it('forms are taken where a file or meta.rest.body says so', async () => {
    const { paths } = await documentOf({
      upload: procedure.mutation({
        ...nothing,
        input: z.object({
          image: z.file().mime(['image/png', 'image/webp']).max(10),
          more: z.array(z.file().mime('text/csv')).optional(),
          any: z.file().optional(),
          note: z.string(),
        }),
      }),
      form: procedure.mutation({
        ...nothing,
        input: z.object({ a: z.int() }),
        meta: { rest: { body: 'form' } },
      }),
    })
    expect(paths['/upload'].post.requestBody.content).toEqual({
      'multipart/form-data': {
        schema: {
          type: 'object',
          properties: {
            image: { type: 'string', format: 'binary', maxLength: 10 },
            more: {
              type: 'array',
              items: { type: 'string', format: 'binary', contentMediaType: 'text/csv' },
            },
            any: { type: 'string', format: 'binary' },
            note: { type: 'string' },
          },
          required: ['image', 'note'],
        },
        encoding: { image: { contentType: 'image/png, image/webp' }, more: { contentType: 'text/csv' } },
      },
    })
    expect(Object.keys(paths['/form'].post.requestBody.content)).toEqual([
      'application/json',
      'multipart/form-data',
      'application/x-www-form-urlencoded',
    ])
  })
})

describe('what a call is answered with', () => {
  it('an output, nothing, bytes, or either of the first two', async () => {
    const { paths } = await documentOf({
      json: procedure.query({
        ...nothing,
        output: z.int(),
        meta: { rest: { status: 201 } },
        handler: () => 1,
      }),
      nothing: procedure.query(nothing),
      maybe: procedure.query({ ...nothing, output: z.int().optional() }),
      csv: procedure.query({ ...nothing, output: stream('text/csv'), handler: () => '' }),
      zip: procedure.query({ ...nothing, output: stream('application/zip'), handler: () => '' }),
      file: procedure.query({ ...nothing, output: z.file(), handler: () => new File([], 'x') }),
      png: procedure.query({
        ...nothing,
        output: z.file().mime('image/png'),
        handler: () => new File([], 'x'),
      }),
    })
    const answers = (path: string): Json => {
      const { default: _problem, ...own } = paths[path].post.responses
      return Object.fromEntries(Object.entries<Json>(own).map(([status, { content }]) => [status, content]))
    }
    expect(answers('/json')).toEqual({ 201: { 'application/json': { schema: { type: 'integer' } } } })
    expect(answers('/nothing')).toEqual({ 204: undefined })
    expect(answers('/maybe')).toEqual({
      200: { 'application/json': { schema: { type: 'integer' } } },
      204: undefined,
    })
    expect(answers('/csv')).toEqual({ 200: { 'text/csv': { schema: { type: 'string' } } } })
    const binary = { schema: { type: 'string', format: 'binary' } }
    expect(answers('/zip')).toEqual({ 200: { 'application/zip': binary } })
    expect(answers('/file')).toEqual({ 200: { '*/*': binary } })
    expect(answers('/png')).toEqual({ 200: { 'image/png': binary } })
  })

  it('a subscription streams its items', async () => {
    const { paths } = await documentOf({
      ticks: procedure.subscription({
        ...nothing,
        output: z.object({ n: z.int() }),
        handler: async function* () {},
      }),
    })
    const { post } = paths['/ticks']
    expect(post['x-kind']).toBe('subscription')
    expect(post.responses['200'].content).toEqual({
      'text/event-stream': {
        schema: { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] },
      },
    })
  })

  it('examples of input and output stand where they are sent', async () => {
    const { paths } = await documentOf({
      p: procedure.mutation({
        input: z.object({ id: z.string(), n: z.int() }),
        output: z.int(),
        meta: {
          rest: { path: '/p/{id}' },
          examples: [{ name: 'one', input: { id: 'x', n: 1 }, output: 1 }, { output: 2 }],
        },
        handler: () => 1,
      }),
    })
    const { post } = paths['/p/{id}']
    expect(post.parameters[0].example).toBe('x')
    expect(post.requestBody.content['application/json'].examples).toEqual({ one: { value: { n: 1 } } })
    expect(post.responses['200'].content['application/json'].examples).toEqual({
      one: { value: 1 },
      example2: { value: 2 },
    })
  })
})

describe('errors', () => {
  const data = z.object({ sku: z.string() })

  it('an input can be invalid, and anything can fail', async () => {
    const { paths, components } = await documentOf({
      p: procedure.query({ ...nothing, input: z.int() }),
      q: procedure.query(nothing),
    })
    expect(paths['/p'].post.responses['400']).toEqual({ $ref: '#/components/responses/InvalidInput' })
    expect(paths['/q'].post.responses['400']).toBeUndefined()
    expect(paths['/q'].post.responses.default).toEqual({ $ref: '#/components/responses/Problem' })
    expect(components.responses.Problem.content['application/problem+json'].schema).toEqual(
      ref('GeneralProblem'),
    )
    expect(components.schemas.GeneralProblem.allOf[1].properties.code.enum).toContain('TASK_TIMEOUT')
    expect(components.schemas.Problem.required).toEqual([
      'type',
      'title',
      'status',
      'code',
      'detail',
      'instance',
    ])
  })

  it('a declared error is a problem with its code and data', async () => {
    const { paths, components } = await documentOf({
      p: procedure.query({
        ...nothing,
        errors: { OUT_OF_STOCK: { status: 409, data }, GONE: { status: 410 } },
      }),
    })
    expect(paths['/p'].post.responses['409']).toEqual({
      description: 'Out of stock.',
      content: { 'application/problem+json': { schema: ref('OutOfStockProblem') } },
    })
    expect(components.schemas.OutOfStockProblem.allOf).toEqual([
      ref('Problem'),
      {
        type: 'object',
        properties: {
          status: { type: 'integer', const: 409 },
          code: { type: 'string', const: 'OUT_OF_STOCK' },
          data: { type: 'object', properties: { sku: { type: 'string' } }, required: ['sku'] },
        },
        required: ['status', 'code', 'data'],
      },
    ])
    expect(components.schemas.GoneProblem.allOf[1].required).toEqual(['status', 'code'])
  })

  it('several with one status are told apart by their code', async () => {
    const { paths } = await documentOf({
      p: procedure.query({
        ...nothing,
        errors: { A: { status: 409, data }, B: { status: 409, message: 'Bee' } },
      }),
    })
    const { description, content } = paths['/p'].post.responses['409']
    expect(description).toBe('A; or Bee.')
    expect(content['application/problem+json'].schema).toEqual({
      oneOf: [ref('AProblem'), ref('BProblem')],
      discriminator: { propertyName: 'code', mapping: { A: ref('AProblem').$ref, B: ref('BProblem').$ref } },
    })
  })

  it('a declared 400 stands beside invalid input', async () => {
    const { paths } = await documentOf({
      p: procedure.query({ ...nothing, input: z.int(), errors: { ODD: { status: 400 } } }),
      q: procedure.query({ ...nothing, input: z.int(), errors: { BAD_REQUEST: { status: 400, data } } }),
    })
    const schema = (path: string): Json =>
      paths[path].post.responses['400'].content['application/problem+json'].schema
    expect(schema('/p').discriminator.mapping).toEqual({
      ODD: ref('OddProblem').$ref,
      BAD_REQUEST: ref('InvalidInput').$ref,
    })
    expect(schema('/q')).toEqual({ anyOf: [ref('BadRequestProblem'), ref('InvalidInput')] })
  })

  it('one error of many procedures is one component, another with its code is named for its operation', async () => {
    const { paths } = await documentOf({
      a: procedure.query({ ...nothing, errors: { NO: { status: 409, data } } }),
      b: procedure.query({ ...nothing, errors: { NO: { status: 409, data } } }),
      c: procedure.query({ ...nothing, errors: { NO: { status: 409 } } }),
    })
    const schema = (path: string): Json =>
      paths[path].post.responses['409'].content['application/problem+json'].schema
    expect([schema('/a'), schema('/b'), schema('/c')]).toEqual([
      ref('NoProblem'),
      ref('NoProblem'),
      ref('CNoProblem'),
    ])
  })
})

describe('tasks', () => {
  const countPrimes = procedure.task({
    input: z.object({ below: z.int() }),
    output: z.object({ count: z.int() }),
    progress: z.object({ percent: z.number() }),
    errors: { BORING: { status: 422 } },
    meta: { description: 'Counts.', tags: ['maths'] },
    handler: () => ({ count: 1 }),
  })
  const names = (operation: Json): string[] =>
    operation.parameters.map(({ $ref }: Json) => $ref.split('/').at(-1))

  it('a plain call waits: 200 and no 202', async () => {
    const { paths } = await documentOf({ countPrimes })
    const { post } = paths['/countPrimes']
    expect(post).toMatchObject({ operationId: 'countPrimes', 'x-kind': 'task', tags: ['maths'] })
    expect(Object.keys(post.responses)).toEqual(['200', '400', '422', 'default'])
    expect(post.description).toMatch(/^Counts\.\n\n.*respond-async.*202/)
    expect(Object.keys(post.responses['200'].headers)).toContain('Content-Location')
  })

  it("with mode 'always' it answers 202 with the record", async () => {
    const always = procedure.task({ ...nothing, mode: 'always' })
    const { paths } = await documentOf({ always })
    const { responses } = paths['/always'].post
    expect(Object.keys(responses)).toEqual(['202', 'default'])
    expect(responses['202'].content['application/json'].schema).toEqual(ref('AlwaysTask'))
  })

  it('a start answers 202, takes its options beside the input and says where to look', async () => {
    const { paths } = await documentOf({ countPrimes })
    const { post } = paths['/countPrimes/tasks']
    expect(post.operationId).toBe('startCountPrimes')
    expect(names(post)).toEqual([
      'IdempotencyKey',
      'TaskRunAt',
      'TaskDelay',
      'TaskPriority',
      'TaskTags',
      'RetryKey',
    ])
    expect(Object.keys(post.responses)).toEqual(['202', '400', '422', 'default'])
    expect(Object.keys(post.responses['202'].headers)).toEqual(['Location', 'Retry-After'])
    expect(post.requestBody.content['application/json'].schema.properties).toEqual({
      below: { type: 'integer' },
    })
  })

  it('get, watch and cancel are typed', async () => {
    const { paths, components } = await documentOf({ countPrimes })
    const get = paths['/countPrimes/tasks/{taskId}'].get
    const watch = paths['/countPrimes/tasks/{taskId}/events'].get
    const cancel = paths['/countPrimes/tasks/{taskId}/cancel'].post
    expect([get, watch, cancel].map((each) => [each.operationId, each['x-kind']])).toEqual([
      ['getCountPrimesTask', 'query'],
      ['watchCountPrimesTask', 'subscription'],
      ['cancelCountPrimesTask', 'mutation'],
    ])
    expect(names(get)).toEqual(['TaskId', 'TaskWait', 'IfNoneMatch'])
    expect(Object.keys(get.responses)).toEqual(['200', '304', '404', 'default'])
    expect(Object.keys(cancel.responses)).toEqual(['200', '202', '404', 'default'])
    expect(components.schemas.CountPrimesTask.allOf).toEqual([
      ref('Task'),
      {
        type: 'object',
        properties: {
          procedure: { type: 'string', const: 'countPrimes' },
          progress: { type: 'object', properties: { percent: { type: 'number' } }, required: ['percent'] },
          result: { type: 'object', properties: { count: { type: 'integer' } }, required: ['count'] },
        },
        required: ['procedure'],
      },
    ])
    expect(watch.responses['200'].content['text/event-stream'].schema.anyOf).toEqual([
      ref('CountPrimesTask'),
      { type: 'object', properties: { percent: { type: 'number' } }, required: ['percent'] },
      ref('TaskLog'),
      { type: 'null' },
    ])
  })

  it('the routes by id stand under the tag "tasks", where they are', async () => {
    const { paths, tags } = await documentOf(
      { countPrimes },
      { prefix: '/api', routes: { tasks: '/_tasks' } },
    )
    const generic = Object.entries<Json>(paths)
      .filter(([path]) => path.startsWith('/api/_tasks'))
      .flatMap(([, item]) => Object.values<Json>(item))
    expect(new Set(generic.map(({ operationId }) => operationId))).toEqual(
      new Set([
        'cancelTask',
        'getTask',
        'getTaskResult',
        'getTaskStatus',
        'listTasks',
        'removeTask',
        'retryTask',
        'watchTask',
      ]),
    )
    expect(generic.every((operation) => operation.tags[0] === 'tasks')).toBe(true)
    expect(tags.map(({ name }: Json) => name)).toEqual(['maths', 'tasks'])
    expect(paths['/api/_tasks'].get.parameters.map(({ name }: Json) => name)).toEqual([
      'procedure',
      'status',
      'tag',
      'limit',
      'cursor',
    ])
  })

  it('are not there when turned off, or when nothing is a task', async () => {
    const off = await documentOf({ countPrimes }, { routes: { tasks: false } })
    expect(Object.keys(off.paths).some((path) => path.startsWith('/tasks'))).toBe(false)
    const none = await documentOf({ p: procedure.query(nothing) })
    expect(Object.keys(none.paths)).toEqual(['/p'])
    expect(Object.keys(none.components.schemas)).toEqual(['GeneralProblem', 'Problem', 'ProblemIssue'])
    expect(none.components.parameters).toBeUndefined()
  })

  it('repeat the parameters of their own path', async () => {
    const scene = procedure.task({
      ...nothing,
      input: z.object({ id: z.uuid(), size: z.int() }),
      meta: { rest: { path: '/scenes/{id}/render' } },
    })
    const { paths } = await documentOf({ scene })
    expect(parameters(paths['/scenes/{id}/render'].post, 'path')).toHaveLength(1)
    expect(parameters(paths['/scenes/{id}/render/tasks'].post, 'path')).toHaveLength(1)
    expect(parameters(paths['/scenes/{id}/render/tasks/{taskId}'].get, 'path')[0]).toMatchObject({
      name: 'id',
      required: true,
    })
  })
})

describe('warnings', () => {
  it('name ids that generated clients use, and security schemes nobody declared', async () => {
    const document = await documentOf({
      add: procedure.query({
        ...nothing,
        input: z.object({ a: z.int() }).meta({ id: 'AddData' }),
        output: z.object({ b: z.int() }).meta({ id: 'FormData' }),
        meta: { security: [{ key: [] }] },
        handler: () => ({ b: 1 }),
      }),
    })
    expect(documentWarnings(document)).toEqual([
      expect.stringMatching(/AddData.*add/),
      expect.stringMatching(/add has the security scheme key/),
    ])
  })
})
