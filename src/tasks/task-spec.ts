/** A start as an engine gets it: from who starts what, with which options. */
import type { RepeatableStart } from '../procedures/procedure.ts'
import type { Admission } from '../procedures/task-call.ts'
import type { TaskPolicy, TaskSpec } from './engine.ts'
import { createTaskId } from './id.ts'
import { digest, readStartOptions } from './start-options.ts'

/** Who asks. */
export interface Caller {
  /** Null for a stranger. */
  readonly owner: string | null
  /** Sees and may stop everything. */
  readonly admin: boolean
}

/** A start of a procedure. */
export interface StartRequest {
  readonly procedure: string
  /** Raw wire input, found good. */
  readonly input: unknown
  readonly options: RepeatableStart
  readonly admission: Admission
  readonly caller: Caller
  /** Whether a running task starts it. */
  readonly byTask?: boolean
  /** Where in which trace whoever starts it is, as a traceparent. */
  readonly trace?: string | undefined
  /** The database transaction that the start joins. */
  readonly transaction?: object | undefined
}

/** What the app knows of it. */
export interface StartFacts {
  readonly policy: TaskPolicy
  readonly priority: number
  /** Epoch ms. */
  readonly now: number
}

/**
 * A new task.
 * @throws ProcedureError BAD_REQUEST that names an option
 */
export const toSpec = (
  { procedure, input, options, admission, caller }: StartRequest,
  { policy, priority, now }: StartFacts,
): TaskSpec => {
  const { maxAttempts, deadline } = policy
  const {
    retryKey,
    idempotencyKey = admission.idempotencyKey ?? retryKey,
    ...rest
  } = readStartOptions(options, now)
  return {
    id: createTaskId(now),
    procedure,
    input,
    maxAttempts,
    owner: caller.owner,
    priority,
    ...rest,
    ...(admission.carried === undefined ? {} : { carried: admission.carried }),
    ...(idempotencyKey === undefined ? {} : { idempotencyKey, inputDigest: digest(input) }),
    ...(deadline === undefined ? {} : { deadlineAt: now + deadline }),
  }
}
