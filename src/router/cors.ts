/** Cross-origin requests (WHATWG Fetch §3.2). */
import { emptyReply, type HttpReply, type HttpRequest } from './http.ts'

/** Which pages of other origins may call. */
export interface CorsOptions {
  /** `'*'`, one origin, several, or a test of one. Default `'*'`. */
  readonly origin?: string | readonly string[] | ((origin: string) => boolean)
  /** Let cookies through; needs named origins. Default false. */
  readonly credentials?: boolean
  /** Request headers let through. Default: those asked for. */
  readonly headers?: readonly string[]
  /** Answer headers a page may read. Default those Errand sets. */
  readonly expose?: readonly string[]
  /** Seconds a browser may remember a preflight. Default 600. */
  readonly maxAge?: number
}

/** Options made ready. */
export interface CorsPolicy {
  readonly allows: (origin: string) => boolean
  /** Any origin, so the answer doesn't vary. */
  readonly any: boolean
  readonly credentials: boolean
  readonly headers: string | undefined
  readonly expose: string
  readonly maxAge: string
}

const EXPOSED = [
  'location',
  'content-location',
  'retry-after',
  'etag',
  'preference-applied',
  'idempotency-replayed',
  'ratelimit',
  'ratelimit-policy',
  'x-request-id',
] as const

const originTest = (origin: NonNullable<CorsOptions['origin']>): ((origin: string) => boolean) => {
  if (typeof origin === 'function') return origin
  const allowed = new Set(typeof origin === 'string' ? [origin] : origin)
  return (candidate) => allowed.has(candidate)
}

/**
 * Makes the `cors` option ready; undefined when it is off.
 * @throws TypeError when credentials are asked for with any origin, which browsers refuse
 */
export const corsPolicy = (option: boolean | CorsOptions | undefined): CorsPolicy | undefined => {
  if (!option) return undefined
  const {
    origin = '*',
    credentials = false,
    headers,
    expose = EXPOSED,
    maxAge = 600,
  } = option === true ? {} : option
  const any = origin === '*'
  if (any && credentials)
    throw new TypeError(
      "cors: credentials need named origins, as browsers refuse them with '*'; give cors.origin a list",
    )
  return {
    allows: any ? () => true : originTest(origin),
    any,
    credentials,
    headers: headers?.join(', '),
    expose: expose.join(', '),
    maxAge: String(maxAge),
  }
}

const originHeaders = (policy: CorsPolicy, request: HttpRequest): string[] => {
  const origin = request.header('origin')
  const vary = policy.any ? [] : ['vary', 'origin']
  if (origin === undefined || !policy.allows(origin)) return vary
  const credentials = policy.credentials ? ['access-control-allow-credentials', 'true'] : []
  return ['access-control-allow-origin', policy.any ? '*' : origin, ...credentials, ...vary]
}

/** The answer to a preflight; undefined when the request isn't one or its path is unknown. */
export const preflight = (
  policy: CorsPolicy,
  request: HttpRequest,
  allow: readonly string[],
): HttpReply | undefined => {
  if (request.method !== 'OPTIONS' || allow.length === 0) return undefined
  if (request.header('access-control-request-method') === undefined) return undefined
  const asked = policy.headers ?? request.header('access-control-request-headers')
  return emptyReply(204, [
    'access-control-allow-methods',
    allow.join(', '),
    'access-control-max-age',
    policy.maxAge,
    ...(asked ? ['access-control-allow-headers', asked] : []),
  ])
}

/** Adds the headers that let a page read an answer. */
export const applyCors = (policy: CorsPolicy, request: HttpRequest, reply: HttpReply): HttpReply => ({
  ...reply,
  headers: [
    ...reply.headers,
    ...originHeaders(policy, request),
    'access-control-expose-headers',
    policy.expose,
  ],
})
