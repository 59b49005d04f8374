/** Traces, seen by the SDK's exporter in memory: one trace from a call to the last attempt, on every engine. */
import { createApp, inline } from 'errand'
import pino from 'pino'
import { afterAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { module, procedures } from '../support/apps/traced.ts'
import { ENGINES } from '../support/engines.ts'
import {
  context,
  InMemorySpanExporter,
  NodeTracerProvider,
  SimpleSpanProcessor,
  trace,
  type ReadableSpan,
} from '../support/opentelemetry.ts'
import { exchange, parseRaw } from '../support/raw.ts'
import { serve } from '../support/serve.ts'
import { until } from '../support/until.ts'

const exporter = new InMemorySpanExporter()
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] })
provider.register()
afterAll(async () => {
  await provider.shutdown()
  trace.disable()
  context.disable()
})
beforeEach(() => exporter.reset())

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const PARENT = 'b7ad6b7169203331'
const traceparent = `00-${TRACE}-${PARENT}-01`

const parentOf = (span: ReadableSpan): string | undefined => span.parentSpanContext?.spanId
const idOf = (span: ReadableSpan): string => span.spanContext().spanId
const spans = (name?: string): ReadableSpan[] =>
  exporter.getFinishedSpans().filter((span) => name === undefined || span.name === name)
const spanOf = (name: string): Promise<ReadableSpan> => until(`the span ${name}`, () => spans(name)[0])

describe('a call', () => {
  test('is in the trace of its caller, and what its handler does is in it, over REST and tRPC', async () => {
    const { call } = await serve(procedures, { module, tasks: inline() })
    for (const [path, route] of [
      ['/sum', '/sum'],
      ['/trpc/sum', '/trpc/{path*}'],
    ] as const) {
      exporter.reset()
      await call(path, { a: 1, b: 2 }, { traceparent, 'x-request-id': 'r1' })
      const [own, request] = [await spanOf('of add'), await spanOf(`POST ${path}`)]
      expect(spans()).toHaveLength(2)
      for (const span of [own, request]) expect(span.spanContext().traceId).toBe(TRACE)
      expect(parentOf(request)).toBe(PARENT)
      expect(parentOf(own)).toBe(idOf(request))
      expect(request.attributes).toMatchObject({
        'http.request.method': 'POST',
        'http.route': route,
        'url.path': path,
        'http.response.status_code': 200,
        'errand.request.id': 'r1',
        'errand.procedure': 'sum',
      })
    }
  })

  test('of a batch over tRPC has a span of its own, whoever answers it', async () => {
    const { get } = await serve(procedures, { module, tasks: inline() })
    const input = encodeURIComponent(JSON.stringify({ 0: { a: 1, b: 2 }, 1: { a: -3, b: 4 } }))
    for (const headers of [{ traceparent }, { traceparent, 'trpc-accept': 'application/jsonl' }]) {
      exporter.reset()
      await get(`/trpc/add,add?batch=1&input=${input}`, headers)
      const request = await spanOf('GET /trpc/add,add')
      expect(parentOf(request)).toBe(PARENT)
      await until('both calls', () => spans('call add').length === 2)
      for (const span of spans('call add')) expect(parentOf(span)).toBe(idOf(request))
      expect(spans('call add').map(({ status }) => status.code)).toEqual([0, 2])
      for (const span of spans('of add')) expect(spans('call add').map(idOf)).toContain(parentOf(span))
    }
  })

  test("of the server's own code has one", async () => {
    const app = createApp(procedures, { module, profile: 'test', tasks: inline() })
    onTestFinished(() => app.close())
    await app.caller({}).add({ a: 1, b: 2 })
    expect(parentOf(await spanOf('of add'))).toBe(idOf(await spanOf('call add')))
  })

  test('that fails of ours is an error, one that its caller got wrong is none', async () => {
    const { call } = await serve(procedures, { module, tasks: inline() })
    await call('/add', { a: -1, b: 2 })
    expect((await spanOf('POST /add')).status).toMatchObject({ code: 2 })
    exporter.reset()
    await call('/add', { a: 'x' })
    expect((await spanOf('POST /add')).status).toMatchObject({ code: 0 })
  })

  test('without a trace begins one, and so does one whose traceparent is none', async () => {
    const { call } = await serve(procedures, { module, tasks: inline() })
    for (const sent of ['', 'nonsense', `00-${'0'.repeat(32)}-${PARENT}-01`, `ff-${TRACE}-${PARENT}-01`]) {
      exporter.reset()
      await call('/add', { a: 1, b: 2 }, sent ? { traceparent: sent } : {})
      const request = await spanOf('POST /add')
      expect(parentOf(request)).toBeUndefined()
      expect(request.spanContext().traceId).not.toBe(TRACE)
    }
  })

  test('with two traces begins one of its own', async () => {
    const { url } = await serve(procedures, { module, tasks: inline() })
    const head = ['POST /add HTTP/1.1', 'host: x', 'connection: close', 'content-type: application/json']
    const lines = [
      ...head,
      `traceparent: ${traceparent}`,
      `traceparent: ${traceparent}`,
      'content-length: 13',
    ]
    const text = await exchange(Number(new URL(url).port), `${lines.join('\r\n')}\r\n\r\n{"a":1,"b":2}`)
    expect(parseRaw(text).status).toBe(200)
    expect((await spanOf('POST /add')).spanContext().traceId).not.toBe(TRACE)
  })

  test('is within the span of whoever traces its server already', async () => {
    const app = createApp(procedures, { module, profile: 'test', tasks: inline() })
    onTestFinished(() => app.close())
    const outer = trace.getTracer('http').startSpan('of the server')
    await context.with(trace.setSpan(context.active(), outer), () =>
      app.fetch(new Request('http://app/add?a=1&b=2', { headers: { traceparent } })),
    )
    outer.end()
    expect(parentOf(await spanOf('GET /add'))).toBe(outer.spanContext().spanId)
  })
})

describe.each(ENGINES)('a task on $name', ({ missing, place, multiHost }) => {
  const run = test.skipIf(missing !== undefined)

  run('is in the trace of its caller: start, waits, attempts, run, and what its handler does', async () => {
    const lines: Record<string, unknown>[] = []
    const logger = pino({ base: null }, { write: (line) => void lines.push(JSON.parse(line) as never) })
    const tasks = (await place())()
    const { call, get } = await serve(procedures, { module, profile: 'production', logger, tasks })
    const { id } = (await call('/flaky/tasks', { nests: true }, { traceparent })).json as { id: string }
    await get(`/tasks/${id}/result?wait=20`)
    const ran = await spanOf('run flaky')
    await spanOf('run leaf')

    const names = spans()
      .map(({ name }) => name)
      .filter((name) => !name.startsWith('GET'))
    expect(names.toSorted()).toEqual(
      [
        'POST /flaky/tasks',
        'start flaky',
        'wait flaky',
        'attempt flaky',
        'wait flaky',
        'attempt flaky',
        'run flaky',
        'start leaf',
        'wait leaf',
        'attempt leaf',
        'run leaf',
        ...names.filter((name) => name === 'of the handler'),
      ].toSorted(),
    )
    for (const span of spans().filter(({ name }) => !name.startsWith('GET')))
      expect(span.spanContext().traceId, span.name).toBe(TRACE)

    const [request] = spans('POST /flaky/tasks') as [ReadableSpan]
    const [start] = spans('start flaky') as [ReadableSpan]
    const attempts = spans('attempt flaky')
    expect(parentOf(request)).toBe(PARENT)
    expect(parentOf(start)).toBe(idOf(request))
    for (const span of [...spans('wait flaky'), ...attempts, ran]) expect(parentOf(span)).toBe(idOf(start))
    expect(attempts.map(({ attributes }) => attributes['errand.attempt'])).toEqual([1, 2])
    expect(attempts.map(({ status }) => status)).toMatchObject([
      { code: 2, message: 'Error: once' },
      { code: 0 },
    ])
    expect(ran.attributes).toMatchObject({ 'errand.task.id': id, 'errand.procedure': 'flaky' })
    // What a handler starts is part of the attempt that started it.
    expect(parentOf(spans('start leaf')[0]!)).toBe(idOf(attempts[1]!))

    const inWorker = await until('the lines of both handlers', () => {
      const found = lines.filter(({ msg }) => msg === 'a span of the handler')
      return found.length === 3 && found
    })
    expect(inWorker.map(({ parent }) => parent)).toEqual(
      [attempts[0], attempts[1], spans('attempt leaf')[0]].map((span) => idOf(span!)),
    )
    for (const { spanTrace } of inWorker) expect(spanTrace).toBe(TRACE)
    const ofTask = lines.filter(({ taskId }) => taskId === id)
    expect(ofTask.length).toBeGreaterThan(5)
    for (const line of ofTask) expect(line['traceId'], JSON.stringify(line)).toBe(TRACE)
  })

  test.skipIf(missing !== undefined || !multiHost)('is in it on another host, too', async () => {
    const join = await place()
    const front = createApp(procedures, { module, profile: 'test', tasks: join() })
    onTestFinished(() => front.close())
    await front.listen({ port: 0, work: false, signals: false })
    await serve(procedures, { module, tasks: join() })
    const outer = trace.getTracer('of the user').startSpan('outer')
    const task = await context.with(trace.setSpan(context.active(), outer), () =>
      front.tasks.start('leaf', undefined),
    )
    await task.result()
    const start = await spanOf('start leaf')
    expect(parentOf(start)).toBe(outer.spanContext().spanId)
    for (const name of ['wait leaf', 'attempt leaf', 'run leaf'])
      expect(parentOf(await spanOf(name))).toBe(idOf(start))
  })
})
