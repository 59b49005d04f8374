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

/** Where the server is and what to send along. */
export interface ErrandLinksOptions {
  /** The server's address, with the prefix if it has one; `/trpc` is added. */
  readonly url: string
  /** Sent with every call and subscription; a function is asked each time. */
  readonly headers?: HTTPHeaders | (() => HTTPHeaders | Promise<HTTPHeaders>)
  /** Default the global one. */
  readonly fetch?: typeof fetch
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
      false: httpBatchStreamLink({ ...endpoint, headers, fetch } as never),
    }),
  ]
}
