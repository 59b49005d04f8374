/** A task procedure as its doors see it: admitted, started, waited for. REST and tRPC share it. */
import { failure, type CallResult, type Failure } from '../procedures/failure.ts'
import type { RepeatableStart } from '../procedures/procedure.ts'
import type { Admit } from '../procedures/task-call.ts'
import type { Caller, Started, Tasks } from '../tasks/tasks.ts'
import type { StoredTask } from '../tasks/stored-task.ts'
import type { Entry } from './entries.ts'
import type { HttpRequest } from './http.ts'
import type { LinksOf } from './task-links.ts'

/** What the doors of all tasks share. */
export interface TaskDoors {
  readonly tasks: Tasks
  readonly callerOf: (ctx: unknown) => Caller
  /** Whether callers may list tasks. */
  readonly listable: (caller: Caller) => boolean
  readonly links: LinksOf
}

/** A start as a door gets it. */
export interface DoorStart {
  readonly input: unknown
  readonly ctx: unknown
  readonly options: RepeatableStart
  readonly request: HttpRequest | undefined
}

/** Admits and starts a task for a caller. */
export const startTask = (
  { tasks, callerOf }: TaskDoors,
  entry: Entry,
  { input, ctx, options, request }: DoorStart,
): Promise<CallResult<Started>> =>
  (entry.admit as Admit)(input, ctx, async (admission) => {
    const caller = callerOf(ctx)
    const trace = request?.traced?.trace
    const start = { procedure: entry.path, input, options, admission, caller, trace }
    const started = await tasks.submit(start)
    if (request) request.taskId = started.task.id
    return started
  })

const CANCELLED: Failure = { code: 'CANCELLED', status: 409, message: 'The task was cancelled' }

/** What a waiting caller gets of an ended task. */
export const toCallResult = (task: StoredTask): CallResult => {
  if (task.status === 'succeeded') return { ok: true, value: task.result }
  return failure(task.error ?? CANCELLED)
}
