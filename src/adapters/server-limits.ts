/** What a server of our own refuses before anybody else hears of it: heads that are too large, connections that are too many. */
import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http'
import type { Limits } from '../config/limits.ts'
import { errorData, type ErrorData } from '../protocol/errors.ts'
import { pathOf } from '../router/http.ts'
import { problemReply } from '../router/problem.ts'
import { ConnectionLimit } from './connection-limit.ts'
import { answerBrokenRequests } from './broken-request.ts'
import type { NodeHandler } from './node.ts'

/** Longest time between two looks for requests that take too long, in ms. */
const LOOK = 1000

/** How Node is to hold the limits that it knows of. */
export const serverOptions = (limits: Limits): ServerOptions => ({
  // Whatever NODE_OPTIONS say: a parser that lets things pass is one that another server disagrees with.
  insecureHTTPParser: false,
  maxHeaderSize: limits.headerSize,
  headersTimeout: limits.headersTimeout,
  requestTimeout: limits.requestTimeout,
  keepAliveTimeout: limits.keepAliveTimeout,
  connectionsCheckingInterval: Math.min(LOOK, limits.headersTimeout / 2),
})

const tooManyHeaders = (limit: number): ErrorData => ({
  ...errorData('BAD_REQUEST', `The request has more than the ${limit} headers allowed here`),
  status: 431,
})

const refuse = (message: IncomingMessage, response: ServerResponse, error: ErrorData): void => {
  const { status, headers, body } = problemReply(error, pathOf(message.url as string))
  response.shouldKeepAlive = false
  response.writeHead(status, [...headers, 'content-length', String(Buffer.byteLength(body as string))])
  response.end(body)
}

/** What a server serves. */
export interface Serving {
  readonly handler: NodeHandler
  /** Whether a path is answered however many there are: whoever asks decides by it what becomes of the process. */
  readonly always: (path: string) => boolean
}

/** Holds a server to its limits; hands on the requests that pass. */
export const limitServer = (server: Server, limits: Limits, { handler, always }: Serving): void => {
  const connections = new ConnectionLimit(server, limits)
  // One more than may be, so that it shows. Node drops what is beyond, whatever it meant.
  server.maxHeadersCount = limits.headers + 1
  const manyHeaders = tooManyHeaders(limits.headers)
  answerBrokenRequests(server, limits)
  server.on('request', (message: IncomingMessage, response: ServerResponse) => {
    const isOver = connections.refusalOf(message.socket)
    const isProbe = isOver !== undefined && always(pathOf(message.url as string))
    if (isProbe) response.shouldKeepAlive = false
    const refusal =
      (isProbe ? undefined : isOver) ??
      (message.rawHeaders.length > 2 * limits.headers ? manyHeaders : undefined)
    if (refusal) refuse(message, response, refusal)
    else handler(message, response)
  })
}
