/** Tasks of an app that is traced, for any engine: a worker that imports this has an SDK of its own. */
import { isMainThread } from 'node:worker_threads'
import { createApp, procedure } from 'errand'
import { z } from 'zod'
import { NodeTracerProvider, trace } from '../opentelemetry.ts'

export const module = import.meta.url

if (!isMainThread) new NodeTracerProvider().register()

/** Makes a span as an instrumented library does, and logs where it is. */
const inSpan = (log: { info(message: string, fields: Record<string, unknown>): void }): void =>
  trace.getTracer('of the user').startActiveSpan('of the handler', (span) => {
    const { traceId, spanId } = span.spanContext()
    const { parentSpanContext } = span as { parentSpanContext?: { traceId: string; spanId: string } }
    log.info('a span of the handler', { spanTrace: traceId, spanId, parent: parentSpanContext?.spanId })
    span.end()
  })

const leaf = procedure.task({
  input: z.void(),
  output: z.string(),
  handler: ({ log }) => {
    inSpan(log)
    return 'leaf'
  },
})

const flaky = procedure.task({
  input: z.object({ nests: z.boolean().default(false) }),
  output: z.string(),
  retry: { attempts: 2, initial: 1 },
  handler: async ({ input, attempt, log, tasks }) => {
    inSpan(log)
    if (attempt === 1) throw new Error('once')
    if (input.nests) await tasks.start(leaf, undefined)
    return `at attempt ${attempt}`
  },
})

const addition = {
  input: z.object({ a: z.number(), b: z.number() }),
  output: z.number(),
  handler: ({ input }: { input: { a: number; b: number } }) => {
    trace.getTracer('of the user').startSpan('of add').end()
    if (input.a < 0) throw new Error('negative')
    return input.a + input.b
  },
}

const add = procedure.query(addition)
const sum = procedure.mutation(addition)

export const procedures = { add, flaky, leaf, sum }

export default createApp(procedures, { module })
