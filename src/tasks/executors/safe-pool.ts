/**
 * Tinypool, with what it lacks: it sees neither a thread that calls `process.exit()` nor a run whose worker
 * died before it took it, says nothing of how a process died, and may not come back from `destroy()`. One run
 * here is one worker's whole life.
 */
import { Tinypool, type Options, type TinypoolWorker } from 'tinypool'
import { inWords, toSentError } from '../worker/messages.ts'

/** Options of one run, which Tinypool does not name. */
export type RunOptions = NonNullable<Parameters<Tinypool['run']>[1]>

/** One worker, from its start to its death. */
export interface Life {
  /** Resolves once with why it ended, in words. Never rejects. */
  readonly ended: Promise<string>
  /** Ends the worker now. Idempotent. */
  end(): void
}

/** What is known of a worker's death beyond the error that Tinypool gives. */
interface Death {
  exit?: string
  /** Resolves when it has exited, and all that it sent as a process was read. */
  readonly isOver: Promise<unknown>
}

interface Run extends Life {
  /** Ends a run that has no worker. */
  fail(reason: string): void
}

/** Milliseconds that `close` waits for workers to die. */
const CLOSE_LIMIT = 5000
/** Milliseconds that a dying process's last messages may take. */
const LAST_WORDS_LIMIT = 1000

const settledWithin = async (ms: number, promise: Promise<unknown>): Promise<void> => {
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<void>((resolve) => (timer = setTimeout(resolve, ms)))
  await Promise.race([promise, limit])
  clearTimeout(timer)
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

const inWordsOfError = (error: unknown): string =>
  isObject(error) && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY'
    ? 'it was out of memory'
    : `uncaught ${inWords(toSentError(error))}`

const inWordsOfExit = (code: number | null, signal: unknown): string => {
  if (signal === 'SIGABRT') return 'it was ended by SIGABRT: it was out of memory, or called process.abort()'
  return typeof signal === 'string' ? `it was ended by ${signal}` : `it exited with code ${code}`
}

/** A thread ended of itself. */
class ThreadExit extends Error {}

/** A pool of workers that each live for one run. */
export class SafePool {
  readonly #pool: Tinypool
  /** Oldest first. */
  readonly #runs = new Set<Run>()
  readonly #exits = new Map<TinypoolWorker, Promise<void>>()
  readonly #deaths = new WeakMap<object, Death>()

  constructor(options: Options) {
    this.#pool = new Tinypool({ ...options, minThreads: 0, concurrentTasksPerWorker: 1, useAtomics: false })
    // In a later turn, as Tinypool says it before it has told those who listen to the worker.
    this.#pool.on('error', (error: unknown) => {
      setImmediate(() => void this.#failRunWithoutWorker(error))
    })
  }

  /** Starts a worker with this job. */
  start(job: unknown, options: RunOptions): Life {
    const controller = new AbortController()
    let failure: string | undefined
    const fail = (reason: string): void => {
      failure = reason
      controller.abort()
    }
    const ended = this.#run(job, { ...options, signal: controller.signal }).then(
      (reason) => failure ?? reason,
    )
    const run: Run = { ended, fail, end: () => controller.abort() }
    this.#runs.add(run)
    void ended.then(() => this.#runs.delete(run))
    return run
  }

  async #run(job: unknown, options: RunOptions): Promise<string> {
    try {
      const run = this.#pool.run(job, options)
      for (const worker of this.#pool.threads) if (!this.#exits.has(worker)) this.#watch(worker)
      await run
      // Tinypool takes an uncaught `throw null` for a success.
      return 'uncaught null'
    } catch (error) {
      return this.#reason(error)
    }
  }

  #watch(worker: TinypoolWorker): void {
    const exit = new Promise<void>((resolve) => worker.once('exit', resolve))
    const silence = new Promise((resolve) => worker.once('disconnect', resolve))
    const death: Death = { isOver: Promise.all([exit, silence]) }
    this.#exits.set(worker, exit)
    worker.on('error', (error: unknown) => isObject(error) && this.#deaths.set(error, death))
    worker.once('exit', (code: number | null, signal: unknown) => {
      death.exit = inWordsOfExit(code, signal)
      this.#exits.delete(worker)
      if (this.#pool.threads.includes(worker)) worker.emit('error', new ThreadExit(death.exit))
    })
  }

  async #reason(error: unknown): Promise<string> {
    if (error instanceof ThreadExit) return error.message
    const death = isObject(error) ? this.#deaths.get(error) : undefined
    if (!death || this.#pool.options.runtime !== 'child_process') return inWordsOfError(error)
    await settledWithin(LAST_WORDS_LIMIT, death.isOver)
    return death.exit ?? inWordsOfError(error)
  }

  // Tinypool's queue is first in, first out: if a run is without a worker, the last one is.
  async #failRunWithoutWorker(error: unknown): Promise<void> {
    if (this.#pool.queueSize > 0) [...this.#runs].at(-1)?.fail(await this.#reason(error))
  }

  /** Ends all workers. Comes back within five seconds, whatever they do. */
  async close(): Promise<void> {
    for (const run of this.#runs) run.end()
    const exits = [...this.#exits.values()]
    await settledWithin(CLOSE_LIMIT, Promise.allSettled([...exits, this.#pool.destroy()]))
  }
}
