/** Who calls: bearer tokens, API keys and sessions, on every door, and in the document. */
import { generateKeyPair, jwtVerify, SignJWT, UnsecuredJWT, errors } from 'jose'
import { describe, expect, expectTypeOf, test } from 'vitest'
import {
  apiKey,
  authenticate,
  bearer,
  createApp,
  createProcedure,
  inline,
  procedure,
  ProcedureError,
  sameSecret,
  session,
  type ContextRequest,
} from 'errand'
import { z } from 'zod'
import { problemOf, type Answer } from '../support/http.ts'
import { serve } from '../support/serve.ts'
import { taskOf } from '../support/tasks.ts'

interface User {
  readonly id: string
}

interface Context {
  readonly user: User | null
}

const { privateKey, publicKey } = await generateKeyPair('ES256')
const ISSUER = { issuer: 'https://id.example', audience: 'errand' }

const verifyJwt = async (token: string): Promise<User | null> => {
  try {
    const { payload } = await jwtVerify(token, publicKey, {
      ...ISSUER,
      algorithms: ['ES256'],
      requiredClaims: ['sub'],
    })
    return { id: payload.sub as string }
  } catch (error) {
    if (error instanceof errors.JOSEError) return null
    throw error
  }
}

const sign = (id: string, change: (jwt: SignJWT) => SignJWT = (jwt) => jwt): Promise<string> =>
  change(
    new SignJWT({})
      .setProtectedHeader({ alg: 'ES256' })
      .setSubject(id)
      .setIssuer(ISSUER.issuer)
      .setAudience(ISSUER.audience)
      .setIssuedAt()
      .setExpirationTime('5m'),
  ).sign(privateKey)

const sessions = new Map([['s-ada', { id: 'ada' }]])

const auth = authenticate<User>({
  token: bearer({
    format: 'JWT',
    verify: (token) => {
      if (token === 'outage') throw new Error('the database is away')
      return verifyJwt(token)
    },
  }),
  key: apiKey({ verify: (key) => (sameSecret(key, 'k-partner') ? { id: 'partner' } : null) }),
  session: session({ cookie: 'sid', origins: ['https://app.example'], verify: (id) => sessions.get(id) }),
})

const open = createProcedure<Context>()
const signedIn = open.use(auth.required)
const output = z.string()

const tree = {
  whoami: open.query({ input: z.void(), output, handler: ({ ctx }) => ctx.user?.id ?? 'nobody' }),
  mine: signedIn.query({ input: z.object({ n: z.int() }), output, handler: ({ ctx }) => ctx.user.id }),
  change: signedIn.mutation({ input: z.void(), output, handler: ({ ctx }) => ctx.user.id }),
  items: signedIn.subscription({
    input: z.void(),
    output,
    handler: async function* ({ ctx }) {
      yield ctx.user.id
    },
  }),
  work: signedIn.task({
    input: z.object({ n: z.int() }),
    output,
    carry: ({ ctx }) => ({ id: ctx.user.id }),
    handler: ({ carried }) => carried?.id ?? 'nobody',
  }),
}

const createContext = async (request: ContextRequest): Promise<Context> => ({
  user: await auth.user(request),
})

const api = await serve(tree, { tasks: inline(), createContext, owner: ({ user }) => user?.id ?? null })

const as = async (id: string) => ({ authorization: `Bearer ${await sign(id)}` })

test('a handler behind it has a user', () => {
  signedIn.query({
    input: z.void(),
    output,
    handler: ({ ctx }) => {
      expectTypeOf(ctx.user).toEqualTypeOf<User>()
      return ctx.user.id
    },
  })
  open.query({
    input: z.void(),
    output,
    handler: ({ ctx }) => {
      expectTypeOf(ctx.user).toEqualTypeOf<User | null>()
      return ''
    },
  })
})

describe('whoever has no credentials', () => {
  const DOORS: [string, () => Promise<Answer>][] = [
    ['POST', () => api.call('/mine', { n: 'not even input' })],
    ['GET', () => api.get('/mine?n=x')],
    ['a mutation', () => api.call('/change')],
    ['a subscription', () => api.get('/items')],
    ['a task', () => api.call('/work', { n: 'x' })],
    ['the start of a task', () => api.call('/work/tasks', { n: 'x' })],
    ['tRPC', () => api.get('/trpc/mine?input={}')],
    ['tRPC, by its own code', () => api.get('/trpc/mine?input={}', { 'content-type': 'text/plain' })],
    ['a task over tRPC', () => api.call('/trpc/work.start', { n: 'x' })],
  ]
  test.each(DOORS)('is told to sign in, and nothing of the schema: %s', async (_, ask) => {
    const answer = await ask()
    expect(answer.status).toBe(401)
    expect(answer.text).toContain('Sign in first')
    expect(answer.text).not.toContain('issues')
    expect(answer.headers['www-authenticate']).toBe('Bearer')
  })

  test('is let in where nobody has to sign in', async () => {
    expect((await api.get('/whoami')).json).toBe('nobody')
  })
})

describe('a bearer token', () => {
  test('that is good lets in, by every door', async () => {
    const ada = await as('ada')
    expect((await api.call('/mine', { n: 1 }, ada)).json).toBe('ada')
    expect((await api.get('/items', ada)).text).toContain('data: "ada"')
    expect((await api.call('/work', { n: 1 }, ada)).json).toBe('ada')
    expect((await api.get('/trpc/mine?input={"n":1}', ada)).json).toEqual({ result: { data: 'ada' } })
    expect((await api.get('/whoami', { authorization: `bearer   ${await sign('eve')}` })).json).toBe('eve')
    const { id } = taskOf(await api.call('/work/tasks', { n: 1 }, ada))
    expect((await api.get(`/tasks/${id}/result?wait=5`, ada)).json).toBe('ada')
    expect((await api.get(`/tasks/${id}`, await as('bob'))).status).toBe(404)
    expect((await api.get(`/tasks/${id}`)).status).toBe(404)
  })

  const soon = () => sign('ada')
  const BAD: [string, () => Promise<string> | string][] = [
    ['expired', () => sign('ada', (jwt) => jwt.setExpirationTime('-1m'))],
    ['not yet good', () => sign('ada', (jwt) => jwt.setNotBefore('5m'))],
    ['of another issuer', () => sign('ada', (jwt) => jwt.setIssuer('https://evil.example'))],
    ['for another audience', () => sign('ada', (jwt) => jwt.setAudience('another'))],
    [
      'signed by nobody',
      () => new UnsecuredJWT({}).setSubject('ada').setIssuer(ISSUER.issuer).setAudience('errand').encode(),
    ],
    [
      'signed by another',
      async () => {
        const other = await generateKeyPair('ES256')
        return new SignJWT({})
          .setProtectedHeader({ alg: 'ES256' })
          .setSubject('ada')
          .setIssuer(ISSUER.issuer)
          .setAudience('errand')
          .sign(other.privateKey)
      },
    ],
    [
      'signed with a secret that everybody knows',
      () =>
        new SignJWT({})
          .setProtectedHeader({ alg: 'HS256' })
          .setSubject('ada')
          .setIssuer(ISSUER.issuer)
          .setAudience('errand')
          .sign(new TextEncoder().encode('x'.repeat(32))),
    ],
    [
      'changed',
      async () => {
        const [head, , signature] = (await soon()).split('.')
        return [
          head,
          Buffer.from(JSON.stringify({ sub: 'root', iss: ISSUER.issuer, aud: 'errand' })).toString(
            'base64url',
          ),
          signature,
        ].join('.')
      },
    ],
    ['cut off', async () => (await soon()).slice(0, -10)],
    ['no token', () => 'hello'],
    ['nothing', () => ''],
    ['two', async () => `${await soon()}, ${await soon()}`],
    ['with a space', async () => `${await soon()} x`],
  ]
  test.each(BAD)('that is %s does not, not even where nobody has to sign in', async (_, make) => {
    const headers = { authorization: `Bearer ${await make()}` }
    for (const path of ['/mine?n=1', '/whoami', '/tasks', '/trpc/whoami', '/trpc/mine?input={"n":1}']) {
      const answer = await api.get(path, headers)
      expect(answer.status, path).toBe(401)
      expect(answer.headers['www-authenticate']).toBe('Bearer')
    }
    expect(problemOf(await api.get('/mine?n=1', headers)).detail).toMatch(/not valid/)
  })

  test('of another kind is none', async () => {
    expect((await api.get('/whoami', { authorization: 'Basic YTpi' })).json).toBe('nobody')
    expect((await api.get('/whoami', { authorization: 'Bearerish x' })).json).toBe('nobody')
  })

  test('that could not be checked is the server’s failure, and says nothing of it', async () => {
    const answer = await api.get('/whoami', { authorization: 'Bearer outage' })
    expect(answer.status).toBe(500)
    expect(answer.text).not.toContain('database')
    expect(api.logs.splice(0)).toEqual([expect.objectContaining({ level: 'error' })])
  })
})

describe('an API key', () => {
  test('lets in when it is the one, and only then', async () => {
    expect((await api.get('/whoami', { 'x-api-key': 'k-partner' })).json).toBe('partner')
    for (const key of ['', 'k', 'k-partner2', 'K-PARTNER', 'k-partne'])
      expect((await api.get('/whoami', { 'x-api-key': key })).status, key).toBe(401)
  })

  test('is compared in full, and a secret that is not set is nobody’s', () => {
    expect(sameSecret('a', 'a')).toBe(true)
    expect(sameSecret('a', 'b')).toBe(false)
    expect(sameSecret('', '')).toBe(false)
    expect(sameSecret('', undefined)).toBe(false)
    expect(sameSecret('undefined', undefined)).toBe(false)
  })

  test('beside a token is not looked at: the first that is there decides', async () => {
    const both = { ...(await as('ada')), 'x-api-key': 'wrong' }
    expect((await api.get('/whoami', both)).json).toBe('ada')
    expect(
      (await api.get('/whoami', { authorization: 'Bearer wrong', 'x-api-key': 'k-partner' })).status,
    ).toBe(401)
  })
})

describe('a session', () => {
  const JSON_TYPE = { 'content-type': 'application/json' }
  const cookie = 'theme=dark; sid=s-ada; other=1'
  const host = `127.0.0.1:${api.port}`

  test('lets in, and one that is over is none', async () => {
    expect((await api.get('/mine?n=1', { cookie })).json).toBe('ada')
    expect((await api.get('/whoami', { cookie: 'sid=s-old' })).json).toBe('nobody')
    expect((await api.get('/mine?n=1', { cookie: 'sid=s-old' })).status).toBe(401)
    expect((await api.get('/whoami', { cookie: 'sid=' })).json).toBe('nobody')
  })

  test.each<[string, Record<string, string>]>([
    ['one’s own page', { origin: `http://${host}`, 'sec-fetch-site': 'same-origin' }],
    ['one’s own page, in an old browser', { origin: `http://${host}` }],
    ['the address bar', { 'sec-fetch-site': 'none' }],
    ['no browser', {}],
    ['a page that is trusted', { origin: 'https://app.example', 'sec-fetch-site': 'cross-site' }],
  ])('may change something from %s', async (_, headers) => {
    for (const path of ['/change', '/trpc/change'])
      expect((await api.call(path, undefined, { cookie, ...JSON_TYPE, ...headers })).status, path).toBe(200)
  })

  test.each<[string, Record<string, string>]>([
    ['a page of another site', { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }],
    ['a page of a neighbour', { origin: 'http://evil.127.0.0.1.example', 'sec-fetch-site': 'same-site' }],
    ['a page of another site, in an old browser', { origin: 'https://evil.example' }],
    ['a page of another port', { origin: 'http://127.0.0.1:1' }],
    ['a page that hides where it is from', { origin: 'null' }],
    ['a page that only looks trusted', { origin: 'https://app.example.evil.example' }],
    [
      'a page whose browser says so, whatever it says of its origin',
      { origin: `http://${host}`, 'sec-fetch-site': 'cross-site' },
    ],
  ])('may not from %s', async (_, headers) => {
    for (const [path, input] of [
      ['/change', undefined],
      ['/trpc/change', undefined],
      ['/work/tasks', { n: 1 }],
      ['/trpc/work.start', { n: 1 }],
    ] as const)
      expect((await api.call(path, input, { cookie, ...JSON_TYPE, ...headers })).status, path).toBe(403)
    for (const line of ['POST /tasks/x/cancel', 'POST /tasks/x/retry', 'DELETE /tasks/x'] as const)
      expect((await api.send(line, { headers: { cookie, ...headers } })).status, line).toBe(403)
  })

  test('is not asked for that by who has none, or comes with a token', async () => {
    const evil = { origin: 'https://evil.example', 'sec-fetch-site': 'cross-site' }
    expect((await api.call('/whoami', undefined, evil)).json).toBe('nobody')
    expect((await api.call('/change', undefined, { ...evil, ...(await as('ada')) })).json).toBe('ada')
  })

  test('may be read from any page: whether that page sees the answer is what CORS is for', async () => {
    const answer = await api.get('/mine?n=1', { cookie, origin: 'https://evil.example' })
    expect(answer.status).toBe(200)
    expect(answer.headers['access-control-allow-origin']).toBeUndefined()
  })
})

describe('the document', async () => {
  const document = (await api.get('/openapi.json')).json as {
    components: { securitySchemes: object }
    paths: Record<string, Record<string, { security?: object[]; responses: object }>>
  }
  const SCHEMES = [{ token: [] }, { key: [] }, { session: [] }]

  test('has the schemes that are checked, without a word from anybody', () => {
    expect(document.components.securitySchemes).toEqual({
      token: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' },
      key: { type: 'apiKey', in: 'header', name: 'x-api-key' },
      session: { type: 'apiKey', in: 'cookie', name: 'sid' },
    })
  })

  test('asks for one of them where the check does, and there alone', () => {
    for (const [path, method] of [
      ['/mine', 'post'],
      ['/change', 'post'],
      ['/items', 'post'],
      ['/work', 'post'],
      ['/work/tasks', 'post'],
    ] as const) {
      expect(document.paths[path]?.[method]?.security, path).toEqual(SCHEMES)
      expect(document.paths[path]?.[method]?.responses, path).toHaveProperty('401')
    }
    expect(document.paths['/whoami']?.['post']).not.toHaveProperty('security')
    expect(document.paths['/tasks/{taskId}']?.['get']?.security).toEqual([...SCHEMES, {}])
  })

  test('asks for both where two checks stand one behind the other', async () => {
    const other = authenticate<User>({ second: apiKey({ header: 'x-second', verify: () => ({ id: 'x' }) }) })
    const app = createApp({
      twice: signedIn.use(other.required).query({ input: z.void(), output, handler: () => '' }),
    })
    expect((await app.openapi()).paths?.['/twice']?.post?.security).toEqual([
      { token: [], second: [] },
      { key: [], second: [] },
      { session: [], second: [] },
    ])
  })

  test('has them for middleware of the whole app, too, and what a procedure says of itself wins', async () => {
    const plain = createProcedure<Context>()
    const app = createApp(
      {
        all: plain.query({ input: z.void(), output, handler: () => '' }),
        said: plain.query({ input: z.void(), output, meta: { security: [{ own: [] }] }, handler: () => '' }),
      },
      { use: [auth.required], createContext, openapi: { securitySchemes: { own: { type: 'mutualTLS' } } } },
    )
    const { paths, components } = await app.openapi()
    expect(paths?.['/all']?.post?.security).toEqual(SCHEMES)
    expect(paths?.['/said']?.post?.security).toEqual([{ own: [] }])
    expect(Object.keys(components?.securitySchemes ?? {}).sort()).toEqual(['key', 'own', 'session', 'token'])
    expect((await app.fetch(new Request('http://x/all'))).status).toBe(401)
  })

  test('can’t have two of one name', () => {
    const other = authenticate<User>({ token: apiKey<User>({ verify: () => null }) })
    const two = {
      one: signedIn.query({ input: z.void(), output, handler: () => '' }),
      two: open.use(other.required).query({ input: z.void(), output, handler: () => '' }),
    }
    expect(() => createApp(two)).toThrow(/two: it checks a security scheme "token", and another procedure/)
  })
})

test('a challenge is not put where the user has one of his own', async () => {
  const own = await serve(
    {
      mine: signedIn.query({ input: z.void(), output, handler: () => '' }),
      odd: procedure.query({
        input: z.void(),
        output,
        handler: () => {
          throw new ProcedureError('UNAUTHORIZED')
        },
      }),
    },
    {
      createContext: (request) => {
        request.responseHeaders.set('www-authenticate', 'Custom realm="x"')
        return { user: null }
      },
    },
  )
  expect((await own.get('/mine')).headers['www-authenticate']).toBe('Custom realm="x"')
})
