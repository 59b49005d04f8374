/** Pages of other origins: who may call, and who may read the answer. */
import { describe, expect, test } from 'vitest'
import { createApp, procedure } from 'errand'
import { z } from 'zod'
import { serve } from '../support/serve.ts'

const tree = {
  add: procedure.query({
    input: z.object({ a: z.number() }),
    output: z.number(),
    handler: ({ input }) => input.a,
  }),
}

const ask = {
  origin: 'https://page.example',
  'access-control-request-method': 'POST',
  'access-control-request-headers': 'content-type, x-own',
}

describe('without the cors option', async () => {
  const { send, get } = await serve(tree)

  test('no answer lets another origin read it', async () => {
    expect(
      (await get('/add?a=1', { origin: 'https://page.example' })).headers['access-control-allow-origin'],
    ).toBeUndefined()
  })

  test('a preflight learns the methods and nothing else', async () => {
    const answer = await send('OPTIONS /add', { headers: ask })
    expect(answer.status).toBe(204)
    expect(answer.headers['access-control-allow-methods']).toBeUndefined()
  })
})

describe('with cors: true', async () => {
  const { send, get, call } = await serve(tree, { cors: true })

  test('any origin may read, errors included', async () => {
    expect(
      (await get('/add?a=1', { origin: 'https://page.example' })).headers['access-control-allow-origin'],
    ).toBe('*')
    expect(
      (await get('/nope', { origin: 'https://page.example' })).headers['access-control-allow-origin'],
    ).toBe('*')
    expect(
      (await call('/add', {}, { origin: 'https://page.example' })).headers['access-control-allow-origin'],
    ).toBe('*')
  })

  test('a preflight is answered with the methods of the path and the headers asked for', async () => {
    const answer = await send('OPTIONS /add', { headers: ask })
    expect(answer).toMatchObject({ status: 204, text: '' })
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'POST, GET',
      'access-control-allow-headers': 'content-type, x-own',
      'access-control-max-age': '600',
    })
  })

  test('a page may read the headers of tasks', async () => {
    const exposed = (await get('/add?a=1', { origin: 'https://page.example' })).headers[
      'access-control-expose-headers'
    ]
    for (const name of ['location', 'retry-after', 'etag']) expect(exposed).toContain(name)
  })

  test('a preflight of an unknown path is 404', async () => {
    expect((await send('OPTIONS /nope', { headers: ask })).status).toBe(404)
  })

  test('the tRPC door is open to pages as well', async () => {
    const answer = await send('OPTIONS /trpc/add', { headers: ask })
    expect(answer.status).toBe(204)
    expect(answer.headers['access-control-allow-methods']).toContain('POST')
    expect(
      (await get('/trpc/add?input=%7B%22a%22%3A1%7D', { origin: 'https://page.example' })).headers[
        'access-control-allow-origin'
      ],
    ).toBe('*')
  })
})

describe('with named origins and credentials', async () => {
  const { get, send } = await serve(tree, {
    cors: {
      origin: ['https://page.example', 'https://other.example'],
      credentials: true,
      headers: ['x-a', 'x-b'],
      expose: ['x-c'],
      maxAge: 5,
    },
  })

  test('a named origin is let in by name, with its cookies', async () => {
    const { headers } = await get('/add?a=1', { origin: 'https://other.example' })
    expect(headers).toMatchObject({
      'access-control-allow-origin': 'https://other.example',
      'access-control-allow-credentials': 'true',
      'access-control-expose-headers': 'x-c',
      vary: 'origin',
    })
  })

  test.each(['https://page.example.evil', 'null', 'https://page.exampl', 'HTTPS://PAGE.EXAMPLE'])(
    '%s is not let in',
    async (origin) => {
      const { headers } = await get('/add?a=1', { origin })
      expect(headers['access-control-allow-origin']).toBeUndefined()
      expect(headers['access-control-allow-credentials']).toBeUndefined()
      expect(headers.vary).toBe('origin')
    },
  )

  test('a preflight is answered with the headers that the option names', async () => {
    const { headers } = await send('OPTIONS /add', { headers: { ...ask, origin: 'https://page.example' } })
    expect(headers).toMatchObject({
      'access-control-allow-headers': 'x-a, x-b',
      'access-control-max-age': '5',
    })
  })
})

describe('with a test of origins', async () => {
  const { get } = await serve(tree, {
    cors: {
      origin: (origin) => {
        if (origin === 'https://boom.example') throw new Error('boom')
        return origin.endsWith('.mine.example')
      },
    },
  })

  test('it decides', async () => {
    expect(
      (await get('/add?a=1', { origin: 'https://a.mine.example' })).headers['access-control-allow-origin'],
    ).toBe('https://a.mine.example')
    expect(
      (await get('/add?a=1', { origin: 'https://a.theirs.example' })).headers['access-control-allow-origin'],
    ).toBeUndefined()
  })

  test('one that throws costs that one request and not the server', async () => {
    const answer = await get('/add?a=1', { origin: 'https://boom.example' })
    expect(answer.status).toBe(500)
    expect(answer.headers['access-control-allow-origin']).toBeUndefined()
    expect((await get('/add?a=1')).status).toBe(200)
  })
})

test('credentials for any origin are refused at the start, as browsers refuse them later', () => {
  expect(() => createApp(tree, { cors: { credentials: true } })).toThrow(/credentials need named origins/)
})
