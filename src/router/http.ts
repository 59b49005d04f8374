/** A request and a reply as the router sees them, whatever carried them. Adapters make the one and write the other. */
import { validateHeaderValue } from 'node:http'
import { ProcedureError } from '../procedures/errors.ts'
import { behindProxies } from './caller-address.ts'
import { requestIdOf } from './request-id.ts'

/** What `createContext` gets. */
export interface ContextRequest {
  /** Made when first read. */
  readonly headers: Headers
  readonly method: string
  /** Path and query as sent. */
  readonly url: string
  /** Aborts when the caller hangs up; made when first read. */
  readonly signal: AbortSignal
  /** As far as `trustProxy` lets it be known. */
  readonly remoteAddress: string | undefined
  /** Headers and cookies to send with the answer; made when first read. */
  readonly responseHeaders: Headers
  /** The caller's `X-Request-Id` if it is fit to be one, else a new one. The answer carries it, and so does the log. */
  readonly requestId: string
}

/** Where in which trace something is. */
export interface TracePlace {
  /** As a traceparent. */
  readonly trace: string
  readonly traceId: string
}

/** The route that was found for a request, as far as others need to know. */
export interface FoundRoute {
  readonly route: { readonly owner: string; readonly path: string; readonly always?: true }
  readonly params: Readonly<Record<string, string>>
}

/** A request. An adapter extends this class by the five things it must know. */
export abstract class HttpRequest implements ContextRequest {
  abstract readonly method: string
  abstract readonly url: string
  /** Of the other end of the connection. */
  protected abstract readonly peerAddress: string | undefined
  /** How many proxies are believed about who is behind them. */
  hops = 0
  /** Once it is found. */
  match: FoundRoute | undefined = undefined
  /** Once it is made. */
  ctx: unknown = undefined
  /** The task that it started, or got. */
  taskId: string | undefined = undefined
  /** Where in which trace it is, where there is one. */
  traced: TracePlace | undefined = undefined
  #requestId: string | undefined
  #headers: Headers | undefined
  #signal: AbortSignal | undefined
  #responseHeaders: Headers | undefined

  /** One header's value by lower-case name, without building `headers`. */
  abstract header(name: string): string | undefined
  /**
   * The whole body.
   * @throws ProcedureError PAYLOAD_TOO_LARGE past `limit` bytes, UNSUPPORTED_MEDIA_TYPE for a compressed one
   */
  abstract body(limit: number): Promise<Uint8Array>
  protected abstract makeHeaders(): Headers
  protected abstract makeSignal(): AbortSignal

  get remoteAddress(): string | undefined {
    const { hops, peerAddress } = this
    return hops === 0 ? peerAddress : behindProxies(peerAddress, this.header('x-forwarded-for'), hops)
  }

  get requestId(): string {
    return (this.#requestId ??= requestIdOf(this.header('x-request-id')))
  }

  get headers(): Headers {
    return (this.#headers ??= this.makeHeaders())
  }

  get signal(): AbortSignal {
    return (this.#signal ??= this.makeSignal())
  }

  get responseHeaders(): Headers {
    return (this.#responseHeaders ??= new Headers())
  }

  /** What a handler or `createContext` set on `responseHeaders`; undefined when nobody asked for it. */
  get extraHeaders(): Headers | undefined {
    return this.#responseHeaders
  }
}

/** The refusal of a body. */
export const tooLarge = (limit: number): ProcedureError =>
  new ProcedureError('PAYLOAD_TOO_LARGE', `The body is larger than the ${limit} bytes allowed here`)

/**
 * The refusal of a compressed body: small as it is on the wire, nobody knows how much it becomes. Undefined for one that
 * is sent as it is.
 */
export const compressed = (encoding: string | undefined): ProcedureError | undefined =>
  encoding === undefined || encoding === '' || encoding.toLowerCase() === 'identity'
    ? undefined
    : new ProcedureError(
        'UNSUPPORTED_MEDIA_TYPE',
        `The content-encoding ${encoding} is not taken here: send the body as it is`,
      )

/** What a body that never ends means, and why the signal of a call aborts. */
export const hungUp = (): ProcedureError =>
  new ProcedureError('CLIENT_CLOSED_REQUEST', 'The caller hung up before the body was complete')

/** Bytes to send: at once, or piece by piece. */
export type ReplyBody = string | Uint8Array | AsyncIterable<Uint8Array | string> | null

/** An answer. Header names are lower-case; the list is name, value, name, value, as node:http takes it. */
export interface HttpReply {
  readonly status: number
  readonly headers: readonly string[]
  readonly body: ReplyBody
  /** Told when the body breaks off: the status is out by then, so the log is the only place left to say so. */
  readonly failed?: (thrown: unknown) => void
}

/** What is said to be JSON, or a text, is never taken for a page by its looks. */
export const NOSNIFF = ['x-content-type-options', 'nosniff'] as const

const JSON_TYPE = ['content-type', 'application/json', ...NOSNIFF] as const

/** JSON text as an answer. */
export const jsonReply = (status: number, text: string, headers?: readonly string[]): HttpReply => ({
  status,
  headers: headers ? [...JSON_TYPE, ...headers] : JSON_TYPE,
  body: text,
})

/** An answer without a body. */
export const emptyReply = (status: number, headers: readonly string[] = []): HttpReply => ({
  status,
  headers,
  body: null,
})

/** The path of a URL as sent, without its query. */
export const pathOf = (url: string): string => {
  const end = url.indexOf('?')
  return end < 0 ? url : url.slice(0, end)
}

/** The query of a URL as sent, without the `?`. */
export const queryOf = (url: string): string => {
  const start = url.indexOf('?')
  return start < 0 ? '' : url.slice(start + 1)
}

/**
 * Headers as a list. A `Set-Cookie` keeps a line of its own; everything else may be joined.
 * @throws TypeError for a value with control characters: `Headers` takes them, HTTP doesn't
 */
export const headerList = (headers: Headers): string[] => {
  for (const [name, value] of headers) validateHeaderValue(name, value)
  return [...headers].flat()
}

/** What frames a message is not the user's to set: it would no longer fit the message. */
const FRAMING: ReadonlySet<string> = new Set([
  'content-length',
  'transfer-encoding',
  'connection',
  'keep-alive',
])

const JOINED: ReadonlySet<string> = new Set(['vary', 'set-cookie'])

const pick = (list: readonly string[], wanted: (name: string) => boolean): string[] =>
  list.flatMap((name, at) => (at % 2 === 0 && wanted(name) ? [name, list[at + 1] as string] : []))

/** Headers with those that the user set, which win. */
export const withExtra = (headers: readonly string[], extra: Headers): string[] => [
  ...pick(headers, (name) => JOINED.has(name) || FRAMING.has(name) || !extra.has(name)),
  ...pick(headerList(extra), (name) => !FRAMING.has(name)),
]
