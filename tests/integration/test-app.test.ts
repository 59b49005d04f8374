/** The testing kit as its users see it: an app in this process, whose time and whose failures are the test's. */
import { createProcedure, procedure, ProcedureError, TaskError } from 'errand'
import { attachTask, startTask } from 'errand/client'
import { createTestApp, type TestApp } from 'errand/testing'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { z } from 'zod'

const silent = { error: () => {}, warn: () => {}, info: () => {} }

const add = procedure.query({
  input: z.object({ a: z.number(), b: z.number() }),
  output: z.number(),
  handler: ({ input }) => input.a + input.b,
})

const ticks = procedure.subscription({
  input: z.object({ n: z.int() }),
  output: z.object({ tick: z.int() }),
  handler: async function* ({ input }) {
    for (let tick = 1; tick <= input.n; tick++) yield { tick }
  },
})

/** What the next attempts do. */
let acts: ((signal: AbortSignal) => unknown)[] = []
afterEach(() => {
  acts = []
})

const ship = procedure.task({
  input: z.object({ order: z.string() }),
  output: z.object({ shipped: z.string() }),
  progress: z.object({ percent: z.number() }),
  retry: { attempts: 3, initial: '1m' },
  timeout: '10m',
  handler: async ({ input, signal, progress, log, attempt }) => {
    progress({ percent: attempt })
    log.info('shipping')
    await acts.shift()?.(signal)
    return { shipped: input.order }
  },
})

/** A task that waits for a child that it starts. */
const parcel = procedure.task({
  input: z.void(),
  output: z.string(),
  handler: async ({ tasks }) => (await (await tasks.start(ship, { order: 'child' })).result()).shipped,
})

const fail = (): never => {
  throw new Error('the van broke down')
}
const never = (): Promise<never> => new Promise(() => {})
const untilAborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)))

/** Whether a promise has not been settled by now. */
const isPending = async (promise: Promise<unknown>): Promise<boolean> => {
  let pending = true
  const settle = () => void (pending = false)
  promise.then(settle, settle)
  await new Promise(setImmediate)
  return pending
}

const createApp = (options: object = {}) =>
  createTestApp({ add, ticks, shop: { ship }, parcel }, { logger: silent, ...options })

const start = (app: ReturnType<typeof createApp>, order = 'a', options = {}) =>
  app.tasks.start(ship, { order }, options)

describe('calling', () => {
  it('answers a plain tRPC client, Fetch, and callers on the server, and opens no socket', async () => {
    await using app = createApp()
    expect(await app.trpc.add.query({ a: 1, b: 2 })).toBe(3)
    expect(await (await app.request('/add', { json: { a: 1, b: 2 } })).json()).toBe(3)
    expect(await (await app.request('/add?a=1&b=2')).json()).toBe(3)
    expect(await (await app.fetch('http://app.test/add?a=1&b=2')).json()).toBe(3)
    expect(await app.caller({}).add({ a: 1, b: 2 })).toBe(3)
    expect(process.getActiveResourcesInfo().filter((name) => name.startsWith('TCPServer'))).toEqual([])
  })

  it('carries subscriptions', async () => {
    await using app = createApp()
    const seen: unknown[] = []
    await new Promise<void>((resolve, reject) =>
      app.trpc.ticks.subscribe(
        { n: 3 },
        { onData: (item) => seen.push(item), onComplete: resolve, onError: reject },
      ),
    )
    expect(seen).toEqual([{ tick: 1 }, { tick: 2 }, { tick: 3 }])
  })

  it('gives handles of tasks, with progress and result', async () => {
    await using app = createApp()
    const task = await startTask(app.trpc.shop.ship, { order: 'a' })
    expect(await task.result()).toEqual({ shipped: 'a' })
    expect(await attachTask(app.trpc.shop.ship, task.id).record()).toMatchObject({
      status: 'succeeded',
      progress: { percent: 1 },
    })
  })

  it('makes contexts as the app does, or as the test says', async () => {
    const whoami = createProcedure<{ user: string | null }>().query({
      input: z.void(),
      output: z.string().nullable(),
      handler: ({ ctx }) => ctx.user,
    })
    await using app = createTestApp(
      { whoami },
      { prefix: '/api', createContext: ({ headers }) => ({ user: headers.get('x-user') }) },
    )
    expect(await app.trpc.whoami.query()).toBeNull()
    const asAda = { headers: { 'x-user': 'ada' }, method: 'POST' }
    expect(await (await app.request('/api/whoami', asAda)).json()).toBe('ada')
    const bob = app.as({ user: 'bob' })
    expect(await bob.trpc.whoami.query()).toBe('bob')
    expect(await (await bob.request('/api/whoami', { method: 'POST' })).json()).toBe('bob')
    expect(await app.trpc.whoami.query()).toBeNull()
  })

  it('keeps what is not another owner’s from him', async () => {
    await using app = createTestApp({ ship }, { owner: ({ user }: { user: string }) => user })
    const task = await startTask(app.as({ user: 'ada' }).trpc.ship, { order: 'a' })
    const ofBob = attachTask(app.as({ user: 'bob' }).trpc.ship, task.id)
    await expect(ofBob.record()).rejects.toMatchObject({ data: { code: 'NOT_FOUND' } })
    expect(await task.result()).toEqual({ shipped: 'a' })
  })

  it('a caller that hangs up hears no more', async () => {
    await using app = createApp()
    acts = [never]
    const hangUp = new AbortController()
    const answer = app.request('/shop/ship', { json: { order: 'a' }, signal: hangUp.signal })
    await vi.waitFor(() => expect(app.calls(ship)).toHaveLength(1))
    hangUp.abort()
    await expect(answer).rejects.toMatchObject({ name: 'AbortError' })
  })

  it('serves on a port all the same', async () => {
    await using app = createApp()
    const server = await app.listen({ port: 0 })
    expect(await (await fetch(`${server.url}/add?a=1&b=2`)).json()).toBe(3)
  })
})

describe('the clock', () => {
  const at = (app: TestApp, time: string) => new Date(app.clock.now()).toISOString() === `${time}.000Z`

  it('stands still, and moves as it is told', async () => {
    await using app = createApp({ now: '2030-01-01T00:00:00Z' })
    const { createdAt, id } = await (await start(app)).record()
    expect(createdAt).toBe('2030-01-01T00:00:00.000Z')
    expect(at(app as never, '2030-01-01T00:00:00')).toBe(true)
    await app.clock.advance('90m')
    expect(at(app as never, '2030-01-01T01:30:00')).toBe(true)
    await app.clock.set('2030-01-02T00:00:00Z')
    expect(at(app as never, '2030-01-02T00:00:00')).toBe(true)
    await app.clock.set(new Date('2029-01-01T00:00:00Z'))
    expect(at(app as never, '2029-01-01T00:00:00')).toBe(true)
    expect(await app.tasks.get(id)).toMatchObject({ status: 'succeeded' })
    expect(() => app.clock.set('soon')).toThrow('soon is not a time')
  })

  it('lets a delayed start wait, and run in its time', async () => {
    await using app = createApp()
    const task = await start(app, 'a', { delay: '1h' })
    await app.clock.advance('59m')
    expect(await task.record()).toMatchObject({ status: 'queued', attempt: 0 })
    await app.clock.advance('1m')
    expect(await task.record()).toMatchObject({ status: 'succeeded' })
  })

  it('runs a chain of failures and waits to its end in one step', async () => {
    await using app = createApp({ now: '2030-01-01T00:00:00Z' })
    acts = [fail, fail, fail]
    const task = await start(app)
    await app.clock.advance('1h')
    const record = await task.record()
    expect(record).toMatchObject({ status: 'failed', attempt: 3 })
    // Without jitter: first a minute, then as long again, as one is the longest wait.
    expect(record.attempts.map(({ startedAt }) => startedAt.slice(11, 19))).toEqual([
      '00:00:00',
      '00:01:00',
      '00:02:00',
    ])
    expect(app.calls(ship).map(({ error }) => error?.message)).toEqual(Array(3).fill('the van broke down'))
  })

  it('runs a chain of handlers that do real work, as patiently as it is told to', async () => {
    await using app = createApp({ patience: '5s' })
    const slowly = () => new Promise((_resolve, reject) => setTimeout(reject, 20, new Error('late')))
    acts = [slowly, slowly, slowly]
    const task = await start(app)
    await app.clock.advance('1h')
    expect(await task.record()).toMatchObject({ status: 'failed', attempt: 3 })
  })

  it('ends an attempt at its timeout, and one that is deaf after its grace', async () => {
    await using app = createApp()
    acts = [untilAborted, never]
    const task = await start(app)
    await app.clock.advance('9m')
    expect(await task.record()).toMatchObject({ status: 'running', attempt: 1 })
    await app.clock.advance('1m')
    expect(await task.record()).toMatchObject({
      status: 'queued',
      attempts: [{ error: { code: 'TASK_TIMEOUT' } }],
    })
    await app.clock.advance('11m')
    expect((await task.record()).attempts[1]).toMatchObject({ n: 2, startedAt: expect.any(String) })
    await app.clock.advance('2m')
    expect(await task.record()).toMatchObject({ status: 'succeeded', attempt: 3 })
  })

  it('ends a task at its deadline', async () => {
    const late = procedure.task({
      input: z.void(),
      output: z.void(),
      deadline: '1h',
      retry: { attempts: 100, backoff: 'fixed', initial: '7m', max: '7m' },
      handler: fail,
    })
    await using app = createTestApp({ late }, { logger: silent })
    const task = await app.tasks.start(late, undefined)
    await app.clock.advance('1h')
    // The wait after the ninth attempt would be over at 63 minutes.
    expect(await task.record()).toMatchObject({ status: 'failed', attempt: 9 })
  })

  it('forgets ended tasks when their time is over', async () => {
    await using app = createApp()
    const task = await start(app)
    await task.result()
    await app.clock.advance('6d')
    expect(await app.tasks.get(task.id)).toMatchObject({ status: 'succeeded' })
    await app.clock.advance('1d')
    expect(await app.tasks.get(task.id)).toBeUndefined()
  })

  it('answers a waiting caller in its time', async () => {
    await using app = createApp()
    acts = [never]
    const headers = { prefer: 'respond-async, wait=20' }
    const answer = app.request('/shop/ship', { json: { order: 'a' }, headers })
    await app.clock.advance('19s')
    expect(await isPending(answer)).toBe(true)
    await app.clock.advance('1s')
    expect((await answer).status).toBe(202)
  })

  it('lets a waiting call through that was made a moment before it moves', async () => {
    await using app = createApp()
    acts = [fail]
    const output = app.trpc.shop.ship.run.mutate({ order: 'a' })
    await app.clock.advance('1m')
    expect(await output).toEqual({ shipped: 'a' })
  })

  it('lets a task wait for another', async () => {
    await using app = createApp()
    acts = [fail]
    const task = await app.tasks.start(parcel, undefined)
    await app.clock.advance('2m')
    expect(await task.result()).toBe('child')
  })

  it('is not confused by fake timers', async () => {
    vi.useFakeTimers()
    try {
      await using app = createApp()
      acts = [fail]
      const task = await start(app)
      await app.clock.advance('1m')
      expect(await app.tasks.get(task.id)).toMatchObject({ status: 'succeeded' })
    } finally {
      vi.useRealTimers()
    }
  })
})

describe('calls', () => {
  it('tell every attempt and every plain call, in order', async () => {
    await using app = createApp()
    acts = [fail]
    await app.trpc.add.query({ a: 1, b: 2 })
    await start(app)
    await app.clock.advance('1m')
    expect(app.calls()).toEqual([
      { procedure: 'add', input: { a: 1, b: 2 }, attempt: 1, output: 3 },
      {
        procedure: 'shop.ship',
        input: { order: 'a' },
        attempt: 1,
        error: { code: 'INTERNAL_SERVER_ERROR', message: 'the van broke down' },
      },
      { procedure: 'shop.ship', input: { order: 'a' }, attempt: 2, output: { shipped: 'a' } },
    ])
    expect(app.calls(add)).toEqual([{ input: { a: 1, b: 2 }, attempt: 1, output: 3 }])
  })

  it('tell refused ones, and those that still run', async () => {
    await using app = createApp()
    await app.request('/add', { json: { a: 'one', b: 2 } })
    expect(app.calls(add)).toMatchObject([{ input: { a: 'one', b: 2 }, error: { code: 'BAD_REQUEST' } }])
    acts = [never]
    await start(app)
    await app.clock.advance(0)
    expect(app.calls(ship)).toEqual([{ input: { order: 'a' }, attempt: 1 }])
  })

  it('are those of this app', async () => {
    await using app = createTestApp({ add })
    expect(() => app.calls(ship)).toThrow('This is not a procedure of this app; it has add')
  })
})

describe('drain', () => {
  it('resolves when all that can run has run, and leaves what waits for later', async () => {
    await using app = createApp()
    acts = [fail]
    const failed = await start(app, 'fails')
    const started = await Promise.all(Array.from({ length: 300 }, (_, n) => start(app, String(n))))
    const later = await start(app, 'later', { delay: '1h' })
    await app.drain()
    expect(await failed.record()).toMatchObject({ status: 'queued', attempt: 1 })
    expect(await later.record()).toMatchObject({ status: 'queued', attempt: 0 })
    for (const task of started) expect(await task.record()).toMatchObject({ status: 'succeeded' })
  })

  it('ends with the names of tasks that never come to rest', async () => {
    await using app = createApp()
    acts = [never]
    const { id } = await start(app, 'stuck')
    await expect(app.drain({ timeout: 50 })).rejects.toThrow(
      `1 task has not come to rest within 50 ms:\n  - shop.ship ${id} is running, attempt 1, input {"order":"stuck"}`,
    )
  })
})

describe('faults', () => {
  it('fail the next attempts without calling the handler', async () => {
    await using app = createApp()
    app.faults.failNext(ship, 2)
    const task = await start(app)
    await app.clock.advance('5m')
    expect(await task.record()).toMatchObject({ status: 'succeeded', attempt: 3, progress: { percent: 3 } })
    expect(app.calls(ship).map(({ error }) => error?.message)).toEqual([
      'The test said that shop.ship fails',
      'The test said that shop.ship fails',
      undefined,
    ])
  })

  it('fail with the error that was said, a plain call too', async () => {
    await using app = createApp()
    app.faults.failNext(add, new ProcedureError('CONFLICT', 'Taken'))
    app.faults.failNext('shop.ship', new ProcedureError('NOT_FOUND', 'No such order'))
    await expect(app.trpc.add.query({ a: 1, b: 2 })).rejects.toMatchObject({
      message: 'Taken',
      data: { code: 'CONFLICT' },
    })
    expect(await app.trpc.add.query({ a: 1, b: 2 })).toBe(3)
    const refused = (await start(app)).result()
    await expect(refused).rejects.toThrow(TaskError)
    await expect(refused).rejects.toMatchObject({ code: 'NOT_FOUND' })
  })

  it('lose the worker after the handler has run, and the attempt counts', async () => {
    await using app = createApp()
    await app.faults.loseWorker(ship)
    const done = vi.fn<() => void>()
    acts = [done, done]
    const task = await start(app)
    await app.clock.advance('1m')
    expect(done).toHaveBeenCalledTimes(2)
    expect(await task.record()).toMatchObject({
      status: 'succeeded',
      attempt: 2,
      attempts: [{ error: { code: 'WORKER_LOST' } }, {}],
    })
    expect(app.calls(ship)).toMatchObject([{ error: { code: 'WORKER_LOST' } }, { output: { shipped: 'a' } }])
  })

  it('lose the worker of an attempt that runs', async () => {
    await using app = createApp()
    acts = [never]
    const task = await start(app)
    await app.faults.loseWorker(ship)
    await app.clock.advance('1m')
    expect(await task.record()).toMatchObject({ status: 'succeeded', attempt: 2 })
  })

  it('slow calls down on the clock, and timeouts see it', async () => {
    await using app = createApp()
    app.faults.slow(add, '2m')
    app.faults.slow(ship, '2m')
    const sum = app.trpc.add.query({ a: 1, b: 2 })
    const task = await start(app)
    await app.drain()
    await app.clock.advance('1m')
    expect(await task.record()).toMatchObject({ status: 'running' })
    expect(await isPending(sum)).toBe(true)
    await app.clock.advance('1m')
    expect(await task.result()).toEqual({ shipped: 'a' })
    expect(await sum).toBe(3)
    app.faults.slow(ship, '1d')
    const late = await start(app)
    await app.clock.advance('10m')
    expect(await late.record()).toMatchObject({ attempts: [{ error: { code: 'TASK_TIMEOUT' } }] })
    app.faults.slow(ship, 0)
    await app.clock.advance('1m')
    expect(await late.result()).toEqual({ shipped: 'a' })
  })

  it('take the store away: starts are refused with 503, and no end is lost', async () => {
    await using app = createApp()
    let end = (): void => {}
    acts = [() => new Promise<void>((resolve) => (end = resolve))]
    const task = await start(app)
    app.faults.storeDown()
    const answer = await app.request('/shop/ship/tasks', { json: { order: 'b' } })
    expect(answer.status).toBe(503)
    expect(answer.headers.get('retry-after')).toBe('1')
    end()
    await app.clock.advance('10s')
    expect(await task.record()).toMatchObject({ status: 'running' })
    app.faults.storeUp()
    await app.clock.advance('1s')
    expect(await task.result()).toEqual({ shipped: 'a' })
  })
})

describe('a store that is down from the start', () => {
  it('is found when it is up', async () => {
    await using app = createApp()
    app.faults.storeDown()
    await expect(start(app)).rejects.toMatchObject({ code: 'SERVICE_UNAVAILABLE' })
    app.faults.storeUp()
    expect(await (await start(app)).result()).toEqual({ shipped: 'a' })
  })
})

describe('a crash', () => {
  it('loses what ran, and the restarted engine runs it again', async () => {
    await using app = createApp()
    const aborted = vi.fn<() => void>()
    acts = [
      (signal) => {
        signal.addEventListener('abort', aborted)
        return never()
      },
    ]
    const [task, later] = [await start(app), await start(app, 'later', { delay: '1h' })]
    await app.crash()
    expect(aborted).toHaveBeenCalledOnce()
    expect((await app.request(`/tasks/${task.id}`)).status).toBe(503)
    await app.restart()
    expect(await task.result()).toEqual({ shipped: 'a' })
    expect(await task.record()).toMatchObject({
      attempt: 2,
      attempts: [{ error: { code: 'WORKER_LOST' } }, {}],
    })
    expect(app.calls(ship)).toMatchObject([{ error: { code: 'WORKER_LOST' } }, { attempt: 2 }])
    await app.clock.advance('1h')
    expect(await later.record()).toMatchObject({ status: 'succeeded' })
  })

  it('writes nothing of what a killed attempt does afterwards', async () => {
    await using app = createApp()
    let end = (): void => {}
    acts = [() => new Promise<void>((resolve) => (end = resolve)), fail, fail]
    const task = await start(app)
    await app.crash()
    end()
    await app.restart()
    await app.clock.advance('10m')
    expect(await task.record()).toMatchObject({ status: 'failed', attempt: 3 })
  })

  it('is survived by a client’s handle, which goes on when the app is back', async () => {
    await using app = createApp()
    acts = [never]
    const task = await startTask(app.trpc.shop.ship, { order: 'a' })
    const output = task.result()
    await app.crash()
    await app.restart()
    expect(await output).toEqual({ shipped: 'a' })
  })
})

describe('closing', () => {
  it('does not wait for handlers that never end', async () => {
    const app = createApp()
    acts = [never, untilAborted]
    await start(app)
    await start(app)
    await app.close()
    await expect(start(app)).rejects.toThrow('shutting down')
  })
})
