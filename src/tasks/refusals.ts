/** What callers are told of tasks that they can't have. */
import { ProcedureError } from '../procedures/errors.ts'
import { EngineUnavailable, type TaskEngine } from './engine.ts'

/** An id nobody knows, or that isn't the caller's. */
export const unknownTask = (id: string): never => {
  throw new ProcedureError('NOT_FOUND', `No task has the id ${id}`)
}

/** A wait for a task that nothing will happen to in this process any more. */
export const shuttingDown = (id: string): ProcedureError =>
  new ProcedureError(
    'SERVICE_UNAVAILABLE',
    `The server is shutting down; task ${id} goes on when it is back`,
    {
      retryAfter: 5,
    },
  )

/** Throws what an engine threw, its own errors as callers may see them. A refusal has no cause that a log must hear of. */
export const unavailable = (error: unknown): never => {
  if (!(error instanceof EngineUnavailable)) throw error
  const { message, retryAfter, refuses } = error
  throw new ProcedureError('SERVICE_UNAVAILABLE', message, {
    retryAfter,
    ...(refuses ? {} : { cause: error }),
  })
}

/**
 * An engine whose starts can join the caller's transaction.
 * @throws TypeError when tasks are not kept where transactions are
 */
export const joining = (engine: TaskEngine): TaskEngine => {
  if (engine.capabilities.transactionalStart) return engine
  throw new TypeError(
    `option tx: tasks of the engine ${engine.name} are not kept in your database, so their start can't join its ` +
      `transaction. Use pgmq(), or start the task after the commit`,
  )
}
