/** What is done around each request: it gets a name, which its answer carries, and whoever wants to is told how it went. */
import type { HandleRequest } from '../router/handle-request.ts'
import type { HttpReply, HttpRequest } from '../router/http.ts'
import type { OpenSpan } from './opentelemetry.ts'
import type { Answered } from './request-log.ts'
import { beginRequest, endRequest } from './traced-calls.ts'

/** Tells of every request. What is told must not throw. */
export const watchRequests = (handle: HandleRequest, watchers: readonly Answered[]): HandleRequest => {
  const finish = (
    request: HttpRequest,
    reply: HttpReply,
    { began, span }: { readonly began: number; readonly span: OpenSpan | undefined },
  ): HttpReply => {
    if (span) endRequest(span, request, reply)
    const { status, headers, body, failed } = reply
    const named: HttpReply = {
      status,
      headers: [...headers, 'x-request-id', request.requestId],
      body,
      ...(failed ? { failed } : {}),
    }
    if (watchers.length > 0) {
      const ms = performance.now() - began
      for (const told of watchers) told(request, named, ms)
    }
    return named
  }
  return (request) => {
    const watch = { began: performance.now(), span: beginRequest(request) }
    const reply = watch.span ? watch.span.run(() => handle(request)) : handle(request)
    return reply instanceof Promise
      ? reply.then((done) => finish(request, done, watch))
      : finish(request, reply, watch)
  }
}
