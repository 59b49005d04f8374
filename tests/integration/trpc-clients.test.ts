/** Unmodified tRPC clients of every kind, and Errand's helpers on them, against the running quickstart. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { QueryClient } from '@tanstack/react-query'
import {
  createTRPCClient,
  httpBatchLink,
  httpBatchStreamLink,
  httpLink,
  httpSubscriptionLink,
  splitLink,
  type TRPCLink,
} from '@trpc/client'
import { createTRPCOptionsProxy } from '@trpc/tanstack-react-query'
import { attachTask, errandLinks, errorOf, startTask, TaskError } from 'errand/client'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type App from '../../examples/quickstart/app.ts'

type Router = (typeof App)['router']

const data = mkdtempSync(path.join(tmpdir(), 'errand-clients-'))
process.env['ERRAND_DATA'] = data
const { default: app } = await import('../../examples/quickstart/app.ts')
let url: string

beforeAll(async () => {
  url = (await app.listen({ port: 0 })).url
})
afterAll(async () => {
  await app.close()
  rmSync(data, { recursive: true, force: true })
})

const clientWith = (link: (options: { url: string }) => TRPCLink<Router>) =>
  createTRPCClient<Router>({ links: [link({ url: `${url}/trpc` })] })

const NOBODY = '00000000-0000-4000-8000-000000000000'

describe.each([
  ['httpLink', httpLink],
  ['httpBatchLink', httpBatchLink],
  ['httpBatchStreamLink', httpBatchStreamLink],
] as const)('a client with %s', (_name, link) => {
  test('gets results, several at once', async () => {
    const trpc = clientWith(link)
    const [sum, hello] = await Promise.all([trpc.add.query({ a: 1, b: 2 }), trpc.greet.query({})])
    expect([sum, hello]).toEqual([3, 'Hello, World!'])
  })

  test('gets every issue of an invalid input', async () => {
    const error = await clientWith(link as never)
      .add.query({ a: 'x', b: null } as never)
      .catch((thrown) => thrown)
    expect(error.data).toMatchObject({ code: 'BAD_REQUEST', httpStatus: 400, path: 'add' })
    expect(error.data.issues.map((issue: { path: unknown }) => issue.path)).toEqual([['a'], ['b']])
  })

  test('gets typed errors', async () => {
    const trpc = clientWith(link)
    const thrown: unknown = await trpc.users.get.query({ id: NOBODY }).catch((error: unknown) => error)
    const error = errorOf(trpc.users.get, thrown)
    expect(error).toEqual({ code: 'NOT_FOUND', data: { id: NOBODY } })
    expect(errorOf(trpc.users.get, new Error('offline'))).toBeUndefined()
  })

  test('runs a task and waits for its output', async () => {
    expect(await clientWith(link as never).countPrimes.run.mutate({ below: 100 })).toEqual({
      count: 25,
      largest: 97,
    })
  })
})

const ticksOf = (trpc: ReturnType<typeof createTRPCClient<Router>>, count: number): Promise<number[]> =>
  new Promise((resolve, reject) => {
    const ticks: number[] = []
    trpc.ticks.subscribe(
      { count, everyMs: 5 },
      { onData: ({ tick }) => ticks.push(tick), onComplete: () => resolve(ticks), onError: reject },
    )
  })

describe('subscriptions', () => {
  test('come over errandLinks, in Node too', async () => {
    expect(await ticksOf(createTRPCClient<Router>({ links: errandLinks({ url }) }), 3)).toEqual([1, 2, 3])
  })

  test('end their generator when the client leaves', async () => {
    const trpc = createTRPCClient<Router>({ links: errandLinks({ url }) })
    let seen = 0
    await new Promise<void>((resolve) => {
      const { unsubscribe } = trpc.ticks.subscribe(
        { count: 1000, everyMs: 5 },
        { onData: () => ++seen === 2 && resolve(unsubscribe()) },
      )
    })
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(seen).toBeLessThan(5)
  })
})

describe('task handles', () => {
  const trpc = () => createTRPCClient<Router>({ links: errandLinks({ url }) })

  test('report progress in order and give the output', async () => {
    const task = await startTask(trpc().countPrimes, { below: 3_000_000 })
    const percents: number[] = []
    for await (const { percent } of task.progress()) percents.push(percent)
    expect(percents.length).toBeGreaterThan(2)
    expect(percents).toEqual([...percents].sort((a, b) => a - b))
    expect(await task.result({ timeout: '30s' })).toEqual({ count: 216_816, largest: 2_999_999 })
  })

  test('are had again from the id alone, and end at once for an ended task', async () => {
    const { id } = await startTask(trpc().countPrimes, { below: 1000 })
    const task = attachTask(trpc().countPrimes, id)
    expect(await task.result()).toEqual({ count: 168, largest: 997 })
    const events = []
    for await (const event of task.events()) events.push(event.type)
    expect(events.at(-1)).toBe('done')
  })

  test('long-poll where the client has no subscription link', async () => {
    const polling = createTRPCClient<Router>({ links: [httpBatchLink({ url: `${url}/trpc` })] })
    const task = await startTask(polling.countPrimes, { below: 200_000 })
    let last = 0
    for await (const { percent } of task.progress()) last = percent
    expect(last).toBeGreaterThan(0)
    expect(await task.result()).toMatchObject({ count: 17984 })
  })

  test('stop a running task', async () => {
    const task = await startTask(trpc().countPrimes, { below: 50_000_000 })
    for await (const _ of task.progress()) break
    const record = await task.cancel()
    expect(record.cancelRequested ?? record.status === 'cancelled').toBe(true)
    const error = await task.result({ timeout: '20s' }).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(TaskError)
    expect(error).toMatchObject({ code: 'CANCELLED', taskId: task.id })
  })

  test('reject with the error of the task, and with a timeout that leaves it running', async () => {
    const bad = await startTask(trpc().thumbnail, { image: 'aGVsbG8=', width: 10 })
    await expect(bad.result()).rejects.toMatchObject({ name: 'TaskError', code: 'BAD_REQUEST', status: 400 })
    const slow = await startTask(trpc().countPrimes, { below: 20_000_000 })
    await expect(slow.result({ timeout: 20 })).rejects.toMatchObject({ name: 'TimeoutError' })
    expect((await slow.record()).status).not.toBe('cancelled')
    await slow.cancel()
  })

  test('are one for all starts with one key', async () => {
    const client = trpc()
    const starts = Array.from({ length: 20 }, () =>
      startTask(client.countPrimes, { below: 500 }, { idempotencyKey: 'same' }),
    )
    expect(new Set((await Promise.all(starts)).map(({ id }) => id)).size).toBe(1)
    await expect(
      startTask(client.countPrimes, { below: 501 }, { idempotencyKey: 'same' }),
    ).rejects.toMatchObject({ data: { httpStatus: 422 } })
  })
})

describe('the Idempotency-Key header', () => {
  test('stands for one start, and is refused on a batch of several', async () => {
    const client = (headers: Record<string, string>) =>
      createTRPCClient<Router>({ links: [httpBatchLink({ url: `${url}/trpc`, headers })] })
    const one = await client({ 'idempotency-key': 'header' }).countPrimes.start.mutate({ below: 10 })
    const two = await client({ 'idempotency-key': 'header' }).countPrimes.start.mutate({ below: 10 })
    expect(two.id).toBe(one.id)
    const several = client({ 'idempotency-key': 'several' })
    const starts = [
      several.countPrimes.start.mutate({ below: 10 }),
      several.countPrimes.start.mutate({ below: 11 }),
    ]
    for (const result of await Promise.allSettled(starts))
      expect(result).toMatchObject({ status: 'rejected', reason: { data: { httpStatus: 400 } } })
  })
})

describe('other ways to call', () => {
  test('TanStack Query takes the router as it is', async () => {
    const client = createTRPCClient<Router>({ links: errandLinks({ url }) })
    const queryClient = new QueryClient()
    const trpc = createTRPCOptionsProxy<Router>({ client, queryClient })
    expect(await queryClient.fetchQuery(trpc.add.queryOptions({ a: 2, b: 3 }))).toBe(5)
    expect(trpc.countPrimes.run.mutationOptions().mutationKey).toEqual([['countPrimes', 'run']])
  })

  test('a native subscription link of one own works with any EventSource', async () => {
    const trpc = createTRPCClient<Router>({
      links: [
        splitLink({
          condition: ({ type }) => type === 'subscription',
          true: httpSubscriptionLink({
            url: `${url}/trpc`,
            EventSource: (await import('../../src/client/event-source.ts')).FetchEventSource as never,
          }),
          false: httpLink({ url: `${url}/trpc` }),
        }),
      ],
    })
    expect(await ticksOf(trpc, 2)).toEqual([1, 2])
  })

  test('app.caller calls on the server', async () => {
    expect(await app.caller({}).add({ a: 3, b: 4 })).toBe(7)
    await expect(app.caller({}).users.get({ id: NOBODY })).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })
})
