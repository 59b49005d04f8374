/** Hands a request to tRPC's own HTTP code, which is loaded when first needed. */
import type { AnyTRPCRouter } from '@trpc/server'
import { contextOf, type Doors } from './doors.ts'
import { headerList, NOSNIFF, queryOf, type HttpReply, type HttpRequest } from './http.ts'
import { refuseDeep } from './json-text.ts'
import type { Delegate } from './trpc-door.ts'
import { DoorContext } from './trpc-router.ts'

const hasBody = (method: string): boolean => method !== 'GET' && method !== 'HEAD'

/** The JSON of a request's input, as far as there is any. */
const inputText = (request: HttpRequest, body: Uint8Array | undefined): string => {
  if (!body) return new URLSearchParams(queryOf(request.url)).get('input') ?? ''
  return request.header('content-type')?.includes('json') ? Buffer.from(body).toString() : ''
}

// Only the path and query of the URL matter to tRPC; the host is ours to make up.
const toFetchRequest = async (
  request: HttpRequest,
  limit: number,
  bytes: Uint8Array | undefined,
): Promise<Request> => {
  const { method, headers, signal, url } = request
  const init: RequestInit = { method, headers, signal }
  const body = hasBody(method) ? (bytes ?? (await request.body(limit))) : undefined
  if (body) init.body = body as BodyInit
  refuseDeep(inputText(request, body), 'The input')
  return new Request(`http://errand${url}`, init)
}

const toReply = ({ status, headers, body }: Response): HttpReply => {
  // Whether the connection is kept is between the server and the client, who may have asked to close it.
  headers.delete('connection')
  return {
    status,
    headers: [...headerList(headers), ...NOSNIFF],
    body: body as AsyncIterable<Uint8Array> | null,
  }
}

/** Compiles the delegate over a router. */
export const compileDelegate =
  (doors: Doors, router: () => AnyTRPCRouter, endpoint: string): Delegate =>
  async (request, limit, bytes) => {
    const { fetchRequestHandler } = await import('@trpc/server/adapters/fetch')
    const response = await fetchRequestHandler({
      endpoint,
      router: router(),
      req: await toFetchRequest(request, limit, bytes),
      createContext: async () => new DoorContext(await contextOf(doors, request), request),
    })
    return toReply(response)
  }
