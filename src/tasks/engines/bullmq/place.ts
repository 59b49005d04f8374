/**
 * The port of where BullMQ's queues live: what Redis and Postgres do each in their own way, and nothing that knows what
 * a task is. One queue per procedure, so that a host takes what it knows.
 *
 * Methods reject with `EngineUnavailable` when it can't be reached, none waits for ever. Those that take a token change
 * nothing, and say so, when another one holds the job by now.
 */
import type { EngineCapabilities } from '../../engine.ts'
import type { Report } from '../../store.ts'
import type { Packing, RawJob } from './job-codec.ts'

/** A job of a procedure. */
export interface JobRef {
  readonly procedure: string
  readonly id: string
}

/** A job that was found. */
export interface FoundJob extends JobRef {
  readonly raw: RawJob
}

/** A new job. Times in ms. */
export interface NewJob extends JobRef {
  readonly data: object
  /** 1 and up, the lower the sooner. */
  readonly priority: number
  readonly delay: number
  readonly timestamp: number
}

/** What a take gives. */
export interface Claims {
  readonly jobs: readonly { readonly raw: RawJob; readonly token: string }[]
  /** When the next job is due, if there are only delayed ones. */
  readonly nextDue?: number
}

/** Something that happened to a job, from BullMQ's event stream. */
export interface PlaceEvent extends JobRef {
  readonly name: string
  readonly fields: Readonly<Record<string, string>>
}

/** What a place tells. */
export interface PlaceListener {
  event(event: PlaceEvent): void
  /** A queue may have jobs to take. */
  available(procedure: string): void
  /** Events may have been lost. */
  missed(): void
}

/** States of BullMQ. */
export type JobState = 'waiting' | 'prioritized' | 'delayed' | 'active' | 'completed' | 'failed'

/** Jobs of one queue. */
export interface Counts {
  readonly due: number
  readonly delayed: number
  readonly running: number
}

export interface Place {
  readonly name: string
  readonly durable: EngineCapabilities['durable']
  readonly packing: Packing
  /** Connects, checks and prepares. Rejects with what to do when it can't be used. */
  open(report: Report): Promise<void>
  /** Procedures that have a queue, whoever made it. */
  procedures(): Promise<readonly string[]>
  /** Makes sure that a queue is known to all hosts. */
  register(procedures: readonly string[]): Promise<void>
  /** Tells what happens in these queues from now on, instead of those named before. */
  listen(procedures: readonly string[], listener: PlaceListener): Promise<void>

  /** Does nothing when the id is there already. */
  add(job: NewJob): Promise<void>
  read(refs: readonly JobRef[]): Promise<readonly (RawJob | undefined)[]>
  /** Looks for an id in these queues. */
  find(id: string, procedures: readonly string[]): Promise<FoundJob | undefined>
  /** Ids in these states, by age or the other way. */
  ids(procedure: string, states: readonly JobState[], from: number, to: number): Promise<readonly string[]>
  /** How many wait or are delayed in these queues. */
  depth(procedures: readonly string[]): Promise<number>

  /** How many of a procedure wait, are delayed, are active. */
  counts(procedure: string): Promise<Counts>

  /** Takes at most so many. */
  take(procedure: string, most: number): Promise<Claims>
  complete(ref: JobRef, token: string, ending: object): Promise<boolean>
  /** Gives a job up, to be taken again now or after a delay. */
  giveUp(
    ref: JobRef,
    token: string,
    next: { history: string[]; delay: number; first: boolean },
  ): Promise<boolean>
  /** Renews locks; gives the ids that are lost. */
  renew(
    procedure: string,
    held: readonly { readonly id: string; readonly token: string }[],
  ): Promise<ReadonlySet<string>>
  /** Puts jobs of these procedures back whose lock was not renewed. */
  recover(procedures: readonly string[]): Promise<void>

  /**
   * Gives a job other data, in one step, if it has not ended, was not taken and has the same data since it was read.
   * Whoever holds it does so by `askedToken` of its token from then on.
   */
  replaceData(was: FoundJob, data: object): Promise<boolean>
  /** False when there is no such job. */
  setData(ref: JobRef, data: object): Promise<boolean>
  setProgress(ref: JobRef, note: object): Promise<void>
  /** Tells listeners of all hosts. */
  tell(ref: JobRef, name: string, fields: Readonly<Record<string, string>>): Promise<void>
  /** Puts an ended job back. `'not-ended'` when it is not among the ended. */
  putBack(ref: JobRef, from: 'completed' | 'failed'): Promise<'done' | 'not-ended' | 'unknown'>
  /** A delayed job is due now; nothing happens to others. */
  promote(ref: JobRef): Promise<void>
  /** False while it is locked. */
  remove(ref: JobRef): Promise<boolean>
  /** How many jobs of a procedure all hosts together run at once; undefined: no limit. */
  limit(procedure: string, concurrency: number | undefined): Promise<void>

  /** Gives a key its value when it has none or has `instead`; the value it has then. */
  claimKey(key: string, value: string, instead?: string): Promise<string>
  /** Forgets a key that has a value which begins so. */
  freeKey(key: string, beginning: string): Promise<void>

  close(): Promise<void>
}
