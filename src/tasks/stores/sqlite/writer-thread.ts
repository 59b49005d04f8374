/** A writer in a thread of its own: while the disk takes its time, the event loop goes on. */
import { Worker } from 'node:worker_threads'
import { isSource } from '../../executors/exec-argv.ts'
import type { Write, WriteResult } from '../group-commit.ts'
import { fromAnswer, type Answer, type Order } from './writer-messages.ts'
import type { Writer } from './writer.ts'

const ENTRY = new URL(isSource ? './writer-entry.ts' : './writer-entry.js', import.meta.url)

/** Nothing of the host's is loaded into the thread, and it prints nothing about SQLite a second time. */
const OPTIONS = { name: 'errand store', execArgv: ['--disable-warning=ExperimentalWarning'], env: {} }

/** Starts a thread that writes to a store, of which there must be no other writer. */
export const openWriterThread = async (path: string): Promise<Writer> => {
  const writer = new WriterThread(path)
  await writer.open()
  return writer
}

/** Starts its thread again when it died. The commit that it was busy with failed. */
class WriterThread implements Writer {
  readonly #path: string
  #thread: Thread | undefined

  constructor(path: string) {
    this.#path = path
  }

  async open(): Promise<Thread> {
    const thread = new Thread(this.#path, () => (this.#thread = undefined))
    fromAnswer(await thread.opened)
    return (this.#thread = thread)
  }

  async commit(writes: readonly Write[]): Promise<readonly WriteResult[]> {
    const thread = this.#thread ?? (await this.open())
    return fromAnswer(await thread.ask(writes))
  }

  async close(): Promise<void> {
    if (this.#thread) fromAnswer(await this.#thread.ask('close'))
  }
}

/** One started thread, asked one thing at a time. It keeps the process alive only while it is. */
class Thread {
  readonly opened: Promise<Answer>
  readonly #worker: Worker
  #waiting = Promise.withResolvers<Answer>()

  constructor(path: string, gone: () => void) {
    this.opened = this.#waiting.promise
    this.#worker = new Worker(ENTRY, { ...OPTIONS, workerData: path })
    let reason = 'it ended without a reason'
    this.#worker.on('message', (answer: Answer) => {
      this.#worker.unref()
      this.#waiting.resolve(answer)
    })
    this.#worker.on('error', (error) => (reason = String(error)))
    this.#worker.on('exit', () => {
      gone()
      this.#waiting.reject(new Error(`The thread that writes to the task store is gone: ${reason}`))
    })
  }

  ask(order: Order): Promise<Answer> {
    this.#waiting = Promise.withResolvers()
    this.#worker.ref()
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker is no window
    this.#worker.postMessage(order)
    return this.#waiting.promise
  }
}
