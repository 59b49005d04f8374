/** How a streamed body is read, whatever it is: a web stream, a Node stream, a generator. */
import type { ReplyBody } from './http.ts'

type Piece = Uint8Array | string

/** A streamed body. */
export type BodyStream = AsyncIterable<Piece>

/** A body being read. */
export interface BodySource {
  next(): Promise<IteratorResult<Piece, unknown> | ReadableStreamReadResult<Piece>>
  /** Lets go of what is left, also while a `next` is under way. */
  stop(): void
}

/** Whether a body comes piece by piece. */
export const isStreamed = (body: ReplyBody): body is BodyStream =>
  body !== null && typeof body !== 'string' && !(body instanceof Uint8Array)

const ignore = (): undefined => undefined

// Leaving a stream's own iterator waits for the piece under way, which may never come: streams are stopped by name.
const fromWebStream = (stream: ReadableStream<Piece>): BodySource => {
  const reader = stream.getReader()
  return { next: () => reader.read(), stop: () => void reader.cancel().catch(ignore) }
}

/** Begins to read a body. */
export const readBody = (body: BodyStream): BodySource => {
  if (body instanceof ReadableStream) return fromWebStream(body)
  const iterator = body[Symbol.asyncIterator]()
  return {
    next: () => iterator.next(),
    stop: () => {
      ;(body as { destroy?: () => void }).destroy?.()
      void iterator.return?.()?.then(ignore, ignore)
    },
  }
}
