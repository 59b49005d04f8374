/** Tasks on the tRPC door: `trpc.countPrimes.run`, `.start`, `.get`, `.watch`, …, and `trpc.tasks.*` over all of them. */
import type { z } from 'zod'
import { tracked } from '@trpc/server'
import { isFinished, type TaskRecord } from '../protocol/task.ts'
import { invalidInput } from '../procedures/call.ts'
import { errorWithoutStack, ProcedureError } from '../procedures/errors.ts'
import { failure, success, toFailure, type CallResult } from '../procedures/failure.ts'
import type { RepeatableStart } from '../procedures/procedure.ts'
import { shuttingDown, unknownTask } from '../tasks/refusals.ts'
import type { Caller } from '../tasks/tasks.ts'
import type { Entry } from './entries.ts'
import { ratedOf } from './guarded-call.ts'
import type { HttpRequest } from './http.ts'
import { startTask, toCallResult, type DoorStart, type TaskDoors } from './task-service.ts'
import { taskInputs } from './task-inputs.ts'
import { limitOf, type Operation } from './trpc-router.ts'

const read = <S extends z.ZodType>(schema: S, input: unknown): z.output<S> => {
  const parsed = schema.safeParse(input)
  if (parsed.success) return parsed.data
  throw errorWithoutStack(invalidInput(parsed.error.issues as never))
}

type Act = (
  input: unknown,
  ctx: unknown,
  signal: AbortSignal,
  request: HttpRequest | undefined,
) => Promise<unknown>

type Extras = Pick<Operation, 'starts' | 'waits' | 'bodyLimit' | 'rated'>

const operation = (path: string, kind: Operation['kind'], act: Act, extras: Extras = {}): Operation => ({
  path,
  kind,
  ...extras,
  call: (input, { ctx, signal }, request) =>
    act(input, ctx, signal, request).then(success, (thrown: unknown) => failure(toFailure(thrown))),
})

const unwrap = <T>(result: CallResult<T>): T => {
  if (result.ok) return result.value
  throw Object.assign(
    errorWithoutStack(result.error),
    result.error.internal ? { cause: revive(result.error.internal) } : {},
  )
}

const revive = (internal: { name: string; message: string; stack?: string }): Error =>
  Object.assign(new Error(internal.message), internal)

const withKey = (request: HttpRequest | undefined): RepeatableStart => ({
  idempotencyKey: request?.header('idempotency-key'),
})

const ofProcedure = (record: TaskRecord, procedure: string | undefined): TaskRecord =>
  procedure === undefined || record.procedure === procedure ? record : unknownTask(record.id)

/** The operations by id, of one procedure or of all. */
const byId = (doors: TaskDoors, prefix: string, procedure: string | undefined): Operation[] => {
  const { tasks } = doors
  const find = async (id: string, caller: Caller) => {
    const task = await tasks.find(id, caller)
    return task && (procedure === undefined || task.procedure === procedure) ? task : unknownTask(id)
  }
  const get: Act = async (input, ctx, signal) => {
    const { id, wait = 0, after } = read(taskInputs().get, input)
    const caller = doors.callerOf(ctx)
    await find(id, caller)
    const task = (await tasks.wait(id, { timeout: wait * 1000, after, signal }, caller)) ?? unknownTask(id)
    return tasks.record(task, caller)
  }
  const cancel: Act = async (input, ctx) => {
    const { id } = read(taskInputs().byId, input)
    const caller = doors.callerOf(ctx)
    await find(id, caller)
    return ((await tasks.cancel(id, caller)) ?? unknownTask(id)).record
  }
  const retry: Act = async (input, ctx) => {
    const { id } = read(taskInputs().byId, input)
    const caller = doors.callerOf(ctx)
    await find(id, caller)
    return ofProcedure((await tasks.retry(id, caller)) ?? unknownTask(id), procedure)
  }
  return [
    operation(`${prefix}.get`, 'query', get, { waits: true }),
    operation(`${prefix}.cancel`, 'mutation', cancel),
    operation(`${prefix}.retry`, 'mutation', retry),
  ]
}

async function* watch(
  doors: TaskDoors,
  id: string,
  after: string | undefined,
  caller: Caller,
  signal: AbortSignal,
) {
  for await (const message of doors.tasks.watch(id, { after, signal }, caller))
    yield tracked(message.id, message.event)
}

const watchOperation = (doors: TaskDoors, path: string): Operation =>
  operation(`${path}.watch`, 'subscription', async (input, ctx, signal) => {
    const { id, lastEventId } = read(taskInputs().watch, input)
    const caller = doors.callerOf(ctx)
    const task = await doors.tasks.find(id, caller)
    if (task?.procedure !== path) return unknownTask(id)
    return watch(doors, id, lastEventId ?? undefined, caller, signal)
  })

/** Why a waiting call has no output: its caller is gone, or we are about to be. */
const leftWaiting = (id: string, signal: AbortSignal): ProcedureError =>
  signal.aborted
    ? new ProcedureError('CLIENT_CLOSED_REQUEST', 'The caller hung up; the task goes on')
    : shuttingDown(id)

/** `run` waits as a plain call does; a caller that hangs up leaves the task running. */
const runOperation = (doors: TaskDoors, entry: Entry): Operation =>
  operation(
    `${entry.path}.run`,
    'mutation',
    async (input, ctx, signal, request) => {
      const { task } = unwrap(
        await startTask(doors, entry, { input, ctx, options: withKey(request), request }),
      )
      const caller = doors.callerOf(ctx)
      const ended =
        (await doors.tasks.wait(task.id, { timeout: Infinity, signal }, caller)) ?? unknownTask(task.id)
      if (!isFinished(ended.status)) throw leftWaiting(ended.id, signal)
      return unwrap(toCallResult(ended))
    },
    { starts: true, rated: ratedOf(entry), ...limitOf(entry) },
  )

const startOperations = (doors: TaskDoors, entry: Entry): Operation[] => {
  const start = async (given: DoorStart): Promise<TaskRecord> => {
    const { task } = unwrap(await startTask(doors, entry, given))
    return doors.tasks.record(task, doors.callerOf(given.ctx))
  }
  const plain: Act = (input, ctx, _signal, request) =>
    start({ input, ctx, options: withKey(request), request })
  const withOptions: Act = async (raw, ctx, _signal, request) => {
    const { input, ...options } = read(taskInputs().startWith, raw)
    return start({ input, ctx, options: { ...withKey(request), ...options }, request })
  }
  const extras = { starts: true, rated: ratedOf(entry), ...limitOf(entry) }
  return [
    operation(`${entry.path}.start`, 'mutation', plain, extras),
    operation(`${entry.path}.startWith`, 'mutation', withOptions, extras),
  ]
}

/** The operations of one task procedure. */
export const taskOperations = (doors: TaskDoors, entry: Entry): Operation[] => [
  runOperation(doors, entry),
  ...startOperations(doors, entry),
  ...byId(doors, entry.path, entry.path),
  watchOperation(doors, entry.path),
]

/** The operations over all tasks: `trpc.tasks.list | get | cancel | retry | remove`. */
export const genericTaskOperations = (doors: TaskDoors): Operation[] => {
  const list: Act = async (input, ctx) => {
    const caller = doors.callerOf(ctx)
    if (!doors.listable(caller))
      throw new ProcedureError(
        'FORBIDDEN',
        'Tasks are not listed in production until createApp has an `owner` or `admin` option',
      )
    return doors.tasks.list(read(taskInputs().list, input) ?? {}, caller)
  }
  const remove: Act = async (input, ctx) => {
    const { id } = read(taskInputs().byId, input)
    if (!(await doors.tasks.remove(id, doors.callerOf(ctx)))) return unknownTask(id)
    return undefined
  }
  return [
    operation('tasks.list', 'query', list),
    ...byId(doors, 'tasks', undefined),
    operation('tasks.remove', 'mutation', remove),
  ]
}
