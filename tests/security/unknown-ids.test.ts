/** Somebody else's task is to a caller what a task that never was is: in every byte of every answer, on every engine. */
import { describe, expect, test } from 'vitest'
import type { Answer } from '../support/http.ts'
import { CALLERS, ENGINES, serveOwned, type Ending, type Owned } from '../support/owners.ts'

const REST = [
  'GET /tasks/{id}',
  'GET /tasks/{id}?wait=1',
  'GET /tasks/{id}?wait=never',
  'GET /tasks/{id}/status',
  'GET /tasks/{id}/result',
  'GET /tasks/{id}/result?wait=1',
  'GET /tasks/{id}/result?wait=-1',
  'GET /tasks/{id}/events',
  'HEAD /tasks/{id}',
  'HEAD /tasks/{id}/events',
  'OPTIONS /tasks/{id}',
  'PUT /tasks/{id}',
  'POST /tasks/{id}/cancel',
  'POST /tasks/{id}/retry',
  'DELETE /tasks/{id}',
  'GET /work/tasks/{id}',
  'GET /work/tasks/{id}?wait=1',
  'GET /work/tasks/{id}/events',
  'POST /work/tasks/{id}/cancel',
] as const

const TRPC = ['work.get', 'tasks.get', 'work.watch'] as const
const TRPC_CHANGES = ['work.cancel', 'work.retry', 'tasks.cancel', 'tasks.retry', 'tasks.remove'] as const

/** Headers by which one could tell what is there. */
const TELLING = [
  {},
  { 'if-none-match': '"1"', 'last-event-id': '0', prefer: 'respond-async', 'idempotency-key': 'k' },
]

/** All of an answer, but for the id and the time. */
const shown = ({ status, headers, text }: Answer, id: string) => {
  // Of each answer its own.
  const { date: _date, 'x-request-id': _requestId, ...rest } = headers
  return { status, headers: rest, text: text.replaceAll(id, 'ID') }
}

/** Everything that can be asked of a task. */
const asks = ({ send, get, call }: Owned, id: string, headers: Record<string, string>) => {
  const input = (name: string) =>
    `/trpc/${name}?input=${encodeURIComponent(JSON.stringify(name === 'work.get' ? { id, wait: 1 } : { id }))}`
  return [
    ...REST.map((line) => () => send(line.replace('{id}', id) as `${string} ${string}`, { headers })),
    ...TRPC.map((name) => () => get(input(name), headers)),
    ...TRPC_CHANGES.map((name) => () => call(`/trpc/${name}`, { id }, headers)),
    () =>
      get(
        `/trpc/work.get,tasks.get?batch=1&input=${encodeURIComponent(JSON.stringify({ 0: { id }, 1: { id } }))}`,
        headers,
      ),
  ]
}

const everything = async (api: Owned, id: string, who: Record<string, string>) => {
  const answers = []
  for (const telling of TELLING)
    for (const ask of asks(api, id, { ...who, ...telling })) answers.push(shown(await ask(), id))
  return answers
}

describe.each(ENGINES)('on the engine %s', async (_, tasks) => {
  const api = await serveOwned(await tasks())
  const missing = '01a00000-0000-7000-8000-000000000000'

  test.each<[string, Ending]>([
    ['ended', 'success'],
    ['failed', 'failure'],
    ['runs', 'never'],
  ])('a task that %s is as one that never was', async (_name, as) => {
    const id = await api.begin('ada', as)
    const unknown = await everything(api, missing, CALLERS.bob)
    expect(await everything(api, id, CALLERS.bob)).toEqual(unknown)
    expect(await everything(api, id, CALLERS.anonymous)).toEqual(
      await everything(api, missing, CALLERS.anonymous),
    )
    expect((await api.get(`/tasks/${id}`, CALLERS.ada)).status).toBe(200)
    await api.send(`POST /tasks/${id}/cancel`, { headers: CALLERS.ada })
  })

  test('and so is one that was removed, and what could be no id at all', async () => {
    const id = await api.begin('ada', 'success')
    const unknown = await everything(api, missing, CALLERS.ada)
    await api.send(`DELETE /tasks/${id}`, { headers: CALLERS.ada })
    expect(await everything(api, id, CALLERS.ada)).toEqual(unknown)
    expect(await everything(api, 'x'.repeat(missing.length), CALLERS.ada)).toEqual(unknown)
  })

  test('of every answer to them, none is more than “not found” but for what is said of any path', async () => {
    const statuses = new Set((await everything(api, missing, CALLERS.bob)).map(({ status }) => status))
    expect(statuses).toEqual(new Set([200, 204, 404, 405]))
    const streams = (await everything(api, missing, CALLERS.bob)).filter(({ status }) => status === 200)
    // tRPC has begun its stream by then.
    for (const { text } of streams) expect(text).toMatch(/serialized-error\ndata: .*"httpStatus":404/)
  })
})

test('a look at an unknown id costs the engine what a look at a foreign one does: one question', async () => {
  const [, tasks] = ENGINES[0] as (typeof ENGINES)[number]
  // As it is: settings from outside would make another engine.
  const { configure: _, ...option } = await tasks()
  const asked: string[] = []
  const api = await serveOwned({
    ...option,
    create: async () => {
      const engine = await option.create()
      const { get } = engine
      engine.get = (id) => {
        asked.push(id)
        return get.call(engine, id)
      }
      return engine
    },
  })
  const id = await api.begin('ada', 'success')
  const missing = id.replace(/.$/, (last) => (last === '0' ? '1' : '0'))
  for (const line of [
    'GET /tasks/{id}',
    'GET /tasks/{id}/events',
    'POST /tasks/{id}/cancel',
    'DELETE /tasks/{id}',
  ])
    for (const one of [id, missing]) {
      asked.length = 0
      expect((await api.send(line.replace('{id}', one) as never, { headers: CALLERS.bob })).status).toBe(404)
      expect(asked, `${line} of ${one}`).toEqual([one])
    }
})
