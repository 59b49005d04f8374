/** What differs between a worker that is a thread and one that is a process. */
import type { Options } from 'tinypool'
import type { Job } from '../worker/messages.ts'
import type { RunOptions } from './safe-pool.ts'

/** Options of both pools. */
export interface WorkerOptions {
  /** URL of the module that makes the app: `import.meta.url` of the file that calls `createApp`. */
  readonly module: string
  /** How many workers there may be. They are made on demand. */
  readonly workers: number
  /** Added to the host's environment as it is when the executor is made. */
  readonly env?: Readonly<Record<string, string>>
  /** Heap of a worker in MiB; one that needs more dies. Default: Node's. */
  readonly memoryLimit?: number
  /** Node options of the workers, added to the host's. */
  readonly execArgv?: readonly string[]
  /** Milliseconds a worker may take to import the module. Default 60,000. */
  readonly startTimeout?: number
  /** Something went wrong that no call can be told. Default: to stderr. */
  readonly report?: (message: string) => void
}

/** The host's end of the line to one worker. */
export interface Link {
  /** What the worker is to have for its own end. */
  readonly job: Pick<Job, 'port'>
  readonly runOptions: RunOptions
  post(batch: string): void
  listen(receive: (batch: string) => void): void
  /** Delivers all that had arrived when it was called: at once where that can be done, else within a turn. */
  drain(): void | Promise<void>
  close(): void
}

/** How workers of one kind are made, reached and ended. */
export interface Runtime {
  readonly name: 'threads' | 'processes'
  readonly poolOptions: Options
  openLink(): Link
  /** Ends a ready worker harder than the pool does. */
  end(pid: number): void
}
