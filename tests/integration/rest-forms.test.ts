/** Forms and files in. */
import { describe, expect, test } from 'vitest'
import { procedure } from 'errand'
import { z } from 'zod'
import { problemOf } from '../support/http.ts'
import { serve } from '../support/serve.ts'

const describeFile = async (file: File) => ({
  name: file.name,
  type: file.type,
  size: file.size,
  text: await file.text(),
})

const api = await serve({
  upload: procedure.mutation({
    input: z.object({
      file: z.file().max(1000),
      title: z.string(),
      width: z.int().default(1),
      tags: z.array(z.string()).default([]),
    }),
    output: z.unknown(),
    handler: async ({ input: { file, ...rest } }) => ({ ...(await describeFile(file)), ...rest }),
  }),
  images: procedure.mutation({
    input: z.object({ files: z.array(z.file().mime(['image/png', 'text/plain'])).min(1) }),
    output: z.array(z.string()),
    handler: ({ input }) => input.files.map((file) => file.name),
  }),
  maybe: procedure.mutation({
    input: z.object({ file: z.file().optional(), note: z.string().optional() }),
    output: z.unknown(),
    handler: ({ input }) => ({ hasFile: input.file !== undefined, note: input.note }),
  }),
  described: procedure.mutation({
    input: z.object({
      file: z.file(),
      about: z.object({ by: z.string(), year: z.int() }),
      points: z.array(z.object({ x: z.number() })).default([]),
    }),
    output: z.unknown(),
    handler: ({ input }) => ({ about: input.about, points: input.points }),
  }),
  form: procedure.mutation({
    input: z.object({
      n: z.number(),
      on: z.boolean().default(false),
      all: z.array(z.number()).default([]),
      s: z.string().optional(),
    }),
    output: z.unknown(),
    meta: { rest: { body: 'form' } },
    handler: ({ input }) => input,
  }),
})

const post = async (
  path: string,
  body: FormData | URLSearchParams | string,
  headers: Record<string, string> = {},
) => {
  const response = await fetch(api.url + path, { method: 'POST', body, headers })
  return { status: response.status, json: (await response.json()) as never }
}

const form = (...fields: [string, string | File][]): FormData => {
  const data = new FormData()
  for (const [name, value] of fields) data.append(name, value)
  return data
}

const file = (text = 'hello', name = 'a b.txt', type = 'text/plain') => new File([text], name, { type })

describe('a multipart form', () => {
  test('carries a file and fields, read by their types', async () => {
    const { status, json } = await post(
      '/upload',
      form(['file', file()], ['title', '42'], ['width', '7'], ['tags', 'x'], ['tags', 'y']),
    )
    expect(status).toBe(200)
    expect(json).toEqual({
      name: 'a b.txt',
      type: 'text/plain',
      size: 5,
      text: 'hello',
      title: '42',
      width: 7,
      tags: ['x', 'y'],
    })
  })

  test('carries bytes that are no text untouched', async () => {
    const bytes = Uint8Array.from({ length: 256 }, (_, index) => index)
    const { json } = await post(
      '/upload',
      form(['file', new File([bytes], 'b.bin', { type: 'application/octet-stream' })], ['title', '']),
    )
    expect(json).toMatchObject({ size: 256 })
  })

  test('carries one file for a list of files, and several', async () => {
    expect(await post('/images', form(['files', file('1', 'one.txt')]))).toEqual({
      status: 200,
      json: ['one.txt'],
    })
    expect(
      await post('/images', form(['files', file('1', 'one.txt')], ['files', file('2', 'two.txt')])),
    ).toEqual({ status: 200, json: ['one.txt', 'two.txt'] })
  })

  test('carries objects as JSON, as generated clients send them', async () => {
    const data = form(
      ['file', file()],
      ['about', '{"by":"Ada","year":1843}'],
      ['points', '{"x":1}'],
      ['points', '{"x":2}'],
    )
    expect(await post('/described', data)).toEqual({
      status: 200,
      json: { about: { by: 'Ada', year: 1843 }, points: [{ x: 1 }, { x: 2 }] },
    })
    const broken = await post('/described', form(['file', file()], ['about', '{"by"']))
    expect(broken.status).toBe(400)
    expect(broken.json).toMatchObject({ issues: [{ path: ['about'] }] })
  })

  test('may leave out what is optional', async () => {
    expect((await post('/maybe', form(['note', 'n']))).json).toEqual({ hasFile: false, note: 'n' })
    expect((await api.call('/maybe', { note: 'n' })).json).toEqual({ hasFile: false, note: 'n' })
  })

  test('is held to the rules of the file: size, type, and that it is one', async () => {
    const paths = (json: unknown) =>
      (json as { issues: { path: unknown[] }[] }).issues.map(({ path }) => path)
    const large = await post('/upload', form(['file', file('x'.repeat(1001))], ['title', 't']))
    expect([large.status, paths(large.json)]).toEqual([400, [['file']]])
    const wrong = await post('/images', form(['files', file('1', 'a.html', 'text/html')]))
    expect([wrong.status, paths(wrong.json)]).toEqual([400, [['files', 0]]])
    const text = await post('/upload', form(['file', 'not a file'], ['title', 't']))
    expect([text.status, paths(text.json)]).toEqual([400, [['file']]])
    const misplaced = await post('/upload', form(['file', file()], ['title', file()]))
    expect([misplaced.status, paths(misplaced.json)]).toEqual([400, [['title']]])
  })

  test.each([
    ['without a boundary', 'multipart/form-data', 'x'],
    ['with another boundary', 'multipart/form-data; boundary=a', '--b\r\n\r\nx\r\n--b--'],
    [
      'cut off',
      'multipart/form-data; boundary=a',
      '--a\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\nhal',
    ],
    ['of nothing but noise', 'multipart/form-data; boundary=a', '\0\0\0\0'],
    [
      'with a part without a name',
      'multipart/form-data; boundary=a',
      '--a\r\nContent-Disposition: form-data\r\n\r\nx\r\n--a--\r\n',
    ],
  ])('%s is 400', async (_, type, body) => {
    const answer = await api.send('POST /upload', { headers: { 'content-type': type }, body })
    expect(answer.status).toBe(400)
    expect(problemOf(answer).detail).toMatch(/The body is not a valid form|Invalid input/)
  })

  test('may have a field called __proto__, to no effect', async () => {
    const { json } = await post(
      '/upload',
      form(['file', file()], ['title', 't'], ['__proto__', 'x'], ['constructor', 'y']),
    )
    expect(json).toMatchObject({ title: 't' })
    expect(({} as Record<string, unknown>)['x']).toBeUndefined()
  })

  test('is too large by the same limit as any body', async () => {
    expect((await post('/upload', form(['file', file('x'.repeat(1024 ** 2))], ['title', 't']))).status).toBe(
      413,
    )
  })
})

describe('a urlencoded form', () => {
  test('is read by the types of its fields', async () => {
    const body = new URLSearchParams([
      ['n', '1.5'],
      ['on', 'on'],
      ['all', '1'],
      ['all', '2'],
      ['s', 'a+b &=é'],
    ])
    expect((await post('/form', body)).json).toEqual({ n: 1.5, on: true, all: [1, 2], s: 'a+b &=é' })
  })

  test('is too large when it has more fields than any form', async () => {
    const fields = (count: number): string => `n=1${'&s=x'.repeat(count - 1)}`
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    expect(problemOf(await api.send('POST /form', { headers, body: fields(10_001) }))).toMatchObject({
      status: 413,
      detail: 'The form has more than the 10000 fields allowed',
    })
    expect((await api.send('POST /form', { headers, body: fields(10_000) })).status).toBe(400)
    expect((await api.send('POST /form', { headers, body: fields(2) })).status).toBe(200)
  })

  test('is 400 when it is not UTF-8', async () => {
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    expect((await api.send('POST /form', { headers, body: Uint8Array.of(0x6e, 0x3d, 0xff) })).status).toBe(
      400,
    )
  })

  test('takes the place of JSON only where it was asked for', async () => {
    expect((await api.call('/form', { n: 1 })).json).toEqual({ n: 1, on: false, all: [] })
    expect((await post('/upload', new URLSearchParams({ title: 't' }))).status).toBe(400)
  })
})

describe('a procedure that takes a file', () => {
  test('tells what it takes when it gets something else', async () => {
    const answer = await api.send('POST /upload', { headers: { 'content-type': 'text/plain' }, body: 'x' })
    expect(answer.status).toBe(415)
    expect(problemOf(answer).detail).toMatch(/multipart\/form-data/)
  })

  test('is not in the tRPC router', async () => {
    expect(
      Object.keys((api.app.router as unknown as { _def: { procedures: object } })._def.procedures),
    ).toEqual(['form'])
    expect((await api.call('/trpc/upload', {})).status).toBe(404)
  })

  test('does not answer GET', async () => {
    expect((await api.get('/upload')).status).toBe(405)
  })
})
