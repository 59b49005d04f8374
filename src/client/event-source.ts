/**
 * The part of an EventSource (WHATWG HTML §9.2) that tRPC uses, over fetch: it exists in every Node and it sends
 * headers, both of which the browser's own one lacks.
 */
import type { HTTPHeaders } from '@trpc/client'

/** What to send along. */
export interface EventSourceInit {
  readonly headers?: HTTPHeaders | undefined
  readonly fetch?: typeof fetch | undefined
}

const CONNECTING = 0
const CLOSED = 2
/** Milliseconds before it connects again. */
const PAUSE = 1000

// tRPC writes JSON, which is one line: of a field that comes twice the last will do.
const readBlock = (block: string): Record<string, string> =>
  Object.fromEntries(Array.from(block.matchAll(/^(\w+): ?(.*)/gm), ([, name, value]) => [name, value]))

/** An EventSource over fetch. Reconnects with `Last-Event-ID` until closed or refused. */
export class FetchEventSource extends EventTarget {
  readonly CLOSED = CLOSED
  readyState = CONNECTING
  readonly #abort = new AbortController()
  #lastEventId = ''

  constructor(url: string, init: EventSourceInit = {}) {
    super()
    void this.#run(url, init)
  }

  close(): void {
    this.readyState = CLOSED
    this.#abort.abort()
  }

  async #run(url: string, init: EventSourceInit): Promise<void> {
    while (this.readyState !== CLOSED) {
      const refused = await this.#connect(url, init).catch(() => false)
      // Closed by its owner, who knows.
      if (this.#abort.signal.aborted) return
      if (refused) this.readyState = CLOSED
      this.dispatchEvent(new Event('error'))
      if (!refused) await new Promise((resolve) => setTimeout(resolve, PAUSE))
    }
  }

  /** Reads one connection to its end; true when the server refuses, so that asking again makes no sense. */
  async #connect(url: string, { headers, fetch = globalThis.fetch }: EventSourceInit): Promise<boolean> {
    const { signal } = this.#abort
    const response = await fetch(url, {
      headers: {
        ...(headers as Record<string, string>),
        accept: 'text/event-stream',
        ...(this.#lastEventId && { 'last-event-id': this.#lastEventId }),
      },
      signal,
    })
    if (!response.ok || response.status === 204 || !response.body) return response.status < 500
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      const blocks = (text + read.value).split(/\r?\n\r?\n/)
      text = blocks.pop() as string
      // A listener may close it, and a closed one says nothing more.
      for (const block of blocks) if (!signal.aborted) this.#receive(readBlock(block))
    }
    return false
  }

  #receive({ event = 'message', data, id }: Record<string, string>): void {
    if (id) this.#lastEventId = id
    if (data !== undefined)
      this.dispatchEvent(new MessageEvent(event, { data, lastEventId: this.#lastEventId }))
  }
}
