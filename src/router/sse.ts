/** Server-sent events (WHATWG HTML §9.2): one writer for subscriptions and for task events. */
import type { HttpReply } from './http.ts'

/** One event. */
export interface ServerEvent {
  /** Default `message`. */
  readonly event?: string
  readonly id?: string
  /** Sent as JSON. */
  readonly data: unknown
}

/** Milliseconds between comments that keep proxies from closing a quiet stream. */
const HEARTBEAT = 15_000

const HEADERS = [
  'content-type',
  'text/event-stream',
  'cache-control',
  'no-cache, no-transform',
  'x-accel-buffering',
  'no',
] as const

/** An event as text. JSON has no raw line breaks, so `data` is one line. */
export const formatEvent = ({ event, id, data }: ServerEvent): string =>
  `${event ? `event: ${event}\n` : ''}${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(data) ?? 'null'}\n\n`

/** Texts of events, with a comment whenever nothing was said for a while. */
async function* withHeartbeat(events: AsyncIterator<ServerEvent>): AsyncGenerator<string, void> {
  yield 'retry: 2000\n\n'
  let next = events.next()
  try {
    for (;;) {
      const { promise: quiet, resolve } = Promise.withResolvers<'quiet'>()
      const timer = setTimeout(resolve, HEARTBEAT, 'quiet')
      const first = await Promise.race([next, quiet]).finally(() => clearTimeout(timer))
      if (first === 'quiet') {
        yield ': still here\n\n'
        continue
      }
      if (first.done) return
      yield formatEvent(first.value)
      next = events.next()
    }
  } finally {
    next.catch(() => undefined)
    void events.return?.(undefined)?.catch(() => undefined)
  }
}

/** A stream of events as an answer. The iterable is ended when the caller hangs up. */
export const eventStreamReply = (events: AsyncIterable<ServerEvent>): HttpReply => ({
  status: 200,
  headers: HEADERS,
  body: withHeartbeat(events[Symbol.asyncIterator]()),
})
