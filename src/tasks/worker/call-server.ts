/** Serves calls in a worker: one after the other, in the order they came. */
import type { HostRequest, TaskFunction } from '../../procedures/task-call.ts'
import type { Call, Outcome } from '../executor.ts'
import { hasTimeToBegin, isInTime } from './lease.ts'
import {
  fromSentError,
  type AnswerMessage,
  type CallMessage,
  type FromCall,
  type FromWorker,
  type ToWorker,
} from './messages.ts'
import { abortError, runTask, unsendable } from './outcomes.ts'
import type { Outbox } from './outbox.ts'
import { createPacer, type Pacer } from './pacer.ts'

interface Settle {
  resolve(value: unknown): void
  reject(error: Error): void
}

const ASKED_LATE =
  'The handler has ended, so its host no longer answers it. ' +
  'Await tasks.start, and what you ask of its handle, in the handler.'

/** Runs a worker's calls. */
export class CallServer {
  readonly #findTask: (path: string) => TaskFunction | undefined
  readonly #outbox: Outbox<FromWorker>
  readonly #pacer: Pacer = createPacer()
  readonly #asked = new Map<number, Settle>()
  #queue: CallMessage[] = []
  #lastRequest = 0
  #isServing = false
  #current: { readonly id: number; readonly controller: AbortController } | undefined

  constructor(findTask: (path: string) => TaskFunction | undefined, outbox: Outbox<FromWorker>) {
    this.#findTask = findTask
    this.#outbox = outbox
  }

  /** Takes what the host sent. */
  receive(messages: readonly ToWorker[]): void {
    for (const message of messages) this.#take(message)
    if (!this.#isServing) void this.#serve()
  }

  #take(message: ToWorker): void {
    if (message.kind === 'call') this.#queue.push(message)
    else if (message.kind === 'abort') this.#abort(message.id, message.reason)
    else this.#settle(message)
  }

  #abort(id: number, reason: string): void {
    if (this.#current?.id === id) return this.#current.controller.abort(abortError(reason))
    if (!this.#queue.some((call) => call.id === id)) return
    this.#queue = this.#queue.filter((call) => call.id !== id)
    this.#outbox.add({ kind: 'declined', id })
    this.#outbox.flushSoon('microtask')
  }

  #settle(answer: AnswerMessage): void {
    const asked = this.#asked.get(answer.request)
    this.#asked.delete(answer.request)
    if (answer.kind === 'answer') asked?.resolve(answer.value)
    else asked?.reject(fromSentError(answer.error))
  }

  async #serve(): Promise<void> {
    this.#isServing = true
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) await this.#serveOne(next)
    this.#isServing = false
    void this.#outbox.flush()
  }

  async #serveOne({ id, call, until }: CallMessage): Promise<void> {
    const controller = new AbortController()
    this.#current = { id, controller }
    if (await this.#begins(id, until))
      this.#end(id, call.procedure, await this.#run(id, call, controller.signal))
    else this.#outbox.add({ kind: 'declined', id })
    this.#current = undefined
  }

  // Its word leaves before the handler is called, and the last outcome with it: nothing leaves a busy loop.
  async #begins(id: number, until: number | undefined): Promise<boolean> {
    if (!hasTimeToBegin(until)) return false
    this.#outbox.add({ kind: 'started', id })
    await this.#outbox.flush()
    return isInTime(until)
  }

  #run(id: number, call: Call, signal: AbortSignal): Promise<Outcome> {
    return runTask(call.procedure, this.#findTask(call.procedure), {
      input: call.input,
      carried: call.carried,
      attempt: call.attempt,
      taskId: call.taskId,
      trace: call.trace,
      signal,
      progress: (progress) => this.#say({ kind: 'progress', id, progress }),
      log: (log) => this.#say({ kind: 'log', id, log }),
      start: (request) => this.#ask(id, request),
    })
  }

  #end(id: number, path: string, outcome: Outcome): void {
    try {
      this.#outbox.add({ kind: 'outcome', id, outcome })
    } catch (thrown) {
      this.#outbox.add({ kind: 'outcome', id, outcome: unsendable(path, thrown) })
    }
  }

  /** Says something of a running call; after its end nobody listens. */
  #say(message: FromCall): void {
    if (this.#current?.id !== message.id) return
    this.#outbox.add(message)
    if (this.#pacer.isSlow()) void this.#outbox.flush()
    else this.#outbox.flushSoon('turn')
  }

  #ask(id: number, body: HostRequest): Promise<unknown> {
    const request = ++this.#lastRequest
    return new Promise((resolve, reject) => {
      if (this.#current?.id !== id) throw new Error(ASKED_LATE)
      this.#asked.set(request, { resolve, reject })
      this.#say({ kind: 'ask', id, request, body })
    })
  }
}
