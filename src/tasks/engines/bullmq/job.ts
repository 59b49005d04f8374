/**
 * A task as a BullMQ job: which field holds what, and who writes it. BullMQ's own fields are the truth of where a task
 * is; nothing here is a second copy of them.
 */
import type { StoredAttempt, StoredTask } from '../../stored-task.ts'

/** What stays as it was when the task was started. */
export type TaskHead = Pick<
  StoredTask,
  'input' | 'owner' | 'carried' | 'trace' | 'tags' | 'idempotencyKey' | 'inputDigest'
>

/** Written at the start, by a cancel and by a retry by hand: never by whoever runs the task. Times in ms. */
export interface JobData {
  readonly v: typeof FORMAT
  readonly head: TaskHead
  readonly createdAt: number
  readonly priority: number
  readonly maxAttempts: number
  readonly runAt?: number
  readonly deadlineAt?: number
  /** How long the record stays should the task end without being run. */
  readonly keep: number
  readonly cancel?: JobCancel
  /** What was before the latest retry by hand. */
  readonly past?: JobPast
}

/** Somebody asked the task to stop. */
export interface JobCancel {
  readonly at: number
  readonly keep: number
  /** How often it had been taken for an attempt by then: whoever takes it later only ends it. */
  readonly claims: number
}

/** Where the attempts of a task stand, as of the last time one was given up. */
export interface JobHistory {
  /** How many claims were given up, an ended one included; BullMQ counts those that stalled. */
  readonly left: number
  /** How many of all claims were no attempts: given back, or made only to end the task. */
  readonly back: number
  /** How many claims there were by then. */
  readonly claims: number
  readonly startedAt?: number
  /** Of the wait for the next attempt. */
  readonly runAt?: number
  /** All that ended, the latest ones. */
  readonly attempts: readonly StoredAttempt[]
}

/** As of a retry by hand. */
export interface JobPast extends JobHistory {
  /** Counts these retries. */
  readonly retries: number
}

/** Written by whoever runs the task, and true only while that claim is the latest. */
export interface JobProgressNote {
  /** Which claim. */
  readonly claim: number
  /** Counts within it. */
  readonly n: number
  /** Which host says so. */
  readonly by: string
  readonly value: unknown
}

/** Written when the task ends, in one step with its end. */
export interface JobEnding extends Pick<JobHistory, 'left' | 'back'> {
  readonly v: typeof FORMAT
  readonly task: Pick<
    StoredTask,
    | 'status'
    | 'attempt'
    | 'maxAttempts'
    | 'attempts'
    | 'startedAt'
    | 'finishedAt'
    | 'expiresAt'
    | 'progress'
    | 'result'
    | 'error'
    | 'cancelRequested'
    | 'revision'
  >
}

/** A job as it was read, in one step. */
export interface Job {
  readonly id: string
  readonly procedure: string
  readonly data: JobData
  /** How often a host has taken it (BullMQ's `attemptsStarted`). */
  readonly claims: number
  /** How often such a host was lost (BullMQ's `stalledCounter`). */
  readonly stalls: number
  /** When it was taken last. */
  readonly claimedAt: number | undefined
  readonly history: JobHistory | undefined
  readonly progress: JobProgressNote | undefined
  /** Set once it has ended; `'failed'` when BullMQ ended it of its own accord. */
  readonly ending: JobEnding | { readonly failedAt: number; readonly reason: string } | undefined
}

/** Raised when an older Errand could not read what this one writes. */
export const FORMAT = 1
