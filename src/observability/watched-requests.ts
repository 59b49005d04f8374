/** What is done around each request: it gets a name, which its answer carries, and whoever wants to is told how it went. */
import type { HandleRequest } from '../router/handle-request.ts'
import type { HttpReply, HttpRequest } from '../router/http.ts'
import type { Answered } from './request-log.ts'

/** Tells of every request. What is told must not throw. */
export const watchRequests = (handle: HandleRequest, watchers: readonly Answered[]): HandleRequest => {
  const finish = (request: HttpRequest, reply: HttpReply, began: number): HttpReply => {
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
    const began = performance.now()
    const reply = handle(request)
    return reply instanceof Promise
      ? reply.then((done) => finish(request, done, began))
      : finish(request, reply, began)
  }
}
