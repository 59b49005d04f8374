/**
 * A span of each call: that of its request, or one of its own within that where a request is a batch of calls, or where
 * there is none, because the server's own code calls.
 */
import type { CallResult } from '../procedures/failure.ts'
import { readTraceparent, traceIdOf } from '../protocol/trace-context.ts'
import type { TraceCall } from '../router/doors.ts'
import { pathOf, type HttpReply, type HttpRequest } from '../router/http.ts'
import { isTraced, openSpan, type OpenSpan } from './opentelemetry.ts'

/** Begins the span of a request; undefined where nobody traces. The request then knows where in which trace it is. */
export const beginRequest = (request: HttpRequest): OpenSpan | undefined => {
  const parent = readTraceparent(request.header('traceparent'))
  if (!isTraced()) {
    if (parent !== undefined) request.traced = { trace: parent, traceId: traceIdOf(parent) }
    return undefined
  }
  const { method, url, requestId } = request
  const attributes = {
    'http.request.method': method,
    'url.path': pathOf(url),
    'errand.request.id': requestId,
  }
  const span = openSpan(method, { kind: 'server', parent, joins: true, attributes })
  request.traced = span
  return span
}

/** Ends it, named by what answered. */
export const endRequest = (span: OpenSpan, { method, match }: HttpRequest, { status }: HttpReply): void => {
  if (!span.isRecorded) return span.end()
  const { path: route, owner } = match?.route ?? {}
  const procedure = owner === 'routes.trpc' ? match?.params['path'] : owner
  // Over tRPC the path of the route says nothing: whoever looks for a slow call looks for its procedure.
  const name = route === undefined ? method : `${method} ${route.replace('{path*}', procedure ?? '')}`
  span.is(name, {
    'http.response.status_code': status,
    ...(route === undefined ? {} : { 'http.route': route, 'errand.procedure': procedure }),
  })
  span.end(status >= 500 ? { code: String(status), message: '' } : undefined)
}

const ended = (span: OpenSpan, result: CallResult): CallResult => {
  // What a caller did wrong is no failure of the server's.
  span.end(result.ok || result.error.status < 500 ? undefined : result.error)
  return result
}

const isBatch = ({ match }: HttpRequest): boolean => match?.params['path']?.includes(',') === true

/** Makes the span of a call, where it has one of its own. */
export const traceCall: TraceCall = (path, request, call) => {
  if (request && !isBatch(request)) return call()
  const attributes = { 'errand.procedure': path }
  const span = openSpan(`call ${path}`, { kind: 'internal', parent: undefined, joins: true, attributes })
  if (!span) return call()
  const result = span.run(call)
  return result instanceof Promise ? result.then((done) => ended(span, done)) : ended(span, result)
}
