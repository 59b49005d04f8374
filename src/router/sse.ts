/** Server-sent events (WHATWG HTML §9.2): one writer for subscriptions and for task events. */
import { onHeartbeat } from './heartbeat.ts'
import { endingBoth } from './leaving.ts'
import { NOSNIFF, type HttpReply } from './http.ts'

/** One event. */
export interface ServerEvent {
  /** Default `message`. */
  readonly event?: string
  readonly id?: string
  /** Sent as JSON. */
  readonly data: unknown
}

const HEADERS = [
  'content-type',
  'text/event-stream',
  'cache-control',
  'no-cache, no-transform',
  'x-accel-buffering',
  'no',
  ...NOSNIFF,
] as const

/** An event as text. JSON has no raw line breaks, so `data` is one line. */
export const formatEvent = ({ event, id, data }: ServerEvent): string =>
  `${event ? `event: ${event}\n` : ''}${id === undefined ? '' : `id: ${id}\n`}data: ${JSON.stringify(data) ?? 'null'}\n\n`

/** Texts of events, with a comment at each heartbeat, whatever else was said. */
async function* withHeartbeat(iterable: AsyncIterable<ServerEvent>): AsyncGenerator<string, void> {
  const events = iterable[Symbol.asyncIterator]()
  yield 'retry: 2000\n\n'
  let hear = (): void => {}
  const leave = onHeartbeat(() => hear())
  let next = events.next()
  try {
    for (;;) {
      const first = await new Promise<IteratorResult<ServerEvent> | 'heartbeat'>((resolve, reject) => {
        hear = () => resolve('heartbeat')
        next.then(resolve, reject)
      })
      if (first === 'heartbeat') {
        yield ': still here\n\n'
        continue
      }
      if (first.done) return
      yield formatEvent(first.value)
      next = events.next()
    }
  } finally {
    leave()
    next.catch(() => undefined)
    void events.return?.(undefined)?.catch(() => undefined)
  }
}

/** A stream of events as an answer. The iterable is ended when the caller hangs up. */
export const eventStreamReply = (events: AsyncIterable<ServerEvent>): HttpReply => ({
  status: 200,
  headers: HEADERS,
  body: endingBoth(withHeartbeat(events), events),
})
