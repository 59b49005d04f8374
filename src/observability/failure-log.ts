/** Failures that are not the caller's doing, in the log: calls that end as 500, and attempts of tasks. */
import type { Failure } from '../procedures/failure.ts'
import type { HttpRequest } from '../router/http.ts'
import type { OutcomeError } from '../tasks/executor.ts'
import type { StoredTask } from '../tasks/stored-task.ts'
import type { Logger } from './logger.ts'
import { taskFields } from './task-log.ts'

// What the caller did wrong is the caller's to know.
const isOurs = ({ status, internal }: Failure): boolean => status >= 500 && internal !== undefined

const write = (logger: Logger, fields: object, message: string): void => {
  try {
    logger.error(fields, message)
  } catch (error) {
    // A log that fails must not fail the call.
    // oxlint-disable-next-line no-console -- there is nobody else left to tell
    console.error('The logger threw', error)
  }
}

const inWords = ({ internal }: Failure): string => `${internal?.name}: ${internal?.message}`

/** Told of every failed call. */
export const callFailed =
  (logger: Logger) =>
  (failure: Failure, path: string, request: HttpRequest | undefined): void => {
    if (!isOurs(failure)) return
    const { code, internal: err } = failure
    const { requestId, traced } = request ?? {}
    const fields = { path, code, err, requestId, ...(traced ? { traceId: traced.traceId } : {}) }
    write(logger, fields, `${path} failed: ${inWords(failure)}`)
  }

/** Told of every attempt that failed by itself. */
export const attemptFailed =
  (logger: Logger) =>
  (failure: OutcomeError, task: StoredTask): void => {
    if (!isOurs(failure)) return
    const { id, procedure, attempt, maxAttempts } = task
    const fields = { ...taskFields(task), path: procedure, code: failure.code, err: failure.internal }
    const which = `task ${id}, attempt ${attempt} of ${maxAttempts}`
    write(logger, fields, `${procedure} failed (${which}): ${inWords(failure)}`)
  }
