/** The Fetch API: a `Request` in, a `Response` out. For Hono, Next, tests and anything else that speaks it. */
import type { HandleRequest } from '../router/handle-request.ts'
import { compressed, HttpRequest, hungUp, tooLarge, type HttpReply } from '../router/http.ts'
import { isStreamed, readBody, type BodyStream } from '../router/reply-body.ts'

class FetchRequest extends HttpRequest {
  readonly method: string
  readonly url: string
  protected readonly peerAddress = undefined
  readonly #request: Request
  #cancelled: AbortController | undefined

  constructor(request: Request) {
    super()
    const { pathname, search } = new URL(request.url)
    this.method = request.method
    this.url = pathname + search
    this.#request = request
  }

  header(name: string): string | undefined {
    return this.#request.headers.get(name) ?? undefined
  }

  async body(limit: number): Promise<Uint8Array> {
    const refused = this.#request.body && compressed(this.header('content-encoding'))
    if (refused) throw refused
    const chunks: Uint8Array[] = []
    let size = 0
    try {
      for await (const chunk of this.#request.body ?? []) {
        size += chunk.length
        if (size > limit) break
        chunks.push(chunk)
      }
    } catch {
      throw hungUp()
    }
    if (size > limit) throw tooLarge(limit)
    return Buffer.concat(chunks)
  }

  protected makeHeaders(): Headers {
    return this.#request.headers
  }

  /** The answer was cancelled by who read it: all that some hosts say of a caller who is gone. */
  cancel(): void {
    this.#cancelled?.abort(hungUp())
  }

  protected makeSignal(): AbortSignal {
    this.#cancelled = new AbortController()
    return AbortSignal.any([this.#request.signal, this.#cancelled.signal])
  }
}

const toHeaders = (list: readonly string[]): Headers => {
  const headers = new Headers()
  for (let at = 0; at < list.length; at += 2) headers.append(list[at] as string, list[at + 1] as string)
  return headers
}

const encoder = new TextEncoder()

const toStream = (
  body: BodyStream,
  request: FetchRequest,
  failed: HttpReply['failed'],
): ReadableStream<Uint8Array> => {
  const source = readBody(body)
  const pull = async (controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> => {
    try {
      const { done, value } = await source.next()
      if (done) controller.close()
      else controller.enqueue(typeof value === 'string' ? encoder.encode(value) : value)
    } catch (error) {
      failed?.(error)
      throw error
    }
  }
  const cancel = (): void => {
    request.cancel()
    source.stop()
  }
  return new ReadableStream({ pull, cancel }, { highWaterMark: 0 })
}

const toResponse = (request: FetchRequest, { status, headers, body, failed }: HttpReply): Response =>
  new Response(isStreamed(body) ? toStream(body, request, failed) : (body as BodyInit | null), {
    status,
    headers: toHeaders(headers),
  })

/** Answers Fetch requests. Never rejects. */
export type FetchHandler = (request: Request) => Promise<Response>

/** Compiles the handler. */
export const createFetchHandler =
  (handle: HandleRequest): FetchHandler =>
  async (fetched) => {
    const request = new FetchRequest(fetched)
    return toResponse(request, await handle(request))
  }
