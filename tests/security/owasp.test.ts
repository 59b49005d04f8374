/**
 * The OWASP API Security Top 10 of 2023, a row each, as docs/security.md has them: what Errand does about it, shown at its
 * smallest. The other files of this folder go to the ground of each.
 */
import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, test } from 'vitest'
import {
  apiKey,
  authenticate,
  createApp,
  createProcedure,
  inline,
  procedure,
  ProcedureError,
  sameSecret,
  session,
} from 'errand'
import { z } from 'zod'
import { problemOf, type Answer } from '../support/http.ts'
import { exchange, parseRaw, statusesIn } from '../support/raw.ts'
import { serve } from '../support/serve.ts'
import { taskOf } from '../support/tasks.ts'

interface User {
  readonly id: string
  readonly admin: boolean
}

const USERS: readonly (User & { readonly key: string })[] = [
  { id: 'ada', admin: false, key: 'key-of-ada' },
  { id: 'bob', admin: false, key: 'key-of-bob' },
  { id: 'root', admin: true, key: 'key-of-root' },
]

const as = (id: string) => ({ 'x-api-key': `key-of-${id}` })

const auth = authenticate<User>({
  key: apiKey({ verify: (key) => USERS.find((user) => sameSecret(key, user.key)) }),
  session: session({ cookie: 'sid', verify: (id) => USERS.find((user) => user.id === id) }),
})

const open = createProcedure<{ user: User | null }>()
const signedIn = open.use(auth.required)
const adminOnly = signedIn.use(({ ctx, next }) => {
  if (!ctx.user.admin) throw new ProcedureError('FORBIDDEN', 'For admins')
  return next()
})

/** What a database holds of a person, and what others are to see. */
const Row = { id: 'ada', name: 'Ada', passwordHash: 'hunter2', admin: false }
const Person = z.object({ id: z.string(), name: z.string() })

let erased = 0

const tree = {
  person: signedIn.query({ input: z.void(), output: Person, handler: () => Row }),
  people: signedIn.subscription({
    input: z.void(),
    output: Person,
    handler: async function* () {
      yield Row
    },
  }),
  rename: signedIn.mutation({
    input: z.object({ name: z.string() }),
    output: z.array(z.string()),
    handler: ({ input }) => Object.keys(input),
  }),
  strict: signedIn.mutation({
    input: z.strictObject({ name: z.string() }),
    output: z.array(z.string()),
    handler: ({ input }) => Object.keys(input),
  }),
  report: signedIn.task({
    input: z.object({ about: z.string() }),
    output: Person,
    handler: () => Row,
  }),
  erase: adminOnly.mutation({ input: z.void(), output: z.void(), handler: () => void erased++ }),
  eraseAll: adminOnly.task({ input: z.void(), output: z.void(), handler: () => void erased++ }),
  login: open.mutation({
    input: z.object({ password: z.string() }),
    output: z.boolean(),
    meta: { rateLimit: '3/1h' },
    handler: ({ input }) => input.password === 'right',
  }),
  // What another service answered with.
  weather: open.query({
    input: z.object({ from: z.string() }),
    output: z.object({ degrees: z.number().min(-100).max(100) }),
    handler: ({ input }) => JSON.parse(input.from) as { degrees: number },
  }),
}

const serveTree = (options: object = {}) =>
  serve(tree, {
    tasks: inline({ queueLimit: 1000 }),
    profile: 'production',
    createContext: async (request) => ({ user: await auth.user(request) }),
    owner: ({ user }) => user?.id ?? null,
    admin: ({ user }) => user?.admin ?? false,
    ...options,
  })

const api = await serveTree()

const trpc = (name: string, input?: unknown): string =>
  `/trpc/${name}${input === undefined ? '' : `?input=${encodeURIComponent(JSON.stringify(input))}`}`

const JSON_TYPE = { 'content-type': 'application/json' }

describe('API1:2023 Broken object level authorization', () => {
  test('a task is its owner’s: to others its id is one that never was, on every route', async () => {
    const { id } = taskOf(await api.call('/report/tasks', { about: 'x' }, as('ada')))
    const asks: (() => Promise<Answer>)[] = [
      ...['', '/status', '/result', '/events'].map((rest) => () => api.get(`/tasks/${id}${rest}`, as('bob'))),
      () => api.get(`/report/tasks/${id}`, as('bob')),
      () => api.send(`POST /tasks/${id}/cancel`, { headers: as('bob') }),
      () => api.send(`DELETE /tasks/${id}`, { headers: as('bob') }),
      () => api.get(trpc('tasks.get', { id }), as('bob')),
      () => api.call('/trpc/report.cancel', { id }, as('bob')),
    ]
    for (const ask of asks) expect((await ask()).status).toBe(404)
    expect((await api.get(`/tasks/${id}`, as('ada'))).status).toBe(200)
  })

  test('an id can’t be guessed from another', async () => {
    const starts = Array.from({ length: 200 }, () => api.call('/report/tasks', { about: 'x' }, as('ada')))
    const ids = (await Promise.all(starts)).map((answer) => taskOf(answer).id)
    // All but the time, the version and the variant.
    const random = ids.map((id) => id.slice(15).replaceAll('-', ''))
    expect(new Set(random.map((text) => text.slice(0, 9))).size).toBe(200)
    expect(new Set(random.map((text) => text.slice(-9))).size).toBe(200)
  })
})

describe('API2:2023 Broken authentication', () => {
  test('what is asked for is asked for at every door, and credentials that are not good are good nowhere', async () => {
    for (const headers of [{}, { 'x-api-key': 'key-of-eve' }, { 'x-api-key': '' }, { cookie: 'sid=eve' }])
      for (const ask of [
        () => api.call('/rename', { name: 'x' }, headers),
        () => api.get('/person', headers),
        () => api.get('/people', headers),
        () => api.call('/report', { about: 'x' }, headers),
        () => api.get(trpc('person'), headers),
        () => api.call('/trpc/report.start', { about: 'x' }, headers),
      ])
        expect((await ask()).status).toBe(401)
  })

  test('who guesses is stopped, passwords and keys alike', async () => {
    const guessed = await serveTree({ rateLimit: '20/1h' })
    const passwords = []
    for (let count = 0; count < 5; count++)
      passwords.push((await guessed.call('/login', { password: `guess ${count}` })).status)
    expect(passwords).toEqual([200, 200, 200, 429, 429])
    const keys = []
    for (let count = 0; count < 20; count++)
      keys.push((await guessed.get('/person', { 'x-api-key': `key ${count}` })).status)
    expect(keys.slice(0, 10).every((status) => status === 401)).toBe(true)
    expect(keys.at(-1)).toBe(429)
    expect((await guessed.get('/person', as('ada'))).status).toBe(200)
  })

  test('a page of another site can’t use the session of who looks at it', async () => {
    const headers = { cookie: 'sid=ada', origin: 'https://evil.example' }
    expect((await api.call('/rename', { name: 'x' }, headers)).status).toBe(403)
    expect((await api.call('/trpc/rename', { name: 'x' }, headers)).status).toBe(403)
  })
})

describe('API3:2023 Broken object property level authorization', () => {
  test('nothing leaves that the output’s schema does not name, whatever a handler returns', async () => {
    const { id } = taskOf(await api.call('/report/tasks', { about: 'x' }, as('ada')))
    const answers = [
      await api.get('/person', as('ada')),
      await api.get('/people', as('ada')),
      await api.get(trpc('person'), as('ada')),
      await api.get(trpc('people'), as('ada')),
      await api.call('/report', { about: 'x' }, as('ada')),
      await api.get(`/tasks/${id}?wait=5`, as('ada')),
      await api.get(`/tasks/${id}/events`, as('ada')),
    ]
    for (const { status, text } of answers) {
      expect(status).toBe(200)
      expect(text).toContain('Ada')
      expect(text).not.toContain('hunter2')
    }
  })

  test('nothing comes in that the input’s schema does not name: it is dropped, or refused by a strict one', async () => {
    const input = { name: 'Ada', admin: true, id: 'root', __proto__: { admin: true } }
    expect((await api.call('/rename', input, as('ada'))).json).toEqual(['name'])
    expect((await api.call('/trpc/rename', input, as('ada'))).json).toEqual({ result: { data: ['name'] } })
    expect((await api.call('/strict', input, as('ada'))).status).toBe(400)
    expect((await api.call('/trpc/strict', input, as('ada'))).status).toBe(400)
  })
})

describe('API4:2023 Unrestricted resource consumption', () => {
  test('bodies, URLs, depth and pages have an end', async () => {
    const send = (body: string) => api.send('POST /rename', { headers: { ...as('ada'), ...JSON_TYPE }, body })
    expect((await send(JSON.stringify({ name: 'x'.repeat(2 ** 20) }))).status).toBe(413)
    expect((await send('['.repeat(1000))).status).toBe(400)
    expect((await api.get(`/weather?from=${'x'.repeat(9000)}`)).status).toBe(414)
    expect((await api.get('/tasks?limit=201', as('ada'))).status).toBe(400)
    expect((await api.get('/tasks/x?wait=31', as('ada'))).status).toBe(404)
    expect(
      (
        await api.send('POST /rename', {
          headers: { ...as('ada'), ...JSON_TYPE, 'content-encoding': 'gzip' },
          body: 'x',
        })
      ).status,
    ).toBe(415)
  })

  test('calls, those of a batch among them, streams and waiting tasks have a most', async () => {
    const limited = await serveTree({
      rateLimit: '5/1h',
      limits: { streamsPerCaller: 0 },
      tasks: inline({ queueLimit: 1, inline: 1 }),
    })
    expect((await limited.get('/people', as('bob'))).status).toBe(429)
    const batch = await limited.get(
      `/trpc/${Array.from({ length: 6 }, () => 'person').join()}?batch=1`,
      as('ada'),
    )
    expect((batch.json as { error?: object }[]).filter(({ error }) => error)).toHaveLength(1)
    const starts = Array.from({ length: 4 }, (_, index) =>
      limited.call(
        '/report/tasks',
        { about: 'x' },
        { ...as(index < 2 ? 'bob' : 'root'), 'task-delay': '1h' },
      ),
    )
    const statuses = (await Promise.all(starts)).map(({ status }) => status)
    expect(statuses.filter((status) => status === 202)).toHaveLength(1)
    expect(statuses.filter((status) => status === 503)).toHaveLength(3)
  })
})

describe('API5:2023 Broken function level authorization', () => {
  test('what is for admins is for admins, whichever way it is called', async () => {
    const asks: ((headers: Record<string, string>) => Promise<Answer>)[] = [
      (headers) => api.call('/erase', undefined, headers),
      (headers) => api.call('/trpc/erase', undefined, { ...JSON_TYPE, ...headers }),
      (headers) => api.call('/trpc/erase,erase?batch=1', {}, headers),
      (headers) =>
        api.call('/trpc/erase,erase?batch=1', {}, { ...headers, 'trpc-accept': 'application/jsonl' }),
      (headers) => api.call('/eraseAll', undefined, headers),
      (headers) => api.call('/eraseAll?async=true', undefined, headers),
      (headers) => api.call('/eraseAll/tasks', undefined, headers),
      (headers) => api.call('/trpc/eraseAll.run', undefined, { ...JSON_TYPE, ...headers }),
      (headers) => api.call('/trpc/eraseAll.start', undefined, { ...JSON_TYPE, ...headers }),
      (headers) => api.call('/trpc/eraseAll.startWith', {}, headers),
    ]
    for (const headers of [{}, as('ada'), { ...as('ada'), 'x-admin': 'true', 'x-forwarded-user': 'root' }])
      for (const ask of asks) {
        const { text } = await ask(headers)
        expect(text).toMatch(/Sign in first|For admins/)
      }
    expect(erased).toBe(0)
    expect((await api.call('/erase', undefined, as('root'))).status).toBe(204)
    expect(erased).toBe(1)
  })

  test('no other spelling and no header leads round it', async () => {
    for (const line of [
      'POST /Erase',
      'POST //erase',
      'POST /erase/',
      'POST /./erase',
      'POST /x/../erase',
      'POST /erase%00',
      'POST /%65rase/',
      'PUT /erase',
      'GET /erase',
      'GET /trpc/erase',
    ] as const)
      expect((await api.send(line, { headers: as('ada') })).status, line).toBeGreaterThanOrEqual(403)
    for (const name of ['x-http-method-override', 'x-original-url', 'x-rewrite-url'])
      expect(
        (await api.get('/person', { ...as('ada'), [name]: name.includes('method') ? 'DELETE' : '/erase' }))
          .json,
      ).toEqual({ id: 'ada', name: 'Ada' })
    expect(erased).toBe(1)
  })
})

describe('API6:2023 Unrestricted access to sensitive business flows', () => {
  test('a procedure has a rate of its own, and a key makes one of many starts', async () => {
    const own = await serveTree()
    const statuses = []
    for (let count = 0; count < 4; count++)
      statuses.push((await own.call('/login', { password: 'x' }, as('ada'))).status)
    expect(statuses).toEqual([200, 200, 200, 429])
    const key = { ...as('ada'), 'idempotency-key': 'order 1' }
    const starts = Array.from({ length: 20 }, () => own.call('/report/tasks', { about: 'x' }, key))
    expect(new Set((await Promise.all(starts)).map((answer) => taskOf(answer).id)).size).toBe(1)
  })
})

describe('API7:2023 Server side request forgery', () => {
  test('no input and no header makes Errand call anybody, or point anybody elsewhere', async () => {
    const evil = {
      ...as('ada'),
      host: 'evil.example',
      'x-forwarded-host': 'evil.example',
      'x-forwarded-proto': 'gopher',
      forwarded: 'host=evil.example',
    }
    const started = await api.call(
      '/report/tasks',
      { about: 'http://169.254.169.254/latest/meta-data' },
      evil,
    )
    expect(started.headers.location).toMatch(/^\/tasks\//)
    const answers = [
      started,
      await api.get('/openapi.json', evil),
      await api.get('/docs', evil),
      await api.get('/nowhere', evil),
      await api.get('/tasks', evil),
    ]
    for (const { text, headers } of answers)
      expect(text + JSON.stringify(headers)).not.toContain('evil.example')
  })

  test('a proxy’s request is answered here, not passed on', async () => {
    const ask = 'GET http://169.254.169.254/person HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
    expect(parseRaw(await exchange(api.port, ask)).status).toBe(401)
    const tunnel = 'CONNECT 169.254.169.254:80 HTTP/1.1\r\nHost: x\r\n\r\n'
    expect(statusesIn(await exchange(api.port, tunnel, 1000)).filter((status) => status < 400)).toEqual([])
  })
})

describe('API8:2023 Security misconfiguration', () => {
  test('the defaults are the safe ones: no other origin, no sniffing, no frames, no words of the inside, no banner', async () => {
    const answers = [
      await api.get('/person', { ...as('ada'), origin: 'https://evil.example' }),
      await api.get('/person', { origin: 'https://evil.example' }),
      await api.get(trpc('person'), as('ada')),
      await api.get(trpc('person'), { ...as('ada'), 'content-type': 'text/plain' }),
      await api.get('/people', as('ada')),
      await api.get('/nowhere'),
      await api.get('/openapi.json'),
      await api.get('/docs'),
      await api.get('/healthz'),
    ]
    for (const { headers } of answers) {
      expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff' })
      for (const name of ['access-control-allow-origin', 'server', 'x-powered-by'])
        expect(headers).not.toHaveProperty(name)
    }
    const page = await api.get('/docs')
    expect(page.headers['content-security-policy']).toMatch(/default-src 'none'.*frame-ancestors 'none'/)
    expect(page.headers['referrer-policy']).toBe('no-referrer')
    const { text, status } = await api.get('/weather?from=broken')
    expect(status).toBe(500)
    expect(text).not.toMatch(/JSON|token|position/)
    expect(api.logs.splice(0)).toHaveLength(1)
  })

  test('what can’t be meant stops the start', () => {
    for (const options of [
      { cors: { credentials: true } },
      { prefix: 'api' },
      { limit: {} },
      { profile: 'prod' },
    ])
      expect(() => createApp(tree, options as object), JSON.stringify(options)).toThrow()
  })

  test('Node’s lenient parser stays off, whoever turns it on', { timeout: 30_000 }, async () => {
    const script = `
      import { createApp, procedure } from 'errand'
      import { z } from 'zod'
      import { connect } from 'node:net'
      const app = createApp({ note: procedure.mutation({ input: z.unknown(), output: z.null(), handler: () => null }) })
      const { port } = await app.listen({ port: 0 })
      const socket = connect(port, '127.0.0.1')
      socket.end('POST /note HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: 4\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n0\\r\\n\\r\\n')
      let text = ''
      for await (const chunk of socket) text += chunk
      console.log(text.slice(0, 12))
      await app.close()`
    const { stdout } = await promisify(execFile)(
      process.execPath,
      ['--conditions=errand-source', '--insecure-http-parser', '--input-type=module', '-e', script],
      { cwd: path.resolve(import.meta.dirname, '../..'), env: { ...process.env, NODE_OPTIONS: '' } },
    )
    expect(stdout.trim()).toBe('HTTP/1.1 400')
  })
})

describe('API9:2023 Improper inventory management', () => {
  test('the document has every route that there is, and the app lists what is not in it: its own', async () => {
    const { paths = {} } = await api.app.openapi()
    const documented = Object.entries(paths).flatMap(([route, methods]) =>
      Object.keys(methods).map((method) => `${method.toUpperCase()} ${route}`),
    )
    const listed = api.app
      .routes()
      .map(({ method, path: route, owner }) => ({ line: `${method} ${route}`, owner }))
    expect(documented.filter((line) => !listed.some((route) => route.line === line))).toEqual([])
    const unsaid = listed.filter(({ line }) => !documented.includes(line))
    // A query also answers GET; the rest serves the document, its page, the probes and tRPC.
    for (const { line, owner } of unsaid)
      expect(owner.startsWith('routes.') || documented.includes(line.replace('GET', 'POST')), line).toBe(true)
  })

  test('what is not to be public can be turned off', async () => {
    const bare = await serveTree({ routes: { docs: false, openapi: false, trpc: false, tasks: false } })
    for (const line of ['/docs', '/docs/init.js', '/openapi.json', '/trpc/person', '/tasks'])
      expect((await bare.get(line, as('root'))).status, line).toBe(404)
  })
})

describe('API10:2023 Unsafe consumption of APIs', () => {
  test('what another service answered with leaves only when it is what the output’s schema says', async () => {
    const ask = (from: unknown) => api.get(`/weather?from=${encodeURIComponent(JSON.stringify(from))}`)
    expect((await ask({ degrees: 20, apiKey: 'hunter2' })).json).toEqual({ degrees: 20 })
    for (const from of [{ degrees: '20' }, { degrees: 1e9 }, {}, null, { degrees: { $gt: 0 } }, '<script>']) {
      const answer = await ask(from)
      expect(problemOf(answer)).toMatchObject({
        status: 500,
        code: 'OUTPUT_INVALID',
        detail: 'Internal server error',
      })
      expect(answer.text).not.toMatch(/script|\$gt|degrees/)
    }
    expect(api.logs.splice(0)).toHaveLength(6)
  })

  test('and a task that was started with it keeps nothing else', async () => {
    const keeps = procedure.task({
      input: z.object({ from: z.string() }),
      output: z.object({ degrees: z.number() }),
      retry: { attempts: 1 },
      handler: ({ input }) => JSON.parse(input.from) as { degrees: number },
    })
    const { call, get } = await serve({ keeps }, { tasks: inline() })
    const { id } = taskOf(await call('/keeps/tasks', { from: '{"degrees":1,"apiKey":"hunter2"}' }))
    expect(taskOf(await get(`/tasks/${id}?wait=5`)).result).toEqual({ degrees: 1 })
  })
})
