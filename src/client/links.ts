/** The links of a tRPC client that speaks to Errand: batched, streamed calls and SSE subscriptions, in Node too. */
import {
  httpBatchStreamLink,
  httpSubscriptionLink,
  splitLink,
  type HTTPHeaders,
  type TRPCLink,
} from '@trpc/client'
import type { AnyTRPCRouter } from '@trpc/server'
import { FetchEventSource, type EventSourceInit } from './event-source.ts'
import { refusalOf } from './failure.ts'

/** Where the server is and what to send along. */
export interface ErrandLinksOptions {
  /** The server's address, with the prefix if it has one; `/trpc` is added. */
  readonly url: string
  /** Sent with every call and subscription; a function is asked each time. */
  readonly headers?: HTTPHeaders | (() => HTTPHeaders | Promise<HTTPHeaders>)
  /** Default the global one. */
  readonly fetch?: typeof fetch
}

/** Calls in one request: a URL with hundreds of reads is longer than servers and proxies take, which is often 8 KiB. */
const LARGEST_BATCH = 48

/** An error as tRPC writes it has a number of JSON-RPC's. */
const TRPC_ERROR = /"code":-32\d{3}\b/

/** What answers in the server's place, such as a proxy without one, says nothing that tRPC could read: only a status. */
const fetchTrpc =
  (send: typeof fetch | undefined): typeof fetch =>
  async (...request) => {
    const response = await (send ?? globalThis.fetch)(...request)
    const isJson = response.headers.get('content-type')?.includes('json')
    if (isJson && response.ok) return response
    const text = await response.text()
    if (isJson && TRPC_ERROR.test(text)) return new Response(text, response)
    throw Object.assign(
      new Error(`Status ${response.status}, and no tRPC: who answered?`),
      refusalOf(response),
    )
  }

/** Links for `createTRPCClient`. */
export const errandLinks = <TRouter extends AnyTRPCRouter>(
  options: ErrandLinksOptions,
): TRPCLink<TRouter>[] => {
  const { url, headers = {}, fetch } = options
  const endpoint = { url: `${url.replace(/\/$/, '')}/trpc` }
  const eventSourceOptions = async (): Promise<EventSourceInit> => ({
    headers: typeof headers === 'function' ? await headers() : headers,
    fetch,
  })
  // tRPC asks for a transformer where a router has one; an Errand router never has.
  return [
    splitLink({
      condition: ({ type }) => type === 'subscription',
      true: httpSubscriptionLink({ ...endpoint, EventSource: FetchEventSource, eventSourceOptions } as never),
      false: httpBatchStreamLink({
        ...endpoint,
        headers,
        fetch: fetchTrpc(fetch),
        maxItems: LARGEST_BATCH,
      } as never),
    }),
  ]
}
