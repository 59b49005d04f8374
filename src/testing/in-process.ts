/** Calls an app as over a network, without one. */
import { createTRPCClient, type TRPCClient } from '@trpc/client'
import type { App, AppRouter } from '../index.ts'
import { errandLinks } from '../client/links.ts'
import type { Pulse } from './pulse.ts'

/** Where the app seems to be. */
export const ORIGIN = 'http://app.test'

/** What a request is made with: as for `fetch`, and `json` for a body, which makes it a POST. */
export interface RequestOptions extends RequestInit {
  readonly json?: unknown
}

/** Whoever calls the app. */
export interface TestClient<TTree, TContext> {
  /** A plain `@trpc/client`, typed by the app; subscriptions and `startTask` work too. */
  readonly trpc: TRPCClient<AppRouter<TTree, TContext>>
  /**
   * Asks for a path of the app.
   *
   * @example await app.request('/add', { json: { a: 1, b: 2 } })
   */
  request(path: string, options?: RequestOptions): Promise<Response>
  /** `fetch` that reaches nothing but the app: for generated clients. Paths are below `http://app.test`. */
  readonly fetch: typeof globalThis.fetch
}

/** What a client is made with. */
export interface ClientParts {
  readonly handle: App['fetch']
  readonly prefix: string
  /** Headers of every request. */
  readonly sent: Readonly<Record<string, string>>
  readonly pulse: Pulse
}

const orAborted = <T>(work: Promise<T>, signal: AbortSignal): Promise<T> =>
  new Promise((resolve, reject) => {
    const stop = (): void => reject(signal.reason)
    if (signal.aborted) stop()
    signal.addEventListener('abort', stop, { once: true })
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop))
  })

// A caller that hangs up hears no more, as on a socket.
const cutOff = (response: Response, signal: AbortSignal): Response =>
  response.body
    ? new Response(response.body.pipeThrough(new TransformStream(), { signal }), response)
    : response

let requests = 0

const createFetch =
  ({ handle, sent, pulse }: ClientParts): typeof globalThis.fetch =>
  async (input, init) => {
    const request = new Request(input, init)
    const name = `request ${requests++}`
    for (const [header, value] of Object.entries(sent)) request.headers.set(header, value)
    pulse.runs(name)
    try {
      return cutOff(await orAborted(handle(request), request.signal), request.signal)
    } finally {
      pulse.rests(name)
    }
  }

const toInit = ({ json, ...init }: RequestOptions): RequestInit => {
  if (json === undefined) return init
  const headers = new Headers(init.headers)
  if (!headers.has('content-type')) headers.set('content-type', 'application/json')
  return { method: 'POST', ...init, headers, body: JSON.stringify(json) }
}

/** A client of an app. */
export const createTestClient = <TTree, TContext>(parts: ClientParts): TestClient<TTree, TContext> => {
  const { prefix } = parts
  const fetch = createFetch(parts)
  return {
    // The router's type is not known in here, only what it is called with.
    trpc: createTRPCClient({ links: errandLinks({ url: ORIGIN + prefix, fetch }) as never }) as never,
    request: (path, options = {}) => fetch(new URL(path, ORIGIN), toInit(options)),
    fetch,
  }
}
