/** What a procedure returned, as a REST answer: JSON, nothing, or bytes. */
import { inspectSchema } from '../procedures/inspect.ts'
import type { Definition } from '../procedures/procedure.ts'
import { streamContentType } from '../procedures/stream.ts'
import { isVoid } from './entries.ts'
import { emptyReply, headerList, NOSNIFF, type HttpReply } from './http.ts'

/** Turns a call's value into an answer. */
export type Respond = (value: unknown) => HttpReply

const JSON_HEADERS: readonly string[] = ['content-type', 'application/json', ...NOSNIFF]

const fileHeaders = (blob: Blob, fallback: string): string[] => {
  const headers = ['content-type', blob.type || fallback, 'content-length', String(blob.size), ...NOSNIFF]
  if (!(blob instanceof File)) return headers
  return [...headers, 'content-disposition', `attachment; filename*=UTF-8''${encodeURIComponent(blob.name)}`]
}

const isAsyncIterable = (value: unknown): value is AsyncIterable<Uint8Array> =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value

const responseReply = (response: Response): HttpReply => {
  if (response.status < 200)
    throw new TypeError(`A handler returned a Response of type ${response.type}, which has no status to send`)
  const { status, headers, body } = response
  const sniffed = headers.has(NOSNIFF[0]) ? [] : NOSNIFF
  return {
    status,
    headers: [...headerList(headers), ...sniffed],
    body: body as AsyncIterable<Uint8Array> | null,
  }
}

/** Bytes in any of the forms a handler may return them. */
const bytesReply = (value: unknown, status: number, contentType: string): HttpReply => {
  if (value instanceof Response) return responseReply(value)
  if (value instanceof Blob)
    return {
      status,
      headers: fileHeaders(value, contentType),
      body: value.stream() as AsyncIterable<Uint8Array>,
    }
  if (typeof value === 'string' || value instanceof Uint8Array || isAsyncIterable(value))
    return { status, headers: ['content-type', contentType, ...NOSNIFF], body: value }
  throw new TypeError(
    `A stream() output was ${typeof value}, expected a stream, async iterable, Blob, Response, bytes or text`,
  )
}

/** Compiles the answer of a procedure. */
export const compileRespond = (definition: Definition): Respond => {
  const { output, meta } = definition
  const contentType = streamContentType(output)
  if (contentType || inspectSchema(output, 'output').file)
    return (value) => bytesReply(value, meta.rest?.status ?? 200, contentType ?? 'application/octet-stream')
  if (isVoid(output)) return () => emptyReply(meta.rest?.status ?? 204)
  const status = meta.rest?.status ?? 200
  // A call that was started as JSON and has no value is one whose procedure is foreign and undeclared.
  return (value) =>
    value === undefined ? emptyReply(204) : { status, headers: JSON_HEADERS, body: JSON.stringify(value) }
}
