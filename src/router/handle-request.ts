/** From a request to its answer: find the route, run it, and turn whatever it throws into a problem. */
import { isProcedureError, toErrorData } from '../procedures/errors.ts'
import { toFailure } from '../procedures/failure.ts'
import type { MaybePromise } from '../procedures/handler.ts'
import type { ErrorData } from '../protocol/errors.ts'
import { applyCors, preflight, type CorsPolicy } from './cors.ts'
import { leave, type Doors } from './doors.ts'
import type { Gate } from './gate.ts'
import { emptyReply, pathOf, withExtra, type HttpReply, type HttpRequest } from './http.ts'
import { problem, problemReply } from './problem.ts'
import { isStreamed, readBody } from './reply-body.ts'
import type { Found, RouteTable } from './route-table.ts'

/** Answers a request. Never throws, never rejects. */
export type HandleRequest = (request: HttpRequest) => MaybePromise<HttpReply>

const notFound = (request: HttpRequest, path: string, allow: readonly string[]): HttpReply => {
  if (allow.length === 0) return problem('NOT_FOUND', `Nothing is at ${request.method} ${path}`, path)
  const methods = [...new Set([...allow, ...(allow.includes('GET') ? ['HEAD'] : []), 'OPTIONS'])].join(', ')
  if (request.method === 'OPTIONS') return emptyReply(204, ['allow', methods])
  return problem(
    'METHOD_NOT_SUPPORTED',
    `${request.method} is not possible at ${path}; try ${methods}`,
    path,
    ['allow', methods],
  )
}

const crash = (doors: Doors, request: HttpRequest, thrown: unknown): HttpReply => {
  const path = pathOf(request.url)
  return problemReply(
    isProcedureError(thrown) && thrown.cause === undefined
      ? toErrorData(thrown)
      : leave(doors, toFailure(thrown), path, request),
    path,
  )
}

const withoutBody = (reply: HttpReply): HttpReply => {
  const { body } = reply
  if (isStreamed(body)) readBody(body).stop()
  const length = body === null || isStreamed(body) ? [] : ['content-length', String(Buffer.byteLength(body))]
  return { ...reply, headers: [...reply.headers, ...length], body: null }
}

/** What stands before the routes. */
export interface Front {
  readonly cors: CorsPolicy | undefined
  readonly gate: Gate
  /** How many proxies are believed. */
  readonly hops: number
  /** What a 401 tells callers to come with. */
  readonly challenge: string | undefined
}

const challenged = ({ status, headers }: HttpReply, challenge: string | undefined): readonly string[] =>
  status === 401 && challenge !== undefined ? [...headers, 'www-authenticate', challenge] : headers

const finish = (request: HttpRequest, reply: HttpReply, { cors, challenge }: Front): HttpReply => {
  const extra = request.extraHeaders
  if (!extra && !cors && reply.status !== 401 && request.method !== 'HEAD') return reply
  const own = challenged(reply, challenge)
  const headers = extra ? withExtra(own, extra) : own
  const full = cors ? applyCors(cors, request, { ...reply, headers }) : { ...reply, headers }
  return request.method === 'HEAD' ? withoutBody(full) : full
}

const refuse = (request: HttpRequest, path: string, found: Found, error: ErrorData): HttpReply =>
  ('route' in found ? found.route.refuse?.(request, found.params, error) : undefined) ??
  problemReply(error, path)

/** Compiles the handling of requests over a route table. */
export const compileHandleRequest = (table: RouteTable, doors: Doors, front: Front): HandleRequest => {
  const { cors, gate, hops } = front
  const route = (request: HttpRequest): MaybePromise<HttpReply> => {
    const path = pathOf(request.url)
    const found = table.find(request.method, path)
    if ('route' in found) request.match = found
    const refusal = gate(request.url, 'route' in found ? found.route : undefined)
    if (refusal) return refuse(request, path, found, refusal)
    if ('route' in found) return found.route.handle(request, found.params)
    return (cors && preflight(cors, request, found.allow)) ?? notFound(request, path, found.allow)
  }
  // The user's test of origins is asked here too, and may throw: the answer then goes out without its headers.
  const end = (request: HttpRequest, reply: HttpReply): HttpReply => {
    try {
      return finish(request, reply, front)
    } catch (thrown) {
      // Nobody will read it any more: it is to know.
      if (isStreamed(reply.body)) readBody(reply.body).stop()
      return crash(doors, request, thrown)
    }
  }
  return (request) => {
    request.hops = hops
    try {
      const reply = route(request)
      if (!(reply instanceof Promise)) return end(request, reply)
      return reply.then(
        (done) => end(request, done),
        (thrown: unknown) => end(request, crash(doors, request, thrown)),
      )
    } catch (thrown) {
      return end(request, crash(doors, request, thrown))
    }
  }
}
