/** A caller of the app over HTTP, as thin as can be: what is checked is what it was told. */
import type { TaskRecord } from 'errand'
import { readEvents, type Sse } from '../support/sse.ts'

/** An answer, read to its end. */
export interface Told {
  readonly status: number
  /** Where the task is that was waited for. */
  readonly contentLocation: string | null
  readonly text: string
  /** A record, where the answer is one. */
  readonly record: TaskRecord
}

/** Talks to one host until the signal aborts. Every call rejects when the host is gone. */
export class Client {
  readonly #url: string
  readonly #over: AbortSignal

  constructor(url: string, over: AbortSignal) {
    this.#url = url
    this.#over = over
  }

  /** `within` is how many milliseconds an answer may take: a `TimeoutError` otherwise. */
  async send(
    method: string,
    path: string,
    input?: unknown,
    headers: Record<string, string> = {},
    within?: number,
  ): Promise<Told> {
    const response = await fetch(this.#url + path, {
      method,
      headers: { ...(input === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
      signal: within === undefined ? this.#over : AbortSignal.any([this.#over, AbortSignal.timeout(within)]),
      ...(input === undefined ? {} : { body: JSON.stringify(input) }),
    })
    const text = await response.text()
    const { status } = response
    return {
      status,
      text,
      contentLocation: response.headers.get('content-location'),
      get record() {
        return JSON.parse(text) as TaskRecord
      },
    }
  }

  /** The events of a task, from after the last that was seen. */
  async *watch(id: string, lastEventId: string | undefined): AsyncGenerator<Sse, void> {
    const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId }
    const response = await fetch(`${this.#url}/tasks/${id}/events`, { headers, signal: this.#over })
    if (response.status === 204 || response.status === 503) return
    if (response.status !== 200)
      throw new Error(`Events of ${id}: ${response.status} ${await response.text()}`)
    yield* readEvents(response)
  }

  /** All records, newest first. */
  async *list(query = ''): AsyncGenerator<TaskRecord, void> {
    for (let cursor: string | undefined = ''; cursor !== undefined;) {
      const more: string = cursor === '' ? '' : `&cursor=${cursor}`
      const { status, text } = await this.send('GET', `/tasks?limit=200${query}${more}`)
      if (status !== 200) throw new Error(`GET /tasks answered ${status}: ${text}`)
      const page = JSON.parse(text) as { items: TaskRecord[]; nextCursor?: string }
      yield* page.items
      cursor = page.nextCursor
    }
  }
}
