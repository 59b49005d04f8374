/** Where the document and the answers once disagreed, found by sending what the document says. */
import { describe, expect, test } from 'vitest'
import { createApp, inline, procedure } from 'errand'
import { z } from 'zod'
import { serve } from '../support/serve.ts'

const output = z.string()

describe('a declared error of a status that Errand gives, too', () => {
  const tree = {
    work: procedure.task({
      input: z.object({ n: z.int() }),
      output,
      errors: { TOO_BORING: { status: 422, data: z.object({ n: z.int() }) } },
      handler: () => '',
    }),
    ask: procedure.query({
      input: z.object({ n: z.int() }),
      output,
      errors: { TOO_LARGE: { status: 413 }, GONE: { status: 410 } },
      handler: () => '',
    }),
  }

  test('was said to be the only one of it', async () => {
    const { paths } = await createApp(tree, { tasks: inline() }).openapi()
    const schemaOf = (path: string, status: string): unknown => {
      const responses = paths?.[path]?.post?.responses as Record<
        string,
        { content?: Record<string, { schema: unknown }> }
      >
      return responses[status]?.content?.['application/problem+json']?.schema
    }
    const general = { $ref: '#/components/schemas/GeneralProblem' }
    expect(schemaOf('/work', '422')).toEqual({
      anyOf: [{ $ref: '#/components/schemas/TooBoringProblem' }, general],
    })
    expect(schemaOf('/ask', '413')).toEqual({
      anyOf: [{ $ref: '#/components/schemas/TooLargeProblem' }, general],
    })
    expect(schemaOf('/ask', '410')).toEqual({ $ref: '#/components/schemas/GoneProblem' })
  })

  test('is not: a key that was used with another input', async () => {
    const { call } = await serve(tree, { tasks: inline() })
    await call('/work', { n: 1 }, { 'idempotency-key': 'k' })
    const { json } = await call('/work', { n: 2 }, { 'idempotency-key': 'k' })
    expect(json).toMatchObject({ status: 422, code: 'UNPROCESSABLE_CONTENT' })
  })
})

test('a file of any type was said to come as application/octet-stream, and came as what it is', async () => {
  const tree = {
    avatar: procedure.query({
      input: z.void(),
      output: z.file(),
      handler: () => new File(['x'], 'x.png', { type: 'image/png' }),
    }),
  }
  const { call, app } = await serve(tree)
  expect((await call('/avatar')).type).toBe('image/png')
  const { paths } = await app.openapi()
  expect(paths?.['/avatar']?.post?.responses).toMatchObject({ 200: { content: { '*/*': {} } } })
})
