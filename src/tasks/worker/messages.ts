/**
 * Every message between a host and its workers. They cross as JSON text, several at a time: text is the same
 * for a thread and a process, costs no more than cloning, and shows before it is sent that it can be.
 */
import { inspect } from 'node:util'
import type { MessagePort } from 'node:worker_threads'
import type { HostRequest } from '../../procedures/task-call.ts'
import type { TaskLog } from '../../protocol/task.ts'
import type { Call, Outcome } from '../executor.ts'

/** What a worker is given once, as the argument of the pool run that it lives in. */
export interface Job {
  /** URL of the module that makes the app. */
  readonly module: string
  /** Process id of the host. */
  readonly host: number
  /** The way to the host; a process uses its own channel. */
  readonly port?: MessagePort
}

/** An error on its way: what can be known of any thrown value. */
export interface SentError {
  readonly name: string
  readonly message: string
  readonly stack?: string
  /** Own fields that JSON can hold, such as `code`, `status` and `data`. */
  readonly fields?: Readonly<Record<string, unknown>>
}

/** Run this attempt. */
export interface CallMessage {
  readonly kind: 'call'
  readonly id: number
  readonly call: Call
  /** Set on a call sent ahead: see `lease.ts`. */
  readonly until?: number
}

/** Ask the handler to stop, or don't begin it. */
export interface AbortMessage {
  readonly kind: 'abort'
  readonly id: number
  readonly reason: string
}

/** What the host says to a request. */
export type AnswerMessage =
  | { readonly kind: 'answer'; readonly request: number; readonly value: unknown }
  | { readonly kind: 'refusal'; readonly request: number; readonly error: SentError }

/** Host to worker. */
export type ToWorker = CallMessage | AbortMessage | AnswerMessage

/** The user's module is loaded and has an app. */
export interface ReadyMessage {
  readonly kind: 'ready'
  readonly pid: number
  /** The worker's clock, for the host to see that it is the same as its own. */
  readonly clock: number
}

/** The user's module can't be loaded, or has no app. */
export interface UnusableMessage {
  readonly kind: 'unusable'
  readonly error: SentError
}

/** Something threw and nobody caught it; the worker is about to die. */
export interface DyingMessage {
  readonly kind: 'dying'
  readonly error: SentError
}

/** The handler is called next. */
export interface StartedMessage {
  readonly kind: 'started'
  readonly id: number
}

/** The handler won't be called: there was no time left, or an abort came first. */
export interface DeclinedMessage {
  readonly kind: 'declined'
  readonly id: number
}

export interface ProgressMessage {
  readonly kind: 'progress'
  readonly id: number
  readonly progress: unknown
}

export interface LogMessage {
  readonly kind: 'log'
  readonly id: number
  readonly log: TaskLog
}

/** The handler asks its host for something. */
export interface AskMessage {
  readonly kind: 'ask'
  readonly id: number
  readonly request: number
  readonly body: HostRequest
}

/** The handler ended. */
export interface OutcomeMessage {
  readonly kind: 'outcome'
  readonly id: number
  readonly outcome: Outcome
}

/** What is said of one call. */
export type FromCall =
  | StartedMessage
  | DeclinedMessage
  | ProgressMessage
  | LogMessage
  | AskMessage
  | OutcomeMessage

/** Worker to host. */
export type FromWorker = ReadyMessage | UnusableMessage | DyingMessage | FromCall

/** Several messages as one text. */
export const toBatch = (messages: readonly string[]): string => `[${messages.join(',')}]`

/** The messages of a batch. Both ends are ours, so the text is trusted to hold what its type says. */
export const fromBatch = <M extends ToWorker | FromWorker>(batch: string): readonly M[] =>
  JSON.parse(batch) as M[]

const ownFields = (error: Error): Record<string, unknown> | undefined => {
  const {
    name: _name,
    message: _message,
    stack: _stack,
    cause: _cause,
    ...fields
  } = error as Error & Record<string, unknown>
  try {
    return JSON.parse(JSON.stringify(fields)) as Record<string, unknown>
  } catch {
    return undefined
  }
}

/** Any thrown value as data. */
export const toSentError = (thrown: unknown): SentError => {
  if (!(thrown instanceof Error))
    return { name: typeof thrown, message: typeof thrown === 'string' ? thrown : inspect(thrown) }
  const { name, message, stack } = thrown
  const fields = ownFields(thrown)
  return { name, message, ...(stack ? { stack } : {}), ...(fields ? { fields } : {}) }
}

/** The error again, as far as it crossed: its class is lost, its name and fields are kept. */
export const fromSentError = ({ name, message, stack, fields }: SentError): Error => {
  const error = Object.assign(new Error(message), fields)
  Object.defineProperty(error, 'name', { value: name, configurable: true, writable: true })
  if (stack) error.stack = stack
  return error
}

/** An error in words, with its stack. */
export const inWords = ({ name, message, stack }: SentError): string =>
  stack?.includes(message) ? stack : [`${name}: ${message}`, stack].filter(Boolean).join('\n')
