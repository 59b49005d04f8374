/** What a client makes of a server that refuses, is busy, or isn't there at all, over both doors. */
import { createTRPCClient, httpSubscriptionLink, httpLink, splitLink } from '@trpc/client'
import { createApp, inline, procedure, ProcedureError } from 'errand'
import { attachTask, errandLinks, startTask, TaskError, type TaskHandle } from 'errand/client'
import { attachTask as attachRest, restTask, startTask as startRest } from 'errand/client/rest'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { createClient } from '../../clients/quickstart/client/index.ts'
import * as sdk from '../../clients/quickstart/index.ts'
import { serveApp } from '../support/serve.ts'

// The generated client of the quickstart is used for its tasks' routes.
const countPrimes = procedure.task({
  input: z.object({ below: z.int() }),
  output: z.object({ count: z.int(), largest: z.int() }),
  progress: z.object({ percent: z.number() }),
  handler: ({ progress }) => {
    progress({ percent: 100 })
    return { count: 4, largest: 7 }
  },
})

let limited = 0
const app = createApp(
  {
    countPrimes,
    limited: procedure
      .use(({ next }) => {
        if (limited-- > 0) throw new ProcedureError('TOO_MANY_REQUESTS', 'Slowly', { retryAfter: 0.2 })
        return next()
      })
      .task({ input: z.void(), output: z.string(), handler: () => 'at last' }),
  },
  {
    profile: 'test',
    tasks: inline(),
    createContext: ({ headers }) => {
      const token = headers.get('authorization')
      if (token === 'none') throw new ProcedureError('UNAUTHORIZED', 'Sign in first')
      if (token === 'banned') throw new ProcedureError('FORBIDDEN', 'Not you')
      return {}
    },
  },
)
const { url } = await serveApp(app)

type Fetch = typeof fetch
type Handle = TaskHandle<{ count: number; largest: number }, { percent: number }>

interface Door {
  readonly door: string
  start(options: { fetch?: Fetch; authorization?: string }): Promise<Handle>
  attach(id: string, options: { fetch?: Fetch; authorization?: string }): Handle
}

const overTrpc = ({ fetch, authorization }: { fetch?: Fetch; authorization?: string }) =>
  createTRPCClient<typeof app.router>({
    links: errandLinks({
      url,
      ...(fetch ? { fetch } : {}),
      ...(authorization ? { headers: { authorization } } : {}),
    }),
  }).countPrimes

const overRest = ({ fetch, authorization }: { fetch?: Fetch; authorization?: string }) =>
  restTask(sdk, 'countPrimes', {
    client: createClient({ baseUrl: url, ...(fetch ? { fetch } : {}) }),
    ...(authorization ? { headers: { authorization } } : {}),
  })

const DOORS: readonly Door[] = [
  {
    door: 'tRPC',
    start: (options) => startTask(overTrpc(options), { below: 10 }),
    attach: (id, options) => attachTask(overTrpc(options), id),
  },
  {
    door: 'REST',
    start: (options) => startRest(overRest(options), { below: 10 }),
    attach: (id, options) => attachRest(overRest(options), id),
  },
]

/** A fetch that gives these answers before it gives the server's; what it was asked, and when. */
const answering = (...answers: (() => Response | Promise<never>)[]) => {
  const asked: number[] = []
  const fetch: Fetch = (...request) => {
    asked.push(performance.now())
    const answer = answers.shift()
    return answer ? Promise.resolve().then(answer) : globalThis.fetch(...request)
  }
  return { asked, fetch }
}

const page = (status: number) => () =>
  new Response('<html>', { status, headers: { 'content-type': 'text/html' } })
const problem =
  (status: number, headers: Record<string, string> = {}) =>
  () =>
    Response.json({ status, code: 'X', detail: 'busy' }, { status, headers })
// Dates are whole seconds.
const untilLater = (status: number) => () => {
  const when = new Date(Date.now() + 3000).toUTCString()
  return new Response('', { status, headers: { 'retry-after': when } })
}
const lost = () => Promise.reject(new TypeError('fetch failed'))

const all = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}
const failureOf = (promise: Promise<unknown>): Promise<{ message: string }> =>
  promise.then(
    () => expect.unreachable('it should have failed'),
    (error: unknown) => error as { message: string },
  )

describe.each(DOORS)('over $door', ({ start, attach }) => {
  test.each([
    ['none', 'Sign in first'],
    ['banned', 'Not you'],
  ])('a caller who is %s is told so, at once and by every call', async (authorization, words) => {
    const { id } = await start({})
    const task = attach(id, { authorization })
    const calls = [
      start({ authorization }),
      task.result(),
      task.record(),
      task.cancel(),
      all(task.events()),
      all(task.progress()),
    ]
    for (const { message } of await Promise.all(calls.map(failureOf))) expect(message).toBe(words)
  })

  test.each([
    { name: 'nothing', answer: lost, least: 100 },
    { name: '502, as a page of a proxy', answer: page(502), least: 100 },
    { name: '503 and when to come back', answer: problem(503, { 'retry-after': '1' }), least: 1000 },
    { name: '429 and a date to come back at', answer: untilLater(429), least: 1900 },
  ])('an answer of $name is waited out', async ({ answer, least }) => {
    const { id } = await start({})
    const acts = [
      (fetch: Fetch) => start({ fetch }),
      (fetch: Fetch) => attach(id, { fetch }).result(),
      (fetch: Fetch) => all(attach(id, { fetch }).events()),
    ]
    const waits = acts.map(async (act) => {
      const { fetch, asked } = answering(answer)
      await act(fetch)
      const [first, second] = asked as [number, number]
      return second - first
    })
    for (const waited of await Promise.all(waits)) expect(waited).toBeGreaterThanOrEqual(least)
  })

  test.each([
    ['401, as a page of a proxy', page(401)],
    ['404, as a page of a proxy', page(404)],
    ['403, as the JSON of a gateway', () => Response.json({ message: 'Forbidden' }, { status: 403 })],
    ['200, as the page of a hotel', page(200)],
    ['500', problem(500)],
  ])('an answer of %s ends it', async (_name, answer) => {
    const { id } = await start({})
    const acts = [
      (fetch: Fetch) => start({ fetch }),
      (fetch: Fetch) => attach(id, { fetch }).result(),
      (fetch: Fetch) => all(attach(id, { fetch }).events()),
    ]
    const failures = acts.map(async (act) => {
      const { fetch, asked } = answering(...Array.from({ length: 20 }, () => answer))
      const error = await failureOf(act(fetch))
      return { error, calls: asked.length }
    })
    for (const { error, calls } of await Promise.all(failures)) {
      expect(error).toBeInstanceOf(Error)
      expect(error).not.toBeInstanceOf(TaskError)
      expect(calls).toBeLessThanOrEqual(2)
    }
  })

  test('a start without an answer is given up', async () => {
    const { fetch, asked } = answering(...Array.from({ length: 20 }, () => lost))
    await failureOf(start({ fetch }))
    expect(asked).toHaveLength(6)
  })
})

test('over tRPC the server says when to come back, in the data of the error', async () => {
  const trpc = createTRPCClient<typeof app.router>({ links: errandLinks({ url }) })
  limited = 1
  const error = await failureOf(trpc.limited.start.mutate())
  expect(error).toMatchObject({ data: { code: 'TOO_MANY_REQUESTS', httpStatus: 429, retryAfter: 0.2 } })
  limited = 2
  expect(await (await startTask(trpc.limited, undefined)).result()).toBe('at last')
})

test('a client whose subscriptions lack an EventSource polls', async () => {
  const links = splitLink({
    condition: ({ type }) => type === 'subscription',
    true: httpSubscriptionLink({ url: `${url}/trpc`, EventSource: undefined as never }),
    false: httpLink({ url: `${url}/trpc` }),
  })
  const trpc = createTRPCClient<typeof app.router>({ links: [links] })
  const task = await startTask(trpc.countPrimes, { below: 10 })
  expect((await all(task.events())).at(-1)).toMatchObject({ type: 'done' })
})

test('an address that is none is an error, not a failure that passes', async () => {
  const trpc = createTRPCClient<typeof app.router>({ links: errandLinks({ url: 'nowhere' }) })
  await failureOf(startTask(trpc.countPrimes, { below: 10 }))
  await failureOf(attachTask(trpc.countPrimes, 'x').result())
  await failureOf(all(attachTask(trpc.countPrimes, 'x').events()))
})
