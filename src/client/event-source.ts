/**
 * The part of an EventSource (WHATWG HTML §9.2) that tRPC uses, over fetch: it exists in every Node and it sends
 * headers, both of which the browser's own one lacks.
 */
import type { HTTPHeaders } from '@trpc/client'
import { patience } from '../protocol/patience.ts'
import { pause } from '../protocol/stop.ts'
import { refusalOf, retryAfter } from './failure.ts'

/** What to send along. */
export interface EventSourceInit {
  readonly headers?: HTTPHeaders | undefined
  readonly fetch?: typeof fetch | undefined
}

const CONNECTING = 0
const CLOSED = 2

/** Why a connection ended: a status where there was an answer, a cause where there was none. */
interface Loss extends Partial<ReturnType<typeof refusalOf>> {
  readonly message?: string
  readonly cause?: unknown
}

const toLoss = (cause: Error): Loss => ({ message: cause.message, cause })

// tRPC writes JSON, which is one line: of a field that comes twice the last will do. JSON may hold line separators
// (U+2028) that a regular expression's `.` and `$` take for the end of a line.
const readBlock = (block: string): Record<string, string> =>
  Object.fromEntries(
    block.split(/\r?\n/).map((line) => {
      const [, name = '', value = ''] = /^(\w+): ?(.*)/s.exec(line) ?? []
      return [name, value]
    }),
  )

const isEventStream = ({ headers }: Response): boolean =>
  !!headers.get('content-type')?.startsWith('text/event-stream')

/** An EventSource over fetch. Reconnects with `Last-Event-ID` until closed or refused; its errors say why. */
export class FetchEventSource extends EventTarget {
  readonly CLOSED = CLOSED
  readyState = CONNECTING
  readonly #abort = new AbortController()
  #lastEventId = ''
  /** Connections in a row that brought nothing. */
  #failures = 0

  constructor(url: string, init: EventSourceInit = {}) {
    super()
    // Its only failure is that it was closed.
    this.#run(url, init).catch(() => undefined)
  }

  close(): void {
    this.readyState = CLOSED
    this.#abort.abort()
  }

  async #run(url: string, init: EventSourceInit): Promise<void> {
    const { signal } = this.#abort
    while (this.readyState !== CLOSED) {
      const loss = await this.#connect(url, init).catch(toLoss)
      // Closed by its owner, who knows.
      signal.throwIfAborted()
      const seconds = retryAfter(loss)
      if (seconds === undefined) this.readyState = CLOSED
      this.dispatchEvent(Object.assign(new Event('error'), loss))
      if (this.readyState !== CLOSED) await pause(patience(this.#failures++, seconds), signal)
    }
  }

  /** Reads one connection to its end. */
  async #connect(url: string, { headers, fetch = globalThis.fetch }: EventSourceInit): Promise<Loss> {
    const { signal } = this.#abort
    const response = await fetch(url, {
      headers: {
        ...(headers as Record<string, string>),
        accept: 'text/event-stream',
        ...(this.#lastEventId && { 'last-event-id': this.#lastEventId }),
      },
      signal,
    })
    if (!response.ok || !response.body || !isEventStream(response)) {
      void response.body?.cancel()
      return { ...refusalOf(response), message: `Status ${response.status}, and no events` }
    }
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      const blocks = (text + read.value).split(/\r?\n\r?\n/)
      text = blocks.pop() as string
      // A listener may close it, and a closed one says nothing more.
      for (const block of blocks) if (!signal.aborted) this.#receive(readBlock(block))
    }
    return {}
  }

  #receive({ event = 'message', data, id }: Record<string, string>): void {
    this.#failures = 0
    if (id) this.#lastEventId = id
    if (data !== undefined)
      this.dispatchEvent(new MessageEvent(event, { data, lastEventId: this.#lastEventId }))
  }
}
