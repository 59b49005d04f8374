/** How a task that did not succeed rejects, on the server and in a client alike. */
import type { TaskErrorData, TaskRecord } from './task.ts'

/** A task failed or was cancelled. */
export class TaskError extends Error {
  override readonly name = 'TaskError'
  /** The declared code, a task code such as `'TASK_TIMEOUT'`, or a tRPC code key. */
  readonly code: string
  /** HTTP status. */
  readonly status: number
  /** The payload of a declared error. */
  readonly data: unknown
  readonly taskId: string
  readonly attempts: TaskRecord['attempts']

  constructor(record: Pick<TaskRecord, 'id' | 'status' | 'attempts' | 'error'>) {
    const error: TaskErrorData = record.error ?? {
      code: 'CANCELLED',
      status: 409,
      message: `Task ${record.status}`,
    }
    super(error.message)
    this.code = error.code
    this.status = error.status
    this.data = error.data
    this.taskId = record.id
    this.attempts = record.attempts
  }
}
