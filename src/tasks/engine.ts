/**
 * The engine port: owns the record of every task and decides which one runs next, on which host.
 *
 * Not in it: how a handler is run (executor), who may see a task (router), schemas. An engine never looks into an
 * input or a result.
 */
import type { TaskLog, TaskStatus } from '../protocol/task.ts'
import type { Clock } from './clock.ts'
import type { Outcome } from './executor.ts'
import type { StoredTask } from './stored-task.ts'

/** What an engine can do, as data: the app refuses at start what its engine can't. */
export interface EngineCapabilities {
  /** What an acknowledged task survives. */
  readonly durable: 'none' | 'process' | 'power'
  readonly multiHost: boolean
  /** Whether a start can join the caller's own database transaction. */
  readonly transactionalStart: boolean
}

/** A new task. The id is made by the caller of `submit`. */
export type TaskSpec = Omit<
  StoredTask,
  | 'status'
  | 'attempt'
  | 'attempts'
  | 'createdAt'
  | 'startedAt'
  | 'finishedAt'
  | 'expiresAt'
  | 'progress'
  | 'result'
  | 'error'
  | 'revision'
  | 'cancelRequested'
>

/** How a task is submitted. */
export interface SubmitOptions {
  /** The caller's own database transaction, which the start joins; see `capabilities.transactionalStart`. */
  readonly transaction?: unknown
  /** Started by a task that runs: taken while the engine drains too, for else that task could not come to its end. */
  readonly byTask?: boolean
}

/** What `submit` found or made. */
export type Submitted =
  | { readonly kind: 'created' | 'replayed'; readonly task: StoredTask }
  /** The idempotency key belongs to a task with another input. */
  | { readonly kind: 'conflict'; readonly task: StoredTask }

/** Which tasks to list. Newest first. */
export interface TaskQuery {
  readonly procedure?: string
  readonly status?: TaskStatus
  readonly tag?: string
  /** Only this owner's; undefined: everybody's. */
  readonly owner?: string
  /** 1 to 200. */
  readonly limit: number
  /** Opaque, from the page before. */
  readonly cursor?: string
}

/** One page of tasks. */
export interface StoredPage {
  readonly items: readonly StoredTask[]
  readonly nextCursor?: string
}

/** How many tasks of a procedure there are that have not ended, on all hosts together. */
export interface Census {
  readonly procedure: string
  /** Queued, and may run now. */
  readonly due: number
  /** Queued for a later time: a delay, the wait before a retry. */
  readonly delayed: number
  readonly running: number
  /** Milliseconds that the longest waiting of those that are due has been. Where that is costly: the one that is next. */
  readonly waited?: number
}

/** What happens to a task, in order, numbered per task. */
export type EngineEvent =
  | { readonly seq: string; readonly type: 'state'; readonly task: StoredTask }
  | { readonly seq: string; readonly type: 'progress'; readonly progress: unknown }
  | { readonly seq: string; readonly type: 'log'; readonly log: TaskLog }
  | { readonly seq: string; readonly type: 'gap' }
  | { readonly seq: string; readonly type: 'done'; readonly task: StoredTask }

/** How a procedure's tasks are to be run; resolved from its options, defaults filled in. Times in ms. */
export interface TaskPolicy {
  readonly maxAttempts: number
  /** Milliseconds to wait before the next run after `attempt` failed. */
  readonly backoff: (attempt: number) => number
  readonly retryOn: ReadonlySet<string>
  readonly neverRetryOn: ReadonlySet<string>
  readonly timeout: number | undefined
  readonly deadline: number | undefined
  readonly concurrency: number
  readonly runOn: 'threads' | 'processes' | 'inline'
  readonly keep: number
  readonly onCrash: 'retry' | 'fail'
  readonly cancelGrace: number
}

/** One attempt that an engine runs, with the way back to the engine. */
export interface Claim {
  readonly task: StoredTask
  readonly policy: TaskPolicy
  /** Aborts with a reason when the attempt is to stop; the host kills it `policy.cancelGrace` later. */
  readonly signal: AbortSignal
  progress(progress: unknown): void
  log(log: TaskLog): void
}

/** What an engine needs of the process it runs in. */
export interface EngineHost {
  /** Task time here. Engines that share a place go by the place's own clock where they compare times. */
  readonly clock: Clock
  /** The policy of a procedure, or undefined when this process lacks it: such a task is left for another. */
  policy(procedure: string): TaskPolicy | undefined
  /** How many attempts may run at once on each kind of executor. */
  slots(runOn: TaskPolicy['runOn']): number
  /** Runs one attempt: picks the executor, applies timeout and grace. Resolves once, never rejects. */
  run(claim: Claim): Promise<Outcome>
  /**
   * A record was written here, and is durable: what it was (undefined for a new task) and what it is now. Once for each
   * change, by whichever host wrote it. Never throws.
   */
  changed?(before: StoredTask | undefined, after: StoredTask): void
  /** Something went wrong that no caller can be told, or (`'warn'`) may go wrong. */
  report(message: string, error?: unknown, level?: 'error' | 'warn'): void
  /** Another process has the tasks now, and this engine answers nothing any more. */
  lost?(reason: EngineUnavailable): void
}

/** What to do with a task that was asked to stop. */
export type CancelResult =
  /** It had not begun, or had ended: nothing runs. */
  | { readonly kind: 'settled'; readonly task: StoredTask }
  /** It runs and was told. */
  | { readonly kind: 'requested'; readonly task: StoredTask }

/** Keeps tasks and decides what runs. Methods reject with `EngineUnavailable` when the store can't be reached. */
export interface TaskEngine {
  readonly name: string
  readonly capabilities: EngineCapabilities
  /** Opens stores and recovers what an earlier process left; runs nothing yet. Idempotent. */
  open(host: EngineHost): Promise<void>
  /**
   * Begins to run tasks of these procedures, those included that wait already. Tasks of others stay queued: for another
   * host, where `capabilities.multiHost`. Called once, when open.
   */
  work(procedures: readonly string[]): void
  /** Resolves when the task is as durable as `capabilities.durable` says. */
  submit(spec: TaskSpec, options?: SubmitOptions): Promise<Submitted>
  get(id: string): Promise<StoredTask | undefined>
  list(query: TaskQuery): Promise<StoredPage>
  /** Counts what has not ended, by procedure: asked every few seconds, whatever the number of tasks. */
  census(procedures: readonly string[]): Promise<readonly Census[]>
  /**
   * Everything that happens to a task after `after` (default: from its present state, which comes first), ending with
   * `done`, whichever process runs it. Gapless, or with a `gap`, which the state after it follows. Ends at once for an
   * unknown id.
   */
  events(
    id: string,
    options: { readonly after?: string; readonly signal: AbortSignal },
  ): AsyncIterable<EngineEvent>
  /**
   * The task once it has ended; undefined for an unknown id, and when the engine closes before that. When the signal
   * aborts nobody waits any more.
   */
  ended(id: string, signal: AbortSignal): Promise<StoredTask | undefined>
  cancel(id: string): Promise<CancelResult | undefined>
  /** Queues an ended, not succeeded task again. `'not-ended'` or `'succeeded'` when it can't be. */
  retry(id: string): Promise<StoredTask | 'not-ended' | 'succeeded' | undefined>
  /** Forgets an ended task. */
  remove(id: string): Promise<'removed' | 'not-ended' | 'unknown'>
  /** Asks the place where records are for a sign of life, which costs it as little as can be. Rejects when there is none. */
  check(): Promise<void>
  /**
   * Takes nothing new, waits so many ms for what runs, then gives the rest back and lets those go who follow events:
   * nothing more will happen here. Records can still be read.
   */
  drain(grace: number): Promise<void>
  /** Releases stores. */
  close(): Promise<void>
}

/** What is known of why an engine is unavailable. */
export interface UnavailableOptions extends ErrorOptions {
  readonly retryAfter?: number
  readonly untouched?: boolean
  readonly refuses?: boolean
}

/** The engine refuses or can't serve now; callers get 503 with `Retry-After`. */
export class EngineUnavailable extends Error {
  override readonly name = 'EngineUnavailable'
  /** Seconds. */
  readonly retryAfter: number
  /** Whether it is certain that nothing was written; else it may have been, and the answer was lost. */
  readonly untouched: boolean
  /** It works, and takes no more for now: nothing to look into. */
  readonly refuses: boolean
  constructor(message: string, options: UnavailableOptions = {}) {
    super(message, options)
    this.retryAfter = options.retryAfter ?? 1
    this.untouched = options.untouched ?? false
    this.refuses = options.refuses ?? false
  }
}
