/** HTTP by node:http, so that a path, a header and a body go out exactly as a test wrote them. */
import http from 'node:http'

/** What to send. */
export interface RequestOptions {
  readonly headers?: Readonly<Record<string, string | string[]>>
  /** Sent as JSON with its content type. */
  readonly json?: unknown
  /** Sent as it is. A list is sent chunked, piece by piece. */
  readonly body?: string | Uint8Array | readonly (string | Uint8Array)[]
  readonly signal?: AbortSignal
  /** Whose connections to use; default: one for each request. */
  readonly agent?: http.Agent
}

/** What came back, read to its end. */
export interface Answer {
  readonly status: number
  readonly headers: http.IncomingHttpHeaders
  readonly bytes: Buffer
  readonly text: string
  /** The body parsed as JSON; undefined for an empty one. */
  readonly json: unknown
  /** The media type without its parameters. */
  readonly type: string | undefined
}

/** A problem, read loosely: tests say what they expect of it. */
export interface ProblemBody {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly code: string
  readonly detail: string
  readonly instance: string
  readonly issues?: readonly {
    readonly path: readonly (string | number)[]
    readonly message: string
    readonly code?: string
  }[]
  readonly data?: unknown
}

/** The body of an error answer. */
export const problemOf = (answer: Answer): ProblemBody => answer.json as ProblemBody

const toAnswer = (response: http.IncomingMessage, chunks: readonly Buffer[]): Answer => {
  const bytes = Buffer.concat(chunks)
  const text = bytes.toString()
  return {
    status: response.statusCode as number,
    headers: response.headers,
    bytes,
    text,
    get json() {
      return text === '' ? undefined : (JSON.parse(text) as unknown)
    },
    type: response.headers['content-type']?.split(';')[0],
  }
}

const isList = (body: RequestOptions['body']): body is readonly (string | Uint8Array)[] => Array.isArray(body)

const write = (request: http.ClientRequest, body: RequestOptions['body']): void => {
  if (isList(body)) for (const piece of body) request.write(piece)
  request.end(isList(body) ? undefined : body)
}

const headersOf = ({ headers = {}, json, body }: RequestOptions): http.OutgoingHttpHeaders => ({
  ...(json === undefined ? {} : { 'content-type': 'application/json' }),
  ...(typeof body === 'string' || body instanceof Uint8Array
    ? { 'content-length': Buffer.byteLength(body) }
    : {}),
  ...headers,
})

const oneEach = new http.Agent({ keepAlive: false })

/** One request, and its answer read to the end. An answer that comes before the body is written counts. */
export const request = (method: string, url: string, options: RequestOptions = {}): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const { pathname, port, hostname } = new URL(url)
    const path = url.slice(url.indexOf('/', 'http://'.length)) || pathname
    const body = options.json === undefined ? options.body : JSON.stringify(options.json)
    const headers = headersOf({ ...options, ...(body === undefined ? {} : { body }) })
    const { agent = oneEach } = options
    const signal = options.signal ? { signal: options.signal } : {}
    const sent = http.request({ method, path, port, hostname, headers, agent, ...signal }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.once('end', () => resolve(toAnswer(response, chunks)))
      response.once('error', reject)
    })
    sent.once('error', reject)
    write(sent, body)
  })
