/** What is answered about tasks. */
import { isFinished } from '../protocol/task.ts'
import { toWireError } from '../procedures/failure.ts'
import type { Caller } from '../tasks/tasks.ts'
import { revOf } from '../tasks/record.ts'
import type { StoredTask } from '../tasks/stored-task.ts'
import type { Doors } from './doors.ts'
import { jsonReply, pathOf, type HttpReply, type HttpRequest } from './http.ts'
import { problemReply } from './problem.ts'
import { toCallResult, type TaskDoors } from './task-service.ts'

/** What every route of tasks needs. */
export interface Context {
  readonly doors: Doors
  readonly taskDoors: TaskDoors
}

/** Seconds until asking again makes sense. */
export const RETRY_AFTER = ['retry-after', '1'] as const

export const etag = (task: StoredTask): string => `"${revOf(task)}"`

export const location = ({ taskDoors }: Context, task: StoredTask): string => taskDoors.links(task).self

export const recordReply = (context: Context, task: StoredTask, caller: Caller): HttpReply =>
  jsonReply(200, JSON.stringify(context.taskDoors.tasks.record(task, caller)), [
    'etag',
    etag(task),
    ...(isFinished(task.status) ? [] : RETRY_AFTER),
  ])

export const acceptedReply = (
  context: Context,
  task: StoredTask,
  caller: Caller,
  extra: readonly string[],
): HttpReply =>
  jsonReply(202, JSON.stringify(context.taskDoors.tasks.record(task, caller)), [
    'location',
    location(context, task),
    ...RETRY_AFTER,
    ...extra,
  ])

export const replayedHeader = (replayed: boolean): readonly string[] =>
  replayed ? ['idempotency-replayed', 'true'] : []

export const withHeaders = (reply: HttpReply, headers: readonly string[]): HttpReply => ({
  ...reply,
  headers: [...reply.headers, ...headers],
})

/** Exactly what a waiting call is sent. A failure was reported when it happened; here it is only shown. */
export const resultReply = (
  { doors }: Context,
  respond: (value: unknown) => HttpReply,
  task: StoredTask,
  request: HttpRequest,
): HttpReply => {
  const result = toCallResult(task)
  return result.ok
    ? respond(result.value)
    : problemReply(toWireError(result.error, doors.reveal), pathOf(request.url))
}
