/** Who may do what with whose task: every route and every operation of tasks, for callers of every kind, on every engine. */
import { describe, expect, test } from 'vitest'
import type { Answer } from '../support/http.ts'
import { CALLERS, ENGINES, serveOwned, type CallerName, type Ending, type Owned } from '../support/owners.ts'

/** Expected of a task of Ada's: to a stranger, to her, to Bob, to an admin. */
type Expected = readonly [anonymous: number, ada: number, bob: number, admin: number]

interface Row {
  /** What is asked for, as the app lists it. */
  readonly route: string
  /** In which state the task is. */
  readonly of: Ending
  readonly expected: Expected
}

const HIDDEN = [404, 200, 404, 200] as const
const OPEN = [202, 202, 202, 202] as const

const REST: readonly Row[] = [
  { route: 'POST /work', of: 'success', expected: [200, 200, 200, 200] },
  { route: 'POST /work/tasks', of: 'success', expected: OPEN },
  { route: 'GET /work/tasks/{taskId}', of: 'success', expected: HIDDEN },
  { route: 'GET /work/tasks/{taskId}/events', of: 'success', expected: HIDDEN },
  { route: 'POST /work/tasks/{taskId}/cancel', of: 'success', expected: HIDDEN },
  { route: 'POST /work/tasks/{taskId}/cancel', of: 'never', expected: [404, 202, 404, 202] },
  { route: 'GET /tasks', of: 'success', expected: [200, 200, 200, 200] },
  { route: 'GET /tasks/{taskId}', of: 'success', expected: HIDDEN },
  { route: 'GET /tasks/{taskId}/status', of: 'success', expected: HIDDEN },
  { route: 'GET /tasks/{taskId}/result', of: 'success', expected: HIDDEN },
  { route: 'GET /tasks/{taskId}/result', of: 'failure', expected: [404, 500, 404, 500] },
  { route: 'GET /tasks/{taskId}/result', of: 'never', expected: [404, 202, 404, 202] },
  { route: 'GET /tasks/{taskId}/events', of: 'success', expected: HIDDEN },
  { route: 'GET /tasks/{taskId}/events', of: 'never', expected: HIDDEN },
  { route: 'POST /tasks/{taskId}/cancel', of: 'success', expected: HIDDEN },
  { route: 'POST /tasks/{taskId}/cancel', of: 'never', expected: [404, 202, 404, 202] },
  { route: 'POST /tasks/{taskId}/retry', of: 'failure', expected: [404, 202, 404, 202] },
  { route: 'POST /tasks/{taskId}/retry', of: 'success', expected: [404, 409, 404, 409] },
  { route: 'POST /tasks/{taskId}/retry', of: 'never', expected: [404, 409, 404, 409] },
  { route: 'DELETE /tasks/{taskId}', of: 'success', expected: [404, 204, 404, 204] },
  { route: 'DELETE /tasks/{taskId}', of: 'never', expected: [404, 409, 404, 409] },
]

const TRPC: readonly Row[] = [
  { route: 'mutation work.run', of: 'success', expected: [200, 200, 200, 200] },
  { route: 'mutation work.start', of: 'success', expected: [200, 200, 200, 200] },
  { route: 'mutation work.startWith', of: 'success', expected: [200, 200, 200, 200] },
  { route: 'query work.get', of: 'success', expected: HIDDEN },
  { route: 'subscription work.watch', of: 'success', expected: HIDDEN },
  { route: 'subscription work.watch', of: 'never', expected: HIDDEN },
  { route: 'mutation work.cancel', of: 'never', expected: HIDDEN },
  { route: 'mutation work.retry', of: 'failure', expected: HIDDEN },
  { route: 'mutation work.retry', of: 'success', expected: [404, 409, 404, 409] },
  { route: 'query tasks.list', of: 'success', expected: [200, 200, 200, 200] },
  { route: 'query tasks.get', of: 'success', expected: HIDDEN },
  { route: 'mutation tasks.cancel', of: 'never', expected: HIDDEN },
  { route: 'mutation tasks.retry', of: 'failure', expected: HIDDEN },
  { route: 'mutation tasks.remove', of: 'success', expected: HIDDEN },
  { route: 'mutation tasks.remove', of: 'never', expected: [404, 409, 404, 409] },
]

const WORK = { secret: 'x', as: 'success' }

type Ask = (route: string, id: string, headers: Record<string, string>) => Promise<Answer>

/** The beginning of an endless answer is enough of it. */
const beginning = async (url: string, headers: Record<string, string>): Promise<Answer> => {
  const response = await fetch(url, { headers })
  const reader = (response.body as ReadableStream<Uint8Array>).getReader()
  let text = ''
  while (!/"record"|"status"|serialized-error[^]*\n\n/.test(text)) {
    const { done, value } = await reader.read()
    if (done) break
    text += Buffer.from(value).toString()
  }
  await reader.cancel()
  const failed = /serialized-error\ndata: .*"httpStatus":(\d+)/.exec(text)?.[1]
  return { status: failed ? Number(failed) : response.status, text } as Answer
}

const askRest =
  ({ url, send }: Owned): Ask =>
  (route, id, headers) => {
    const line = route.replace('{taskId}', id) as `${string} ${string}`
    if (line.endsWith('/events')) return beginning(url + line.slice('GET '.length), headers)
    return send(
      line,
      line.startsWith('POST /work') && !line.includes(id) ? { headers, json: WORK } : { headers },
    )
  }

const inputOf = (name: string, id: string): unknown => {
  if (name === 'work.run' || name === 'work.start') return WORK
  if (name === 'work.startWith') return { input: WORK }
  return name === 'tasks.list' ? {} : { id }
}

const askTrpc =
  ({ url, get, call }: Owned): Ask =>
  (route, id, headers) => {
    const [kind, name = ''] = route.split(' ')
    const input = inputOf(name, id)
    if (kind === 'mutation') return call(`/trpc/${name}`, input, headers)
    const path = `/trpc/${name}?input=${encodeURIComponent(JSON.stringify(input))}`
    return kind === 'query' ? get(path, headers) : beginning(url + path, headers)
  }

const isOfTasks = (path: string): boolean => /(^|\/)(tasks|work)(\/|$)/.test(path)

interface TrpcRouter {
  readonly _def: {
    readonly procedures: Readonly<Record<string, { readonly _def: { readonly type: string } }>>
  }
}

describe.each(ENGINES)('on the engine %s', async (_, tasks) => {
  const api = await serveOwned(await tasks())

  test('the tables have every route and every operation of tasks, and no other', () => {
    const routes = api.app
      .routes()
      .filter(({ path }) => isOfTasks(path))
      .map(({ method, path }) => `${method} ${path}`)
    expect([...new Set(REST.map(({ route }) => route))].sort()).toEqual(routes.sort())
    const { procedures } = (api.app.router as unknown as TrpcRouter)._def
    const operations = Object.entries(procedures)
      .map(([name, { _def }]) => `${_def.type} ${name}`)
      .filter((name) => name !== 'query hello')
    expect([...new Set(TRPC.map(({ route }) => route))].sort()).toEqual(operations.sort())
  })

  const cases = (rows: readonly Row[]) =>
    rows.map(
      ({ route, of, expected }) => [`${route}, of a task that ends in ${of}`, route, of, expected] as const,
    )

  const check = async (ask: Ask, route: string, of: Ending, expected: Expected): Promise<void> => {
    for (const [index, caller] of (Object.keys(CALLERS) as CallerName[]).entries()) {
      const id = await api.begin('ada', of)
      const answer = await ask(route, id, CALLERS[caller])
      expect(answer.status, `${caller}: ${answer.text}`).toBe(expected[index])
      if (caller === 'bob' || caller === 'anonymous') expect(answer.text).not.toContain('of ada')
      await api.send(`POST /tasks/${id}/cancel`, { headers: CALLERS.ada })
    }
  }

  test.each(cases(REST))('%s', (_name, route, of, expected) => check(askRest(api), route, of, expected))
  test.each(cases(TRPC))('%s', (_name, route, of, expected) => check(askTrpc(api), route, of, expected))

  test('what is nobody’s may be read by its id, and is listed to admins alone', async () => {
    const id = await api.begin('anonymous', 'success')
    for (const caller of Object.values(CALLERS)) {
      expect((await api.get(`/tasks/${id}`, caller)).status).toBe(200)
      const listed = (await api.get('/tasks?limit=200', caller)).text.includes(id)
      expect(listed).toBe(caller === CALLERS.admin)
    }
  })

  test('a list has one’s own and nothing else, whatever is asked for, and admins’ have all with their input', async () => {
    const [hers, his] = [await api.begin('ada', 'success'), await api.begin('bob', 'success')]
    for (const query of [
      '',
      '?procedure=work',
      '?status=succeeded',
      '?limit=200',
      '?owner=ada',
      '?admin=true',
    ]) {
      const bobs = (await api.get(`/tasks${query}`, CALLERS.bob)).text
      expect(bobs).toContain(his)
      expect(bobs).not.toContain(hers)
      expect(bobs).not.toContain('"input"')
      expect((await api.get(`/tasks${query}`, CALLERS.anonymous)).json).toEqual({ items: [] })
    }
    const all = (await api.get('/tasks?limit=200', CALLERS.admin)).text
    for (const text of [hers, his, 'secret of ada']) expect(all).toContain(text)
    // A page of hers does not lead him on into hers.
    const { nextCursor } = (await api.get('/tasks?limit=1', CALLERS.ada)).json as { nextCursor: string }
    expect((await api.get(`/tasks?cursor=${nextCursor}`, CALLERS.bob)).text).not.toContain('secret of ada')
    expect((await api.get(`/tasks?cursor=${nextCursor}`, CALLERS.bob)).text).not.toContain(hers)
  })

  test('why a task failed is told in words to admins alone', async () => {
    const id = await api.begin('ada', 'failure')
    for (const path of [`/tasks/${id}`, `/tasks/${id}/events`, `/work/tasks/${id}`, '/tasks?limit=200'])
      expect((await api.get(path, CALLERS.ada)).text, path).not.toContain('it failed over')
    expect((await api.get(`/tasks/${id}`, CALLERS.admin)).text).toContain('it failed over secret of ada')
  })

  test('a key of one owner is not that of another', async () => {
    const start = async (caller: CallerName) => {
      const headers = { ...CALLERS[caller], 'idempotency-key': 'the same' }
      return (await api.call('/work/tasks', WORK, headers)).json as { id: string }
    }
    const ids = [await start('ada'), await start('bob'), await start('admin'), await start('ada')].map(
      ({ id }) => id,
    )
    expect(new Set(ids).size).toBe(3)
    expect(ids[3]).toBe(ids[0])
  })
})
