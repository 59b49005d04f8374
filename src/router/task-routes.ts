/** The REST routes of tasks: those of each task procedure, and those by id. */
import { isFinished, type TaskEvent } from '../protocol/task.ts'
import { ProcedureError } from '../procedures/errors.ts'
import { unknownTask } from '../tasks/refusals.ts'
import type { Caller } from '../tasks/tasks.ts'
import { revOf } from '../tasks/record.ts'
import type { StoredTask } from '../tasks/stored-task.ts'
import { enterCall } from './doors.ts'
import type { Entry } from './entries.ts'
import { takePlace } from './guarded-call.ts'
import { emptyReply, jsonReply, type HttpRequest } from './http.ts'
import { compileRespond } from './respond.ts'
import type { RestBinding } from './rest-routes.ts'
import type { PathParams, Route } from './route-table.ts'
import { eventStreamReply, type ServerEvent } from './sse.ts'
import { holding } from './stream-limit.ts'
import { acceptedReply, etag, recordReply, resultReply, RETRY_AFTER, type Context } from './task-replies.ts'
import { header, idOf, knownRevs, readListQuery, readSeconds, search } from './task-requests.ts'
import { callRoute, startRoute } from './task-start-routes.ts'

const callerOf = async ({ doors, taskDoors }: Context, request: HttpRequest): Promise<Caller> =>
  taskDoors.callerOf((await enterCall(doors, request)).ctx)

type Procedure = string | undefined

/** A task the caller may see, and of this procedure where the route names one. */
const findTask = async (
  context: Context,
  id: string,
  caller: Caller,
  procedure: Procedure,
): Promise<StoredTask> => {
  const task = await context.taskDoors.tasks.find(id, caller)
  return task && (procedure === undefined || task.procedure === procedure) ? task : unknownTask(id)
}

const getHandler =
  (context: Context, procedure: Procedure) => async (request: HttpRequest, params: PathParams) => {
    const caller = await callerOf(context, request)
    const found = await findTask(context, idOf(params), caller, procedure)
    const seconds = readSeconds(search(request).get('wait'))
    const known = knownRevs(request)
    // Of several the one that it still has is the one to wait for a change of.
    const after = known.includes(revOf(found)) ? revOf(found) : known[0]
    const task = seconds
      ? ((await context.taskDoors.tasks.wait(
          found.id,
          { timeout: seconds * 1000, after, signal: request.signal },
          caller,
        )) ?? unknownTask(found.id))
      : found
    return known.includes(revOf(task))
      ? emptyReply(304, ['etag', etag(task)])
      : recordReply(context, task, caller)
  }

async function* taskEvents(
  context: Context,
  task: StoredTask,
  request: HttpRequest,
  caller: Caller,
): AsyncGenerator<ServerEvent, void> {
  const after = header(request, 'last-event-id')
  const events = context.taskDoors.tasks.watch(task.id, { after, signal: request.signal }, caller)
  for await (const { id, event } of events) yield { event: event.type, id, data: payloadOf(event) }
}

const payloadOf = (event: TaskEvent): unknown => {
  switch (event.type) {
    case 'state':
    case 'done':
      return event.record
    case 'progress':
      return event.progress
    case 'log':
      return event.log
    case 'gap':
      return null
  }
}

const eventsHandler =
  (context: Context, procedure: Procedure) => async (request: HttpRequest, params: PathParams) => {
    const { ctx } = await enterCall(context.doors, request)
    const caller = context.taskDoors.callerOf(ctx)
    const task = await findTask(context, idOf(params), caller, procedure)
    const last = header(request, 'last-event-id')
    if (last !== undefined && isFinished(task.status) && (await sawEnd(context, task, last, caller)))
      return emptyReply(204)
    const place = takePlace(context.doors, request, ctx)
    return eventStreamReply(holding(taskEvents(context, task, request, caller), place))
  }

/** Whether nothing comes after an event: the caller has seen `done`. A 204 tells an EventSource to stop. */
const sawEnd = async (
  { taskDoors }: Context,
  task: StoredTask,
  last: string,
  caller: Caller,
): Promise<boolean> => {
  const events = taskDoors.tasks.watch(task.id, { after: last, signal: AbortSignal.timeout(1000) }, caller)
  const first = await events.next()
  await events.return()
  return first.done === true || first.value.id === last
}

const cancelHandler =
  (context: Context, procedure: Procedure) => async (request: HttpRequest, params: PathParams) => {
    const caller = await callerOf(context, request)
    const { id } = await findTask(context, idOf(params), caller, procedure)
    const cancelled = (await context.taskDoors.tasks.cancel(id, caller)) ?? unknownTask(id)
    return jsonReply(cancelled.settled ? 200 : 202, JSON.stringify(cancelled.record))
  }

/** The routes of one task procedure; the first is its plain call. */
export const taskProcedureRoutes = (context: Context, binding: RestBinding, prefix: string): Route[] => {
  const { path: procedure } = binding.entry
  const at = { ...binding, path: prefix + binding.path }
  const byId = `${at.path}/tasks/{taskId}`
  const route = (method: string, path: string, handle: Route['handle']): Route => ({
    method,
    path,
    owner: procedure,
    handle,
  })
  return [
    callRoute(context, at),
    startRoute(context, at),
    route('GET', byId, getHandler(context, procedure)),
    route('GET', `${byId}/events`, eventsHandler(context, procedure)),
    route('POST', `${byId}/cancel`, cancelHandler(context, procedure)),
  ]
}

const listHandler = (context: Context) => async (request: HttpRequest) => {
  const caller = await callerOf(context, request)
  if (!context.taskDoors.listable(caller))
    throw new ProcedureError(
      'FORBIDDEN',
      'Tasks are not listed in production until createApp has an `owner` or `admin` option',
    )
  return jsonReply(200, JSON.stringify(await context.taskDoors.tasks.list(readListQuery(request), caller)))
}

const statusHandler = (context: Context) => async (request: HttpRequest, params: PathParams) => {
  const caller = await callerOf(context, request)
  const task = await findTask(context, idOf(params), caller, undefined)
  const { id, status, attempt, progress } = task
  return jsonReply(200, JSON.stringify({ id, status, attempt, progress, rev: revOf(task) }), [
    'etag',
    etag(task),
  ])
}

const resultHandler = (context: Context, entries: ReadonlyMap<string, Entry>) => {
  const responds = new Map([...entries].map(([path, entry]) => [path, compileRespond(entry.definition)]))
  return async (request: HttpRequest, params: PathParams) => {
    const caller = await callerOf(context, request)
    const { id } = await findTask(context, idOf(params), caller, undefined)
    const seconds = readSeconds(search(request).get('wait')) ?? 0
    const { tasks } = context.taskDoors
    const task =
      (await tasks.wait(id, { timeout: seconds * 1000, signal: request.signal }, caller)) ?? unknownTask(id)
    if (!isFinished(task.status)) return acceptedReply(context, task, caller, [])
    const respond =
      responds.get(task.procedure) ?? ((value: unknown) => jsonReply(200, JSON.stringify(value)))
    return resultReply(context, respond, task, request)
  }
}

const retryHandler = (context: Context) => async (request: HttpRequest, params: PathParams) => {
  const caller = await callerOf(context, request)
  const record = (await context.taskDoors.tasks.retry(idOf(params), caller)) ?? unknownTask(idOf(params))
  return jsonReply(202, JSON.stringify(record), ['location', record.links.self, ...RETRY_AFTER])
}

const removeHandler = (context: Context) => async (request: HttpRequest, params: PathParams) => {
  const caller = await callerOf(context, request)
  if (!(await context.taskDoors.tasks.remove(idOf(params), caller))) return unknownTask(idOf(params))
  return emptyReply(204)
}

/** The routes by id, the same for tasks of every procedure. `root` is such as `/api/tasks`. */
export const genericTaskRoutes = (context: Context, root: string, entries: readonly Entry[]): Route[] => {
  const byPath = new Map(entries.map((entry) => [entry.path, entry]))
  const byId = `${root}/{taskId}`
  const route = (method: string, path: string, handle: Route['handle']): Route => ({
    method,
    path,
    owner: 'routes.tasks',
    handle,
  })
  return [
    route('GET', root, listHandler(context)),
    route('GET', byId, getHandler(context, undefined)),
    route('DELETE', byId, removeHandler(context)),
    route('GET', `${byId}/status`, statusHandler(context)),
    route('GET', `${byId}/result`, resultHandler(context, byPath)),
    route('GET', `${byId}/events`, eventsHandler(context, undefined)),
    route('POST', `${byId}/cancel`, cancelHandler(context, undefined)),
    route('POST', `${byId}/retry`, retryHandler(context)),
  ]
}
