/** What never became a request, for Node's parser refused it or gave up waiting: it is answered as everything else is. */
import { STATUS_CODES, type Server, type ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Limits } from '../config/limits.ts'
import { errorData, type ErrorCode, type ErrorData } from '../protocol/errors.ts'
import { longUrlText } from '../router/gate.ts'
import { problemReply } from '../router/problem.ts'

interface ParserError extends NodeJS.ErrnoException {
  /** The bytes it stopped at. */
  readonly rawPacket?: Buffer
}

const because = (status: number, code: ErrorCode, message: string): ErrorData => ({
  ...errorData(code, message),
  status,
})

// What of the head is too large: the request line comes first, and in the first packet.
const headOverflow = (limits: Limits, { rawPacket }: ParserError): ErrorData => {
  const line = rawPacket?.indexOf('\n') ?? 0
  return line < 0 || line > limits.url
    ? because(414, 'BAD_REQUEST', longUrlText(limits.url))
    : because(431, 'BAD_REQUEST', `The headers are larger than the ${limits.headerSize} bytes allowed here`)
}

const errorOf = (limits: Limits, error: ParserError): ErrorData => {
  switch (error.code) {
    case 'HPE_HEADER_OVERFLOW':
      return headOverflow(limits, error)
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return because(413, 'PAYLOAD_TOO_LARGE', 'The chunk extensions are too large')
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return because(408, 'TIMEOUT', 'The request took too long to come')
    default:
      return because(400, 'BAD_REQUEST', 'This is not a valid HTTP/1.1 request')
  }
}

const toText = (error: ErrorData): string => {
  // Nobody knows what it was for, not even at which door: Node tells only the packet it stopped at. A head that is too large
  // comes in several, and what a packet begins with may as well be the end of the body before. An answer in the shape of
  // tRPC for some would depend on how a network cuts packets; whoever waits for that shape has the status.
  const { status, headers, body } = problemReply(error, '')
  const list = [
    ...headers,
    'content-length',
    String(Buffer.byteLength(body as string)),
    'connection',
    'close',
  ]
  const lines = list.flatMap((name, at) => (at % 2 === 0 ? [`${name}: ${list[at + 1]}\r\n`] : []))
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body as string}`
}

/** The answer under way on a connection: nothing may be written into one that has begun. */
const answerOn = (socket: Socket): ServerResponse | undefined =>
  (socket as { _httpMessage?: ServerResponse | null })._httpMessage ?? undefined

/** Answers on a server what its parser can't make a request of, and ends the connection. */
export const answerBrokenRequests = (server: Server, limits: Limits): void => {
  server.on('clientError', (error: ParserError, stream) => {
    const socket = stream as Socket
    if (socket.writable && !answerOn(socket)?.headersSent) socket.write(toText(errorOf(limits, error)))
    socket.destroy()
  })
}
