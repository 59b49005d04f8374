/** An app's executors: one of each kind, made when first needed, for an app that only starts tasks never loads a pool. */
import { availableParallelism } from 'node:os'
import type { MaybePromise } from './procedures/handler.ts'
import type { TaskPolicy } from './tasks/engine.ts'
import type { ExecutorSizes, TasksOption } from './tasks/engines/options.ts'
import type { Executor, ExecutorLoad } from './tasks/executor.ts'
import type { TaskLookup } from './tasks/worker/registry.ts'

/** What they need of the app. */
export interface AppExecutorsParts {
  readonly option: Pick<TasksOption, 'executors' | 'memoryLimit'>
  /** What workers import. Whoever has a task for them was asked for it. */
  readonly module: string | undefined
  /** Finds a task for the event loop. */
  readonly lookup: TaskLookup
  readonly report: (message: string) => void
  /** What stands around each executor, or the executor itself. */
  readonly around: (executor: Executor) => Executor
}

type RunOn = TaskPolicy['runOn']

const CORES = availableParallelism()

/** An executor that could not be made needs no closing. */
const closeExecutor = async (made: MaybePromise<Executor>): Promise<void> => {
  const executor = await Promise.resolve(made).catch(() => undefined)
  await executor?.close()
}

/** Makes executors, and ends them. */
export class AppExecutors {
  /** How many attempts may run at once on each kind. */
  readonly sizes: Required<ExecutorSizes>
  readonly #parts: AppExecutorsParts
  readonly #made = new Map<RunOn, MaybePromise<Executor>>()
  /** What this process is to run tasks on. */
  #opened: ReadonlySet<RunOn> = new Set()

  constructor(parts: AppExecutorsParts) {
    this.#parts = parts
    this.sizes = { threads: CORES, processes: CORES, inline: 50, ...parts.option.executors }
  }

  /** The executor of a kind; a promise of it only while it is being made. */
  get(runOn: RunOn): MaybePromise<Executor> {
    const known = this.#made.get(runOn)
    if (known) return known
    const making = this.#create(runOn).then(this.#parts.around)
    this.#made.set(runOn, making)
    const settle = (executor?: Executor): void => {
      if (this.#made.get(runOn) !== making) return
      if (executor) this.#made.set(runOn, executor)
      else this.#made.delete(runOn)
    }
    making.then(settle, () => settle())
    return making
  }

  /** Starts a first worker of each kind. Rejects with why one can't serve; then none is left. */
  async open(kinds: Iterable<RunOn>): Promise<void> {
    const wanted = new Set(kinds)
    const opened = await Promise.allSettled([...wanted].map((runOn) => this.#open(runOn)))
    const failed = opened.find((result) => result.status === 'rejected')
    if (!failed) return void (this.#opened = wanted)
    await this.close()
    throw failed.reason
  }

  /** Rejects with why when a kind that was opened has no worker that could run anything, nor gets one. */
  async check(): Promise<void> {
    await Promise.all([...this.#opened].map((runOn) => this.#open(runOn)))
  }

  /** How those that are there are doing. */
  loads(): readonly (readonly [kind: RunOn, load: ExecutorLoad])[] {
    return [...this.#made].flatMap(([kind, made]) => {
      const load = made instanceof Promise ? undefined : made.load?.()
      return load ? [[kind, load] as const] : []
    })
  }

  /** Ends all workers, and what they run. */
  async close(): Promise<void> {
    const made = [...this.#made.values()]
    this.#made.clear()
    await Promise.all(made.map(closeExecutor))
  }

  async #open(runOn: RunOn): Promise<void> {
    const executor = await this.get(runOn)
    await executor.open().catch((cause: Error) => {
      throw new Error(`No task can run on ${runOn}: ${cause.message}`, { cause })
    })
  }

  async #create(runOn: RunOn): Promise<Executor> {
    const { option, module, lookup, report } = this.#parts
    const { memoryLimit } = option
    const common = {
      module: module as string,
      workers: this.sizes[runOn],
      report,
      ...(memoryLimit === undefined ? {} : { memoryLimit }),
    }
    if (runOn === 'inline') {
      const { createInline } = await import('./tasks/executors/inline.ts')
      return createInline({ lookup, slots: this.sizes.inline })
    }
    if (runOn === 'processes') {
      const { createProcesses } = await import('./tasks/executors/processes.ts')
      return createProcesses(common)
    }
    const { createThreads } = await import('./tasks/executors/threads.ts')
    return createThreads(common)
  }
}
