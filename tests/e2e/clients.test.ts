/** The generated client of the quickstart against its running server. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { QueryClient } from '@tanstack/react-query'
import { attachTask, errorOf, restTask, startTask, TaskError, type TaskEvent } from 'errand/client/rest'
import { afterAll, beforeAll, describe, expect, expectTypeOf, test } from 'vitest'
import {
  addOptions,
  listTasksInfiniteOptions,
  usersCreateMutation,
} from '../../clients/quickstart/@tanstack/react-query.gen.ts'
import { createClient } from '../../clients/quickstart/client/index.ts'
import * as sdk from '../../clients/quickstart/index.ts'
import { zNewUser } from '../../clients/quickstart/zod.gen.ts'
import { until } from '../support/until.ts'

const data = mkdtempSync(path.join(tmpdir(), 'errand-clients-'))
process.env['ERRAND_DATA'] = data
const { default: app } = await import('../../examples/quickstart/app.ts')

beforeAll(async () => {
  const { url } = await app.listen({ port: 0 })
  sdk.client.setConfig({ baseUrl: url })
})
afterAll(async () => {
  await app.close()
  rmSync(data, { recursive: true, force: true })
})

const NOBODY = '00000000-0000-4000-8000-000000000000'
const LONG = { below: 200_000_000 }

describe('a generated client', () => {
  test('gets results, typed', async () => {
    const { data: sum } = await sdk.add({ body: { a: 1, b: 2 }, throwOnError: true })
    const { data: hello } = await sdk.greet({ body: {} })
    expectTypeOf(sum).toEqualTypeOf<number>()
    expectTypeOf(hello).toEqualTypeOf<string | undefined>()
    expect([sum, hello]).toEqual([3, 'Hello, World!'])
  })

  test('reaches REST routes of their own, with path, query and status', async () => {
    const made = await sdk.usersCreate({
      body: { name: 'Ada', email: 'ada@example.com' },
      throwOnError: true,
    })
    expect(made.response.status).toBe(201)
    const { id } = made.data
    expect((await sdk.usersGet({ path: { id } })).data).toEqual(made.data)
    expect((await sdk.usersList({ query: { limit: 1 } })).data).toHaveLength(1)
    expect((await sdk.usersRemove({ path: { id } })).response?.status).toBe(204)
  })

  test('gets typed errors with their data', async () => {
    const { error, response } = await sdk.usersGet({ path: { id: NOBODY } })
    expect(response?.status).toBe(404)
    const declared = errorOf(sdk.usersGet, error)
    if (declared?.code !== 'NOT_FOUND') throw new Error('expected NOT_FOUND')
    expectTypeOf(declared.data).toEqualTypeOf<{ id: string }>()
    expect(declared.data.id).toBe(NOBODY)
  })

  test('gets every issue of an invalid input', async () => {
    const { error } = await sdk.add({ body: { a: 'x', b: null } as never })
    const invalid = errorOf(sdk.add, error)
    expect(invalid?.code).toBe('BAD_REQUEST')
    expect(invalid?.issues?.map((issue) => issue.path)).toEqual([['a'], ['b']])
  })

  test('calls a task and waits for its output', async () => {
    const { data: primes } = await sdk.countPrimes({ body: { below: 100 }, throwOnError: true })
    expect(primes).toEqual({ count: 25, largest: 97 })
  })

  test('checks with zod what the server would', () => {
    expect(zNewUser.safeParse({ name: 'Ada', email: 'ada@example.com' }).success).toBe(true)
    expect(zNewUser.safeParse({ name: '', email: 'ada' }).success).toBe(false)
  })
})

describe('a subscription', () => {
  test('streams its items and ends', async () => {
    const { stream } = await sdk.ticks({ body: { count: 3, everyMs: 5 } })
    const seen: number[] = []
    for await (const item of stream) {
      expectTypeOf(item).toEqualTypeOf<{ tick: number; at: string }>()
      seen.push(item.tick)
    }
    expect(seen).toEqual([1, 2, 3])
  })

  test('throws the problem it is refused with', async () => {
    const { stream } = await sdk.ticks({ body: { count: 0 } })
    const error: unknown = await stream.next().catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(Error)
    expect(error).toMatchObject({ status: 400, code: 'BAD_REQUEST', issues: [{ path: ['count'] }] })
  })

  test('ends at the server when the reader stops', async () => {
    const { stream } = await sdk.ticks({ body: { count: 1000, everyMs: 5 } })
    for await (const { tick } of stream) if (tick === 2) break
    const ended = await stream.next()
    expect(ended.done).toBe(true)
  })

  test('ends quietly when its signal aborts', async () => {
    const abort = new AbortController()
    const { stream } = await sdk.ticks({ body: { count: 1000, everyMs: 5 }, signal: abort.signal })
    const seen: number[] = []
    for await (const { tick } of stream) if (seen.push(tick) === 2) abort.abort()
    expect(seen).toEqual([1, 2])
  })
})

describe('a task handle over REST', () => {
  const countPrimes = restTask(sdk, 'countPrimes')

  test('knows the types of its task', () => {
    expectTypeOf(startTask(countPrimes, { below: 9 }))
      .resolves.toHaveProperty('result')
      .returns.resolves.toEqualTypeOf<{
        count: number
        largest: number
      }>()
    expectTypeOf<Parameters<typeof countPrimes.start>[0]>().toEqualTypeOf<{ below: number }>()
    // @ts-expect-error -- not a task
    const notTask = () => restTask(sdk, 'add')
    // @ts-expect-error -- not its input
    const notInput = () => startTask(countPrimes, { above: 1 })
    expect([notTask, notInput]).toHaveLength(2)
  })

  test('gives progress and the result', async () => {
    const task = await startTask(countPrimes, { below: 1_000_000 })
    const percents: number[] = []
    for await (const { percent } of task.progress()) percents.push(percent)
    expect(percents.at(-1)).toBe(100)
    expect(await task.result({ timeout: '30s' })).toEqual({ count: 78_498, largest: 999_983 })
    expect(await task.record()).toMatchObject({ status: 'succeeded', procedure: 'countPrimes' })
  })

  test('gives every event, and ends with done', async () => {
    const task = await startTask(countPrimes, { below: 1_000_000 })
    const events: TaskEvent[] = []
    for await (const event of task.events()) events.push(event)
    expect(events.at(-1)).toMatchObject({
      type: 'done',
      record: { status: 'succeeded', result: { count: 78_498 } },
    })
    expect(events.map(({ type }) => type)).toContain('progress')
  })

  test('long-polls where nothing is pushed', async () => {
    const { watch: _none, ...polling } = countPrimes
    const task = await startTask(polling as typeof countPrimes, { below: 2_000_000 })
    const percents: number[] = []
    for await (const { percent } of task.progress()) percents.push(percent)
    expect(percents.length).toBeGreaterThan(0)
    expect(await task.result()).toMatchObject({ count: 148_933 })
  })

  test('cancels', async () => {
    const task = await startTask(countPrimes, LONG)
    await until('running', async () => (await task.record()).status === 'running')
    expect((await task.cancel()).cancelRequested).toBe(true)
    const error: unknown = await task.result({ timeout: '20s' }).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(TaskError)
    expect(errorOf(sdk.countPrimes, error)?.code).toBe('CANCELLED')
  })

  test('takes hold of a task that was started elsewhere', async () => {
    const { data: record } = await sdk.startCountPrimes({ body: { below: 10 }, throwOnError: true })
    expect(await attachTask(countPrimes, record.id).result()).toEqual({ count: 4, largest: 7 })
  })

  test('starts with a key, a delay, a priority and tags', async () => {
    const options = { idempotencyKey: crypto.randomUUID(), delay: '1h', priority: 3, tags: ['a', 'b'] }
    const first = await startTask(countPrimes, LONG, options)
    const second = await startTask(countPrimes, LONG, options)
    expect(second.id).toBe(first.id)
    const record = await first.record()
    expect(record).toMatchObject({ status: 'queued', tags: ['a', 'b'] })
    expect(Date.parse(record.runAt ?? '') - Date.now()).toBeGreaterThan(3_500_000)
    expect((await first.cancel()).status).toBe('cancelled')
  })

  test('rejects an invalid input with its issues', async () => {
    await expect(startTask(countPrimes, { below: -1 })).rejects.toMatchObject({
      status: 400,
      code: 'BAD_REQUEST',
      issues: [{ path: ['below'] }],
    })
  })

  test('rejects for a task that is not there', async () => {
    const lost = attachTask(countPrimes, NOBODY)
    await expect(lost.result()).rejects.toMatchObject({ status: 404, code: 'NOT_FOUND' })
    await expect(lost.progress()[Symbol.asyncIterator]().next()).rejects.toMatchObject({ status: 404 })
  })

  test('stops waiting, not the task, when its time is up', async () => {
    const task = await startTask(countPrimes, LONG)
    await expect(task.result({ timeout: 50 })).rejects.toMatchObject({ name: 'TimeoutError' })
    expect(['queued', 'running']).toContain((await task.record()).status)
    await task.cancel()
  })

  test('takes another client and headers', async () => {
    const seen: Request[] = []
    const client = createClient({ baseUrl: sdk.client.getConfig().baseUrl ?? '' })
    client.interceptors.request.use((request) => {
      seen.push(request)
      return request
    })
    const task = await startTask(restTask(sdk, 'countPrimes', { client, headers: { 'x-tenant': 'a' } }), {
      below: 10,
    })
    expect(await task.result()).toEqual({ count: 4, largest: 7 })
    expect(seen.length).toBeGreaterThan(1)
    expect(seen.every((request) => request.headers.get('x-tenant') === 'a')).toBe(true)
  })

  test('outlives a server that is away for a while', async () => {
    const asked: string[] = []
    const flaky: typeof fetch = (request) => {
      const { pathname } = new URL((request as Request).url)
      asked.push(pathname)
      if (asked.length % 3 === 2) return Promise.reject(new TypeError('fetch failed'))
      return asked.length % 3 === 1 ? fetch(request) : Promise.resolve(new Response('away', { status: 503 }))
    }
    const client = createClient({ baseUrl: sdk.client.getConfig().baseUrl ?? '', fetch: flaky })
    const task = await startTask(restTask(sdk, 'countPrimes', { client }), { below: 10 })
    const events: string[] = []
    for await (const { type } of task.events()) events.push(type)
    expect(events.at(-1)).toBe('done')
    expect(await task.result()).toEqual({ count: 4, largest: 7 })
    expect(asked.length).toBeGreaterThan(5)
  })

  test('says at once that it has no address', async () => {
    const homeless = restTask(sdk, 'countPrimes', { client: createClient() })
    await expect(startTask(homeless, { below: 10 })).rejects.toThrow('Failed to parse URL')
    await expect(attachTask(homeless, NOBODY).result()).rejects.toThrow('Failed to parse URL')
  })
})

describe('options for TanStack Query', () => {
  const queries = new QueryClient()

  test('query a query', async () => {
    const sum = await queries.query(addOptions({ body: { a: 2, b: 3 } }))
    expectTypeOf(sum).toEqualTypeOf<number>()
    expect(sum).toBe(5)
  })

  test('mutate with a mutation, and page through a list', async () => {
    expectTypeOf(usersCreateMutation().mutationFn).not.toBeUndefined()
    const pages = await queries.infiniteQuery({
      ...listTasksInfiniteOptions({ query: { limit: 1 } }),
      initialPageParam: {},
      getNextPageParam: () => null,
    } as never)
    expect((pages as unknown as { pages: unknown[] }).pages).toHaveLength(1)
  })
})
