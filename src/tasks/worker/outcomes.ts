/** Calls a task's function and makes an outcome of whatever it does. */
import type { TaskCall, TaskFunction } from '../../procedures/task-call.ts'
import type { Outcome } from '../executor.ts'
import { toSentError } from './messages.ts'

/** The outcome of a call that failed in a way that callers are not to know of. */
export const internalError = (thrown: unknown): Outcome => {
  const { name, message, stack } = toSentError(thrown)
  const internal = { name, message, ...(stack ? { stack } : {}) }
  const error = {
    code: 'INTERNAL_SERVER_ERROR',
    status: 500,
    message: 'Internal server error',
    name,
    internal,
  }
  return { kind: 'error', error }
}

const missing = (path: string): Outcome =>
  internalError(
    new Error(
      `The worker has no task ${JSON.stringify(path)}, though its host does. ` +
        'Both import the same module: check that it declares the same procedures in a worker as elsewhere.',
    ),
  )

/** The outcome of a call that ended with what JSON can't hold. */
export const unsendable = (path: string, thrown: unknown): Outcome => {
  const message = `${path} ended with what JSON can't hold: ${toSentError(thrown).message}`
  const internal = { name: 'OutputInvalid', message }
  return {
    kind: 'error',
    error: { code: 'OUTPUT_INVALID', status: 500, message: 'The output is not valid', internal },
  }
}

/** Runs a task once. Never rejects. */
export const runTask = async (
  path: string,
  task: TaskFunction | undefined,
  call: TaskCall,
): Promise<Outcome> => {
  if (!task) return missing(path)
  try {
    return await task(call)
  } catch (thrown) {
    return internalError(thrown)
  }
}

/** Why a handler's `signal` aborts. */
export const abortError = (reason: string): Error =>
  Object.assign(new Error(`The task was asked to stop: ${reason}`), { name: reason })
