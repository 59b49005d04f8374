/** node:http: requests and answers without any Fetch object in between. */
import { once, setMaxListeners } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ProcedureError } from '../procedures/errors.ts'
import type { HandleRequest } from '../router/handle-request.ts'
import { compressed, HttpRequest, hungUp, tooLarge, type HttpReply } from '../router/http.ts'
import { readBody, type BodyStream } from '../router/reply-body.ts'

const NO_BYTES = new Uint8Array()

// A host framework may have read the body before us; Express leaves the parsed value here. A request without a body
// is at its end from the start and says so to nobody (`optimizeEmptyRequests`).
const readAlready = (message: IncomingMessage): Uint8Array | undefined => {
  if (!message.readableEnded) return undefined
  const { body } = message as { body?: unknown }
  if (body === undefined) return NO_BYTES
  return Buffer.isBuffer(body) ? body : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
}

// A proxy may send the whole URL (RFC 9112 §3.2.2).
const originForm = (url: string): string =>
  url.startsWith('/') ? url : url.replace(/^https?:\/\/[^/?#]*\/?/i, '/')

const joinHeader = (value: string | string[] | undefined): string | undefined =>
  Array.isArray(value) ? value.join(', ') : value

// Every request is asked for these; `headers` would have all of them sorted for it.
const OF_EVERY_REQUEST: ReadonlySet<string> = new Set(['x-request-id', 'traceparent'])
// And every request with a body for these, of which the first is as good as any.
const OF_EVERY_BODY: ReadonlySet<string> = new Set(['content-type', 'content-length', 'content-encoding'])

const placeOf = (rawHeaders: readonly string[], name: string, from = 0): number => {
  for (let at = from; at < rawHeaders.length; at += 2) {
    const key = rawHeaders[at] as string
    if (key.length === name.length && key.toLowerCase() === name) return at
  }
  return -1
}

const firstOf = (rawHeaders: readonly string[], name: string): string | undefined => {
  const at = placeOf(rawHeaders, name)
  return at < 0 ? undefined : rawHeaders[at + 1]
}

// Two of them are as good as none, as by W3C Trace Context: nobody knows which was meant.
const onlyOf = (rawHeaders: readonly string[], name: string): string | undefined => {
  const at = placeOf(rawHeaders, name)
  return at < 0 || placeOf(rawHeaders, name, at + 2) >= 0 ? undefined : rawHeaders[at + 1]
}

class NodeRequest extends HttpRequest {
  readonly method: string
  readonly url: string
  readonly #message: IncomingMessage
  readonly #response: ServerResponse

  constructor(message: IncomingMessage, response: ServerResponse) {
    super()
    this.method = message.method as string
    this.url = originForm(message.url as string)
    this.#message = message
    this.#response = response
  }

  protected get peerAddress(): string | undefined {
    return this.#message.socket.remoteAddress
  }

  header(name: string): string | undefined {
    if (OF_EVERY_BODY.has(name)) return firstOf(this.#message.rawHeaders, name)
    if (OF_EVERY_REQUEST.has(name)) return onlyOf(this.#message.rawHeaders, name)
    return joinHeader(this.#message.headers[name])
  }

  body(limit: number): Promise<Uint8Array> {
    const message = this.#message
    const known = readAlready(message)
    if (known) return Promise.resolve(known)
    if (message.destroyed) return Promise.reject(hungUp())
    const refused = compressed(this.header('content-encoding'))
    if (refused) return Promise.reject(refused)
    if (Number(this.header('content-length')) > limit) return Promise.reject(this.#refuseBody(limit))
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = []
      let size = 0
      message.on('data', (chunk: Buffer) => {
        size += chunk.length
        if (size <= limit) return void chunks.push(chunk)
        chunks.length = 0
        reject(this.#refuseBody(limit))
      })
      let ended = false
      message.on('end', () => {
        ended = true
        resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks))
      })
      // A caller that hangs up shows as a close before the end; Node emits no error to those who don't listen for one.
      message.on('close', () => ended || reject(hungUp()))
    })
  }

  protected makeHeaders(): Headers {
    const headers = new Headers()
    const { rawHeaders } = this.#message
    for (let at = 0; at < rawHeaders.length; at += 2)
      if (!rawHeaders[at]?.startsWith(':'))
        headers.append(rawHeaders[at] as string, rawHeaders[at + 1] as string)
    return headers
  }

  protected makeSignal(): AbortSignal {
    const response = this.#response
    const controller = new AbortController()
    const onClose = (): void => {
      if (!response.writableFinished) controller.abort(hungUp())
    }
    if (response.destroyed) onClose()
    else response.once('close', onClose)
    return controller.signal
  }

  // What is still on its way is not read: the connection ends with the answer.
  #refuseBody(limit: number): ProcedureError {
    this.#response.shouldKeepAlive = false
    return tooLarge(limit)
  }
}

/** The one who reads a streamed answer, until he goes, or we do. */
class Audience {
  readonly #response: ServerResponse
  readonly #closing: AbortSignal | undefined
  #leave = (): void => undefined
  readonly #onEnd = (): void => this.#leave()

  constructor(response: ServerResponse, closing: AbortSignal | undefined) {
    this.#response = response
    this.#closing = closing
    response.once('close', this.#onEnd)
    closing?.addEventListener('abort', this.#onEnd)
  }

  /** What the work gives; undefined when nobody reads any more. A new promise for each: one that lasts keeps them all. */
  whileThere<T>(work: Promise<T>): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      this.#leave = () => resolve(undefined)
      work.then(resolve, reject)
      if (this.#response.destroyed || this.#closing?.aborted) this.#leave()
    })
  }

  release(): void {
    this.#closing?.removeEventListener('abort', this.#onEnd)
  }
}

const isEvents = ({ headers }: HttpReply): boolean => headers.includes('text/event-stream')

// Node ends a connection on which nothing moves for so long: an answer that nobody takes would be held for ever.
const untilTaken = (response: ServerResponse, patience: number): void => void response.setTimeout(patience)

const writeStream = async (
  response: ServerResponse,
  reply: HttpReply,
  { closing, patience }: Writing,
): Promise<void> => {
  const source = readBody(reply.body as BodyStream)
  // Who reads events comes back by himself, to whoever serves then: a closing server doesn't wait for them.
  const audience = new Audience(response, isEvents(reply) ? closing : undefined)
  try {
    for (;;) {
      const next = await audience.whileThere(source.next())
      if (next === undefined || next.done) break
      if (response.write(next.value)) continue
      untilTaken(response, patience)
      await audience.whileThere(once(response, 'drain'))
      // The next piece may be long in coming.
      response.setTimeout(0)
    }
    response.end()
    if (response.writableLength > 0) untilTaken(response, patience)
  } catch (error) {
    reply.failed?.(error)
    // The status is sent: a broken body must not look like a whole one.
    response.destroy(error as Error)
  } finally {
    audience.release()
    source.stop()
  }
}

/** How answers are written. */
interface Writing {
  readonly closing: AbortSignal
  /** How long a caller may take nothing of his answer, in ms. */
  readonly patience: number
}

const write = (response: ServerResponse, reply: HttpReply, writing: Writing): void => {
  const { status, headers, body } = reply
  if (typeof body === 'string' || body instanceof Uint8Array) {
    response.writeHead(status, [...headers, 'content-length', String(Buffer.byteLength(body))])
    response.end(body)
    if (response.writableLength > 0) untilTaken(response, writing.patience)
  } else if (body === null) {
    response.writeHead(status, headers as string[])
    response.end()
  } else {
    response.writeHead(status, headers as string[])
    void writeStream(response, reply, writing)
  }
}

/** A listener for node:http, Express, Fastify's raw requests and whatever else speaks it. */
export type NodeHandler = (request: IncomingMessage, response: ServerResponse) => void

/** How far a server is on its way to its end. */
export interface Ending {
  /** Aborts when it begins to close: a connection is kept for no further request. */
  readonly draining: AbortSignal
  /** Aborts when it is done with all but what it still answers: streams of events end. */
  readonly closing: AbortSignal
}

/** What could not be sent: a bug of ours, and no reason to end the process. */
const give = (
  response: ServerResponse,
  reply: HttpReply,
  { draining, closing }: Ending,
  patience: number,
): void => {
  try {
    if (draining.aborted) response.shouldKeepAlive = false
    write(response, reply, { closing, patience })
  } catch (error) {
    reply.failed?.(error)
    response.destroy(error as Error)
  }
}

/** Compiles the listener; `patience` is how long a caller may take nothing of his answer, in ms. */
export const createNodeHandler = (handle: HandleRequest, ending: Ending, patience: number): NodeHandler => {
  setMaxListeners(0, ending.closing)
  return (message, response) => {
    const reply = handle(new NodeRequest(message, response))
    if (reply instanceof Promise) void reply.then((done) => give(response, done, ending, patience))
    else give(response, reply, ending, patience)
  }
}
