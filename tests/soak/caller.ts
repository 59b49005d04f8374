/** One caller: REST over connections that last, tRPC, and a way to break off in the middle. */
import http from 'node:http'
import { createTRPCClient } from '@trpc/client'
import type { TaskRecord } from 'errand'
import { errandLinks } from 'errand/client'
import type { Random } from '../kill/random.ts'
import { request, type Answer, type RequestOptions } from '../support/http.ts'
import { readEvents, type Sse } from '../support/sse.ts'
import type app from './app.ts'
import type { Ledger } from './ledger.ts'

/** Connections are let go of before the server does that: a request that meets its end would get no answer. */
const createAgent = (): http.Agent => new http.Agent({ keepAlive: true, timeout: 1000 })

export class Caller {
  readonly random: Random
  readonly ledger: Ledger
  readonly trpc
  readonly #url: string
  #agent = createAgent()

  constructor(url: string, random: Random, ledger: Ledger) {
    this.#url = url
    this.random = random
    this.ledger = ledger
    const counting: typeof fetch = (...args) => {
      ledger.requests++
      return fetch(...args)
    }
    this.trpc = createTRPCClient<typeof app.router>({ links: errandLinks({ url, fetch: counting }) })
  }

  send(line: string, json?: unknown, options: RequestOptions = {}): Promise<Answer> {
    this.ledger.requests++
    const [method = '', path = ''] = line.split(' ')
    const body = json === undefined ? {} : { json }
    return request(method, this.#url + path, { agent: this.#agent, ...body, ...options })
  }

  /** What is expected, or a fault. */
  async expecting(statuses: readonly number[], line: string, json?: unknown, options?: RequestOptions) {
    const answer = await this.send(line, json, options)
    this.ledger.expect(statuses.includes(answer.status), () => `${line}: ${answer.status} ${answer.text}`)
    return answer
  }

  async *events(path: string, signal?: AbortSignal): AsyncGenerator<Sse, void> {
    this.ledger.requests++
    const response = await fetch(this.#url + path, signal ? { signal } : {})
    if (response.status !== 200)
      return this.ledger.fault(`${path}: ${response.status} ${await response.text()}`)
    yield* readEvents(response)
  }

  /** Sends a request and goes away while it is under way. */
  async breakOff(line: string, json: unknown, afterMs: number): Promise<void> {
    this.ledger.dropped++
    const signal = AbortSignal.timeout(afterMs)
    // Away from the others: what breaks is a connection.
    await this.send(line, json, { signal, agent: new http.Agent() }).catch(() => undefined)
  }

  /** The record of a task, once it has ended. */
  async ended(id: string): Promise<TaskRecord | undefined> {
    for (;;) {
      const answer = await this.expecting([200], `GET /tasks/${id}?wait=20`)
      if (answer.status !== 200) return undefined
      const record = answer.json as TaskRecord
      if (record.finishedAt !== undefined) return record
    }
  }

  /** Nobody keeps a connection open. */
  rest(): void {
    this.#agent.destroy()
    this.#agent = createAgent()
  }
}
