/** The REST routes of tasks: a task's own call, the routes by procedure, and the routes by id. */
import { isFinished, type TaskEvent, type TaskStatus } from '../protocol/task.ts'
import { ProcedureError } from '../procedures/errors.ts'
import { toWireError } from '../procedures/failure.ts'
import type { RepeatableStart } from '../procedures/procedure.ts'
import { unknownTask } from '../tasks/refusals.ts'
import type { Caller, ListQuery, Started } from '../tasks/tasks.ts'
import { revOf } from '../tasks/record.ts'
import type { StoredTask } from '../tasks/stored-task.ts'
import { enterCall, leave, type Doors } from './doors.ts'
import type { Entry } from './entries.ts'
import { ratedOf, takePlace } from './guarded-call.ts'
import { emptyReply, jsonReply, pathOf, queryOf, type HttpReply, type HttpRequest } from './http.ts'
import { readPrefer, type Preference } from './prefer.ts'
import { problemReply } from './problem.ts'
import { compileRespond } from './respond.ts'
import { compileInput, type InputSource } from './rest-input.ts'
import type { RestBinding } from './rest-routes.ts'
import type { PathParams, Route } from './route-table.ts'
import { eventStreamReply, type ServerEvent } from './sse.ts'
import { holding } from './stream-limit.ts'
import { startTask, toCallResult, type TaskDoors } from './task-service.ts'

/** Seconds until asking again makes sense. */
const RETRY_AFTER = ['retry-after', '1'] as const
const LONGEST_WAIT = 30

interface Context {
  readonly doors: Doors
  readonly taskDoors: TaskDoors
}

const callerOf = async ({ doors, taskDoors }: Context, request: HttpRequest): Promise<Caller> =>
  taskDoors.callerOf((await enterCall(doors, request)).ctx)

const search = (request: HttpRequest): URLSearchParams => new URLSearchParams(queryOf(request.url))

const readSeconds = (text: string | null): number | undefined => {
  if (text === null) return undefined
  const seconds = Number(text)
  if (text !== '' && seconds >= 0 && seconds <= LONGEST_WAIT) return seconds
  throw new ProcedureError(
    'BAD_REQUEST',
    `wait is ${JSON.stringify(text)}, expected seconds from 0 to ${LONGEST_WAIT}`,
  )
}

const header = (request: HttpRequest, name: string): string | undefined => request.header(name)

type ReadStart = (request: HttpRequest) => RepeatableStart

/** The options of a start from its headers. */
const readStartHeaders: ReadStart = (request) => {
  const priority = header(request, 'task-priority')
  const tags = header(request, 'task-tags')
  const delay = header(request, 'task-delay')
  return {
    idempotencyKey: header(request, 'idempotency-key'),
    runAt: header(request, 'task-run-at'),
    delay: delay !== undefined && /^\d+$/.test(delay) ? Number(delay) : delay,
    priority: priority === undefined ? undefined : Number(priority),
    tags:
      tags === undefined
        ? undefined
        : tags
            .split(',')
            .map((tag) => tag.trim())
            .filter(Boolean),
  }
}

// In the query: a header of ours would need every proxy's and gateway's leave to come from a page of another origin.
const readRepeatableStart: ReadStart = (request) => ({
  ...readStartHeaders(request),
  retryKey: search(request).get('retryKey') ?? undefined,
})

const etag = (task: StoredTask): string => `"${revOf(task)}"`

const location = ({ taskDoors }: Context, task: StoredTask): string => taskDoors.links(task).self

const recordReply = (context: Context, task: StoredTask, caller: Caller): HttpReply =>
  jsonReply(200, JSON.stringify(context.taskDoors.tasks.record(task, caller)), [
    'etag',
    etag(task),
    ...(isFinished(task.status) ? [] : RETRY_AFTER),
  ])

const acceptedReply = (
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

const replayedHeader = (replayed: boolean): readonly string[] =>
  replayed ? ['idempotency-replayed', 'true'] : []

const NO_PREFERENCE: Preference = { respondAsync: false, applied: [] }

/** What the caller wants: to wait, or a record. */
const wantsOf = (entry: Entry, request: HttpRequest): Preference => {
  const asked = readPrefer(header(request, 'prefer'))
  if (asked.respondAsync) return asked
  const flag = search(request).get('async')
  const always = entry.definition.task?.mode === 'always'
  if (always || flag === 'true' || flag === '1') return { respondAsync: true, applied: [] }
  return NO_PREFERENCE
}

const waitOf = ({ respondAsync, wait }: Preference): number => (respondAsync ? (wait ?? 0) * 1000 : Infinity)

const asItIs = (input: unknown): unknown => input

/** Answers for a task that was started. */
type Answer = (started: Started, caller: Caller, request: HttpRequest) => HttpReply | Promise<HttpReply>

/** Reads the input, admits the caller and starts the task; what then is said differs by route. */
const startHandler = (
  context: Context,
  entry: Entry,
  source: InputSource,
  readStart: ReadStart,
  answer: Answer,
): Route['handle'] => {
  const { doors, taskDoors } = context
  const read = compileInput(entry.definition, source)
  const rated = ratedOf(entry)
  return async (request, params) => {
    const { ctx } = await enterCall(doors, request, rated)
    const input = await read(request, params, asItIs)
    const started = await startTask(taskDoors, entry, input, ctx, readStart(request))
    if (!started.ok) return problemReply(leave(doors, started.error, entry.path), pathOf(request.url))
    return answer(started.value, taskDoors.callerOf(ctx), request)
  }
}

/** `POST /{task}`: starts and waits, as long as the caller prefers; the task goes on without a caller. */
const callRoute = (context: Context, binding: RestBinding): Route => {
  const { entry, method, path, source } = binding
  const respond = compileRespond(entry.definition)
  const answer: Answer = async ({ task, replayed }, caller, request) => {
    const wants = wantsOf(entry, request)
    const extra = [...wants.applied, ...replayedHeader(replayed)]
    const query = { timeout: waitOf(wants), signal: request.signal }
    const ended = await context.taskDoors.tasks.wait(task.id, query, caller)
    if (!ended || !isFinished(ended.status)) return acceptedReply(context, ended ?? task, caller, extra)
    const at = ['content-location', location(context, task)]
    return withHeaders(resultReply(context, respond, ended, request), [...at, ...extra])
  }
  return {
    method,
    path,
    owner: entry.path,
    handle: startHandler(context, entry, source, readStartHeaders, answer),
  }
}

const withHeaders = (reply: HttpReply, headers: readonly string[]): HttpReply => ({
  ...reply,
  headers: [...reply.headers, ...headers],
})

/** Exactly what a waiting call is sent. A failure was reported when it happened; here it is only shown. */
const resultReply = (
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

/** `POST /{task}/tasks`: starts and answers with the record. */
const startRoute = (context: Context, { entry, path, source }: RestBinding): Route => {
  const answer: Answer = ({ task, replayed }, caller) =>
    acceptedReply(context, task, caller, replayedHeader(replayed))
  const handle = startHandler(context, entry, { ...source, from: 'body' }, readRepeatableStart, answer)
  return { method: 'POST', path: `${path}/tasks`, owner: entry.path, handle }
}

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

const idOf = (params: PathParams): string => params['taskId'] as string

/** The revs that the caller has (RFC 9110 §13.1.2). */
const knownRevs = (request: HttpRequest): string[] =>
  [...(header(request, 'if-none-match') ?? '').matchAll(/"([^"]*)"/g)].map((match) => match[1] as string)

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

const STATUSES: readonly string[] = ['queued', 'running', 'succeeded', 'failed', 'cancelled']

const readLimit = (text: string | null): number | undefined => {
  if (text === null) return undefined
  const limit = Number(text)
  if (Number.isInteger(limit) && limit >= 1 && limit <= 200) return limit
  throw new ProcedureError(
    'BAD_REQUEST',
    `limit is ${JSON.stringify(text)}, expected a whole number from 1 to 200`,
  )
}

const readStatus = (text: string | null): TaskStatus | undefined => {
  if (text === null || STATUSES.includes(text)) return (text ?? undefined) as TaskStatus | undefined
  throw new ProcedureError(
    'BAD_REQUEST',
    `status is ${JSON.stringify(text)}, expected one of ${STATUSES.join(', ')}`,
  )
}

const readListQuery = (request: HttpRequest): ListQuery => {
  const query = search(request)
  return {
    procedure: query.get('procedure') ?? undefined,
    status: readStatus(query.get('status')),
    tag: query.get('tag') ?? undefined,
    limit: readLimit(query.get('limit')),
    cursor: query.get('cursor') ?? undefined,
  }
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
