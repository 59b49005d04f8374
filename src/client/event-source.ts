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

type Listener = (event: Event) => void

const CONNECTING = 0
const OPEN = 1
const CLOSED = 2

/** Reads one block of lines: fields by name, `data` lines joined. */
const readBlock = (block: string): Record<string, string> => {
  const fields: Record<string, string> = {}
  for (const line of block.split('\n')) {
    const at = line.indexOf(':')
    const name = line.slice(0, at)
    const value = line.slice(at + 1).replace(/^ /, '')
    if (at > 0) fields[name] = name === 'data' && 'data' in fields ? `${fields['data']}\n${value}` : value
  }
  return fields
}

/** An EventSource over fetch. Reconnects with `Last-Event-ID` until closed or refused. */
export class FetchEventSource {
  readonly CLOSED = CLOSED
  readyState = CONNECTING
  readonly #listeners = new Map<string, Set<Listener>>()
  readonly #abort = new AbortController()
  #lastEventId = ''
  #retry = 1000

  constructor(url: string, init: EventSourceInit = {}) {
    void this.#run(url, init)
  }

  addEventListener(type: string, listener: Listener): void {
    this.#listeners.set(type, (this.#listeners.get(type) ?? new Set()).add(listener))
  }

  removeEventListener(type: string, listener: Listener): void {
    this.#listeners.get(type)?.delete(listener)
  }

  close(): void {
    this.readyState = CLOSED
    this.#abort.abort()
  }

  async #run(url: string, init: EventSourceInit): Promise<void> {
    while (this.readyState !== CLOSED) {
      const refused = await this.#connect(url, init).catch(() => false)
      if ((this.readyState as number) === CLOSED) return
      this.readyState = refused ? CLOSED : CONNECTING
      this.#emit('error', new Event('error'))
      if (!refused) await new Promise((resolve) => setTimeout(resolve, this.#retry))
    }
  }

  /** Reads one connection to its end; true when the server refuses, so that asking again makes no sense. */
  async #connect(url: string, { headers, fetch = globalThis.fetch }: EventSourceInit): Promise<boolean> {
    const response = await fetch(url, {
      headers: {
        ...(headers as Record<string, string>),
        accept: 'text/event-stream',
        ...(this.#lastEventId ? { 'last-event-id': this.#lastEventId } : {}),
      },
      signal: this.#abort.signal,
    })
    if (!response.ok || response.status === 204 || !response.body) return response.status < 500
    this.readyState = OPEN
    this.#emit('open', new Event('open'))
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      const blocks = (text + read.value).replaceAll('\r', '').split('\n\n')
      text = blocks.pop() as string
      for (const block of blocks) this.#receive(readBlock(block))
    }
    return false
  }

  #receive({ event = 'message', data, id, retry }: Record<string, string>): void {
    if (retry) this.#retry = Number(retry)
    if (id) this.#lastEventId = id
    if (data !== undefined) this.#emit(event, new MessageEvent(event, { data, lastEventId: this.#lastEventId }))
  }

  #emit(type: string, event: Event): void {
    for (const listener of this.#listeners.get(type) ?? []) listener(event)
  }
}
