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

/** What answers in the server's place, such as a proxy without one, has a status to tell and no JSON to read. */
const fetchJson =
  (send: typeof fetch | undefined): typeof fetch =>
  async (...request) => {
    const response = await (send ?? globalThis.fetch)(...request)
    const type = response.headers.get('content-type')
    if (type?.includes('json')) return response
    void response.body?.cancel()
    const message = `Status ${response.status} with ${type ?? 'nothing'} where JSON was expected: is a proxy in between?`
    throw Object.assign(new Error(message), refusalOf(response))
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
        fetch: fetchJson(fetch),
        maxItems: LARGEST_BATCH,
      } as never),
    }),
  ]
}
