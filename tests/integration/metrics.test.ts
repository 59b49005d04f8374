/** What Prometheus is told, and who may hear it. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { Counter, Registry } from 'prom-client'
import { createApp, createProcedure, inline, procedure, ProcedureError, runWorker, type App } from 'errand'
import { z } from 'zod'
import { ENGINES } from '../support/engines.ts'
import { readMetrics, scrape } from '../support/metrics.ts'
import { module, procedures } from '../support/apps/work.ts'
import { recordingLogger, serve, type LogLine } from '../support/serve.ts'
import { afterwards } from '../support/afterwards.ts'
import { until } from '../support/until.ts'

const base = createProcedure<object>()
const tree = {
  add: base.query({
    input: z.object({ a: z.number() }),
    output: z.number(),
    errors: { ODD: { status: 409 } },
    handler: ({ input, errors }) => {
      if (input.a === 1) throw errors.ODD()
      if (input.a === 2) throw new ProcedureError('NOT_FOUND', 'No such thing')
      if (input.a === 3) throw new Error('broken')
      return input.a
    },
  }),
  ticks: base.subscription({
    input: z.void(),
    output: z.int(),
    handler: async function* () {
      yield 1
    },
  }),
}

afterEach(() => vi.unstubAllEnvs())

describe('calls', () => {
  test('are counted and timed by procedure and code, whichever door they came by', async () => {
    const { url, call, get } = await serve(tree, { metrics: true })
    for (const a of [0, 1, 2, 3, 4]) await call('/add', { a })
    await call('/add', { a: 'none' })
    await get(`/trpc/add?input=${encodeURIComponent('{"a":5}')}`)
    await get(`/trpc/add,add?batch=1&input=${encodeURIComponent('{"0":{"a":5},"1":{"a":1}}')}`)
    await get('/ticks')
    const read = await scrape(url)
    const count = (code: string, procedure_ = 'add') =>
      read('errand_call_duration_seconds_count', { procedure: procedure_, code })
    expect(count('OK')).toBe(4)
    expect(count('ODD')).toBe(2)
    expect(count('NOT_FOUND')).toBe(1)
    expect(count('INTERNAL_SERVER_ERROR')).toBe(1)
    expect(count('BAD_REQUEST')).toBe(1)
    expect(count('OK', 'ticks')).toBe(1)
    expect(read('errand_call_duration_seconds_sum', { procedure: 'add', code: 'OK' })).toBeGreaterThan(0)
  })

  test('are requests by route and status, where all unknown routes are one', async () => {
    const { url, call, get } = await serve(tree, { metrics: true })
    await call('/add', { a: 0 })
    await call('/add', { a: 1 })
    for (const path of ['/nowhere', '/x/y', '/add/more']) await get(path)
    await get('/trpc/nothing')
    await get('/healthz')
    const read = await scrape(url)
    const count = (route: string, status: string) => read('errand_http_requests_total', { route, status })
    expect(count('add', '200')).toBe(1)
    expect(count('add', '409')).toBe(1)
    expect(count('unknown', '404')).toBe(3)
    expect(count('routes.trpc', '404')).toBe(1)
    expect(count('routes.healthz', '200')).toBe(1)
  })

  test('leave no trace of what a caller made up', async () => {
    const { url, call, get } = await serve(tree, { metrics: true })
    for (let n = 0; n < 20; n++) await get(`/made-up-${n}`)
    for (let n = 0; n < 20; n++) await get(`/trpc/made-up-${n},add?batch=1`)
    await call('/add?made-up=1', { made: 'up' })
    const { text } = await get('/metrics')
    expect(text).not.toContain('made')
    expect(url).toBeTruthy()
  })

  test('a code that exists nowhere is OTHER', async () => {
    const odd = base.query({
      input: z.void(),
      output: z.void(),
      handler: () => {
        throw Object.assign(new ProcedureError('CONFLICT', 'x'), { code: `MADE_UP_${Math.random()}` })
      },
    })
    const { url, call } = await serve({ odd }, { metrics: true })
    await call('/odd')
    const text = await (await fetch(`${url}/metrics`)).text()
    expect(text).not.toContain('MADE_UP')
  })

  test('the process and its event loop are measured, too', async () => {
    const { url } = await serve(tree, { metrics: true })
    const read = await scrape(url)
    expect(read('nodejs_eventloop_lag_p99_seconds')).toBeGreaterThanOrEqual(0)
    expect(read('process_resident_memory_bytes')).toBeGreaterThan(0)
  })
})

describe.each(ENGINES)('tasks on $name', ({ missing, place }) => {
  test.skipIf(missing)('are counted by what happens to them, and by how they stand', async () => {
    const tasks = await place()
    const names = ['slow', 'fails', 'flaky', 'later'] as const
    const { url, app } = await serve(Object.fromEntries(names.map((name) => [name, procedures[name]])), {
      metrics: true,
      module,
      tasks: tasks(),
    })
    const ended = async (name: string, input: unknown) => {
      const task = await app.tasks.start(name, input)
      return until(
        `the end of ${name}`,
        async () => {
          const { status } = await task.record()
          return status !== 'queued' && status !== 'running' && status
        },
        20_000,
      )
    }
    expect(await ended('slow', { n: 1, ms: 0 })).toBe('succeeded')
    expect(await ended('fails', {})).toBe('failed')
    await app.tasks.start('later', { n: 1 }, { delay: '10m' })
    const running = await app.tasks.start('slow', { n: 1, ms: 60_000 })
    await until('a running task', async () => (await running.record()).status === 'running')
    const read = await until('the tasks that are told', async () => {
      const found = await scrape(url)
      return found('errand_task_events_total', { procedure: 'slow', event: 'started' }) === 2 && found
    })
    const events = (procedure_: string, event: string) =>
      read('errand_task_events_total', { procedure: procedure_, event })
    expect(events('slow', 'queued')).toBe(2)
    expect(events('slow', 'succeeded')).toBe(1)
    expect(events('fails', 'started')).toBe(2)
    expect(events('fails', 'retrying')).toBe(1)
    expect(events('fails', 'failed')).toBe(1)
    expect(
      read('errand_task_attempt_errors_total', { procedure: 'fails', code: 'INTERNAL_SERVER_ERROR' }),
    ).toBe(2)
    expect(read('errand_task_run_seconds_count', { procedure: 'slow', outcome: 'succeeded' })).toBe(1)
    expect(read('errand_task_wait_seconds_count', { procedure: 'fails' })).toBe(2)
    expect(read('errand_tasks', { procedure: 'later', state: 'delayed' })).toBe(1)
    expect(read('errand_tasks', { procedure: 'slow', state: 'running' })).toBe(1)
    expect(read('errand_tasks', { procedure: 'fails', state: 'due' })).toBe(0)
    expect(read('errand_task_oldest_wait_seconds', { procedure: 'slow' })).toBe(0)
    expect(read('errand_engine_up')).toBe(1)
    await running.cancel()
  })
})

describe('workers', () => {
  test('are busy or idle, and those that died were replaced; the attempt is one that was lost', async () => {
    const [local] = ENGINES
    const tasks = await local!.place()
    const { url, app } = await serve({ dies: procedures.dies }, { metrics: true, module, tasks: tasks() })
    expect((await scrape(url))('errand_workers', { kind: 'threads', state: 'idle' })).toBe(1)
    expect(await (await app.tasks.start('dies', {})).result()).toBe(2)
    const read = await scrape(url)
    expect(read('errand_worker_restarts_total', { kind: 'threads' })).toBe(1)
    expect(read('errand_task_attempt_errors_total', { procedure: 'dies', code: 'WORKER_LOST' })).toBe(1)
    expect(read('errand_task_events_total', { procedure: 'dies', event: 'retrying' })).toBe(1)
  })

  test('of a process that serves nothing have a port of their own', async () => {
    const logs: LogLine[] = []
    const wait = procedure.task({
      input: z.void(),
      output: z.void(),
      runOn: 'inline',
      handler: () => sleep(10),
    })
    const app = createApp({ wait }, { tasks: inline(), metrics: { port: 0 }, logger: recordingLogger(logs) })
    const worker = await runWorker(app, { signals: false })
    afterwards(() => worker.close())
    const url = /http:\S+(?=\/metrics)/.exec(logs.map(({ message }) => message).join())?.[0] as string
    await (await app.tasks.start('wait', undefined)).result()
    const read = await scrape(url)
    expect(read('errand_task_events_total', { procedure: 'wait', event: 'succeeded' })).toBe(1)
    expect((await fetch(`${url}/wait`, { method: 'POST' })).status).toBe(404)
    expect(app.routes().some(({ path }) => path === '/metrics')).toBe(false)
    await worker.close()
    await expect(fetch(`${url}/metrics`)).rejects.toThrow()
  })
})

describe('who may read them', () => {
  const TOKEN = 'a-token-of-some-length'
  const statusOf = async (app: object, headers: Record<string, string> = {}): Promise<number> =>
    (await (app as App).fetch(new Request('http://x/metrics', { headers }))).status

  test('nobody, as long as nobody asked for them: there is no such route', async () => {
    const { get } = await serve(tree)
    expect((await get('/metrics')).status).toBe(404)
  })

  test('callers on this machine, but not who is behind a proxy on it', async () => {
    const { get } = await serve(tree, { metrics: true, profile: 'production' })
    expect((await get('/metrics')).status).toBe(200)
    for (const name of ['x-forwarded-for', 'forwarded', 'x-real-ip', 'via'])
      expect((await get('/metrics', { [name]: '127.0.0.1' })).status).toBe(403)
    // Who is behind a proxy that is believed is known.
    const behind = await serve(tree, { metrics: true, trustProxy: 1 })
    expect((await behind.get('/metrics', { 'x-forwarded-for': '203.0.113.9' })).status).toBe(403)
    // Nobody knows where this one comes from.
    expect(await statusOf(createApp(tree, { metrics: true }))).toBe(403)
  })

  test('who has the token, from wherever', async () => {
    const app = createApp(tree, { metrics: { token: TOKEN } })
    expect(await statusOf(app, { authorization: `Bearer ${TOKEN}` })).toBe(200)
    expect(await statusOf(app, { authorization: 'Bearer another' })).toBe(403)
    expect(await statusOf(app)).toBe(403)
  })

  test('everyone, where that was said; with a token, everyone who has it', async () => {
    expect(await statusOf(createApp(tree, { metrics: { access: 'everyone' } }))).toBe(200)
    const app = createApp(tree, { metrics: { access: 'everyone', token: TOKEN } })
    expect(await statusOf(app)).toBe(403)
    expect(await statusOf(app, { authorization: `bearer ${TOKEN}` })).toBe(200)
  })

  test('they are where routes.metrics says, whatever the prefix', () => {
    const paths = (routes: object) =>
      createApp(tree, { metrics: true, prefix: '/api', routes })
        .routes()
        .filter(({ owner }) => owner === 'routes.metrics')
        .map(({ path }) => path)
    expect(paths({})).toEqual(['/metrics'])
    expect(paths({ metrics: '/_metrics' })).toEqual(['/_metrics'])
    expect(paths({ metrics: false })).toEqual([])
  })

  test.each([
    [{ metrics: 'on' }, /metrics is "on", expected true, false or/],
    [{ metrics: { acess: 'local' } }, /metrics\.acess is unknown.*did you mean access/],
    [{ metrics: { token: 'short' } }, /metrics\.token is \*\*\*, expected a text of 16 characters/],
    [{ metrics: { registry: {} } }, /metrics\.registry is .*expected a Registry of prom-client/],
  ])('%j is refused', (options, text) => {
    expect(() => createApp(tree, options as never)).toThrow(text)
    expect(() => createApp(tree, options as never)).not.toThrow(/short/)
  })
})

test('metrics of one’s own come together with them', async () => {
  const registry = new Registry()
  const orders = new Counter({ name: 'shop_orders_total', help: 'Orders', registers: [registry] })
  orders.inc(3)
  const { get } = await serve(tree, { metrics: { registry } })
  const read = readMetrics((await get('/metrics')).text)
  expect(read('shop_orders_total')).toBe(3)
  expect(read('errand_engine_up')).toBe(1)
})

test('docs/observability.md has every metric', async () => {
  const { get } = await serve(tree, { metrics: true })
  const page = readFileSync(join(import.meta.dirname, '../../docs/observability.md'), 'utf8')
  const names = [...(await get('/metrics')).text.matchAll(/^# TYPE (errand_\w+)/gm)].map(([, name]) => name)
  expect(names.length).toBeGreaterThan(9)
  for (const name of names) expect(page).toContain(`\`${name}\``)
})
