/**
 * The port of a fleet's queue: one place that many hosts share. It keeps the records and hands each task to one host at
 * a time, for as long as that host keeps its lease.
 *
 * Not in it: which procedure has room (fetcher), how an attempt is run (runs), when an error is worth a retry
 * (lifecycle).
 */
import type { TaskLog } from '../../../protocol/task.ts'
import type {
  CancelResult,
  Census,
  EngineCapabilities,
  StoredPage,
  Submitted,
  TaskPolicy,
  TaskQuery,
} from '../../engine.ts'
import type { EndingRules } from '../../lifecycle.ts'
import type { Report } from '../../store.ts'
import type { StoredTask } from '../../stored-task.ts'

/** A task whose attempt `task.attempt` is this host's to run. */
export interface Taken {
  /** As written when it was taken: `running`. */
  readonly task: StoredTask
  /** What proves to the queue that it is still this host's. */
  readonly lease: unknown
}

/** What a queue tells each host, pushed. May come twice, may come late; after a silence comes `missed`. */
export interface QueueListener {
  /** A task of this procedure may be taken. */
  available(procedure: string): void
  /**
   * The record of a task changed, here or elsewhere. `renew` makes it from the one that is known; without it the record
   * is read.
   */
  changed(id: string, renew?: (known: StoredTask) => StoredTask): void
  /**
   * This host wrote a change that is neither a start, a retry by hand nor the end of an attempt: what it was and what it
   * is now. Once for each, on one host.
   */
  wrote(before: StoredTask, after: StoredTask): void
  progress(id: string, progress: unknown): void
  log(id: string, log: TaskLog): void
  /** Whoever runs it is to stop it; where the attempt is known that was asked to, no other one. */
  cancelRequested(id: string, attempt?: number): void
  /** Nothing is pushed for now: whatever is watched is to be looked at. */
  look(): void
  /** The line was down: anything may have happened. */
  missed(): void
}

/** What became of a lease: `stop` is held, and its task was asked to stop. */
export type Renewal = 'held' | 'stop' | 'lost'

/** What became of an end: false is a lost lease; `stop` is a task that was asked to stop, of which its end knew nothing. */
export type Settled = boolean | 'stop'

/** What an attempt said since its last word. */
export interface Said {
  /** The latest, if there was any. */
  readonly progress?: unknown
  readonly logs: readonly TaskLog[]
}

/** How a task is queued again by hand. Times in ms. */
export interface FreshAttempts {
  /** The attempt that it ended with when somebody asked: with another one, somebody else was quicker. */
  readonly after: number
  readonly attempts: number
  readonly deadline: number | undefined
}

/** The rules by which tasks of a procedure end; defaults for an unknown one. */
export type RulesOf = (procedure: string) => EndingRules

/** How tasks of a procedure are run; undefined for one that this process lacks. */
export type PolicyOf = (procedure: string) => TaskPolicy | undefined

/**
 * Shared by hosts. Methods reject with `EngineUnavailable` when it can't be reached, none waits for ever. Every change
 * of a record is atomic and raises its revision; one that is made for a lease which is lost changes nothing.
 */
export interface SharedQueue {
  readonly name: string
  /** What is only known of a server once it was asked is right after `open`. */
  readonly capabilities: EngineCapabilities
  /** Milliseconds that a lease holds without being renewed. */
  readonly lease: number
  /** Connects and makes what it needs; idempotent. Rejects with what to do when it can't be used. */
  open(listener: QueueListener, report: Report, policyOf: PolicyOf): Promise<void>
  /** Begins to tell which of these procedures have tasks to take, those that are there already included. */
  work(procedures: readonly string[]): void
  /** Resolves when the task is durable. Of many with one idempotency key, from any host, one is created. */
  submit(task: StoredTask, transaction?: unknown): Promise<Submitted>
  /**
   * Whether all that happens to a task is told from its start on, on whichever host: then whoever starts one and waits for
   * it need not read it first.
   */
  readonly tellsAll?: boolean
  /**
   * Where a queue can: as `submit` of a task that is due, and a created one is this host's at once, for one write instead
   * of two.
   */
  submitTaken?(task: StoredTask): Promise<Submitted & { readonly taken?: Taken }>
  get(id: string): Promise<StoredTask | undefined>
  /** @throws ProcedureError BAD_REQUEST for a cursor that no page gave */
  list(query: TaskQuery): Promise<StoredPage>
  /** How many tasks are queued, about. */
  depth(): Promise<number>
  census(procedures: readonly string[]): Promise<readonly Census[]>
  /**
   * Takes at most so many tasks that are due, by priority, then oldest first, and writes that their attempts begin. Fewer
   * means there are no more now. An attempt whose host lost its lease counts, as `recovered` says; a task that was
   * cancelled, is too late or has no attempt left is ended and not among them.
   */
  take(procedure: string, most: number, rulesOf: RulesOf): Promise<readonly Taken[]>
  /** Renews leases; in the order of what was given. */
  renew(taken: readonly Taken[]): Promise<readonly Renewal[]>
  /** Writes how the attempt ended. Nothing is written when the lease was lost or the task was asked to stop meanwhile. */
  settle(taken: Taken, next: StoredTask): Promise<Settled>
  /** Tells other hosts, and keeps the progress in the record; best effort, never rejects. */
  report(taken: Taken, said: Said): Promise<void>
  /** A queued task is cancelled, for good, whoever takes it at this moment; a running one is asked to stop. */
  cancel(id: string, keep: number): Promise<CancelResult | undefined>
  retry(id: string, fresh: FreshAttempts): Promise<StoredTask | 'not-ended' | 'succeeded' | undefined>
  remove(id: string): Promise<'removed' | 'not-ended' | 'unknown'>
  /** Asks for a sign of life, and for nothing else. */
  check(): Promise<void>
  /** Tells nothing more and lets go of connections. */
  close(): Promise<void>
}
