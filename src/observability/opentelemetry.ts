/**
 * Spans of OpenTelemetry, where the process has an SDK of it. The only file that has its API, an optional package, which is
 * loaded once an SDK has been registered with it: whoever has none pays for none.
 */
import { createRequire } from 'node:module'
import type { Attributes, Context, Span, SpanKind, Tracer } from '@opentelemetry/api'
import { readTraceparent } from '../protocol/trace-context.ts'

type Api = typeof import('@opentelemetry/api')

/** Where all copies of the API, of every 1.x, keep what an SDK registered. */
const REGISTRY = Symbol.for('opentelemetry.js.api.1')

interface Loaded {
  readonly api: Api
  readonly tracer: Tracer
  readonly kinds: Readonly<Record<Lowercase<keyof typeof SpanKind>, SpanKind>>
}

const load = (): Loaded | undefined => {
  try {
    const api = createRequire(import.meta.url)('@opentelemetry/api') as Api
    const { INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER } = api.SpanKind
    const kinds = {
      internal: INTERNAL,
      server: SERVER,
      client: CLIENT,
      producer: PRODUCER,
      consumer: CONSUMER,
    }
    return { api, tracer: api.trace.getTracer('errand'), kinds }
  } catch {
    return undefined // An SDK of another place, whose API can't be found from here.
  }
}

let loaded: { readonly is: Loaded | undefined } | undefined

const openTelemetry = (): Loaded | undefined => {
  if (loaded) return loaded.is
  if (!(globalThis as { [REGISTRY]?: { trace?: unknown } })[REGISTRY]?.trace) return undefined
  return (loaded = { is: load() }).is
}

/** Whether anybody traces here. */
export const isTraced = (): boolean => openTelemetry() !== undefined

/** What a span is begun with. */
export interface SpanStart {
  readonly kind: Lowercase<keyof typeof SpanKind>
  /** A traceparent. */
  readonly parent: string | undefined
  /** Whether the span of whoever calls is the parent, where there is one. */
  readonly joins?: boolean
  readonly attributes: Attributes
  /** Epoch ms. Default now. */
  readonly startTime?: number
}

/** Why something failed; `internal` has the words that callers don't get. */
export interface SpanFailure {
  readonly code: string
  readonly message: string
  readonly internal?: { readonly name: string; readonly message: string }
}

const contextOf = ({ api }: Loaded, traceparent: string | undefined): Context => {
  if (traceparent === undefined) return api.ROOT_CONTEXT
  const known = readTraceparent(traceparent)
  if (known === undefined) return api.ROOT_CONTEXT
  const [, traceId = '', spanId = '', flags = ''] = known.split('-')
  const spanContext = { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true }
  return api.trace.setSpanContext(api.ROOT_CONTEXT, spanContext)
}

const parentOf = (all: Loaded, { parent, joins }: SpanStart): Context => {
  const active = joins ? all.api.context.active() : undefined
  return active && all.api.trace.getSpan(active) ? active : contextOf(all, parent)
}

/** A span under way. */
export class OpenSpan {
  readonly #api: Api
  readonly #span: Span
  readonly #context: Context

  constructor(api: Api, span: Span, parent: Context) {
    this.#api = api
    this.#span = span
    this.#context = api.trace.setSpan(parent, span)
  }

  get traceId(): string {
    return this.#span.spanContext().traceId
  }

  /** Whether anybody will read what it is told. */
  get isRecorded(): boolean {
    return this.#span.isRecording()
  }

  /** As a traceparent. */
  get trace(): string {
    const { traceId, spanId, traceFlags } = this.#span.spanContext()
    return `00-${traceId}-${spanId}-${traceFlags.toString(16).padStart(2, '0')}`
  }

  /** What is done within is within it. */
  run<T>(work: () => T): T {
    return this.#api.context.with(this.#context, work)
  }

  /** Told when more is known. */
  is(name: string, attributes: Attributes): void {
    this.#span.updateName(name).setAttributes(attributes)
  }

  end(failure?: SpanFailure, endTime?: number): void {
    if (failure) {
      const { code, internal } = failure
      const message = internal ? `${internal.name}: ${internal.message}` : failure.message
      this.#span.setAttribute('error.type', code)
      this.#span.setStatus({ code: this.#api.SpanStatusCode.ERROR, message })
    }
    this.#span.end(endTime)
  }
}

/** Begins a span; undefined where nobody traces. */
export const openSpan = (name: string, start: SpanStart): OpenSpan | undefined => {
  const all = openTelemetry()
  if (!all) return undefined
  const { api, tracer, kinds } = all
  const { attributes, startTime } = start
  const parent = parentOf(all, start)
  const kind = kinds[start.kind]
  const options = startTime === undefined ? { kind, attributes } : { kind, attributes, startTime }
  return new OpenSpan(api, tracer.startSpan(name, options, parent), parent)
}

/** What is done within is part of a trace that came from elsewhere. */
export const within = <T>(traceparent: string | undefined, work: () => T): T => {
  const all = openTelemetry()
  return all && traceparent !== undefined ? all.api.context.with(contextOf(all, traceparent), work) : work()
}
