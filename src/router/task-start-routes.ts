/** The two routes that start a task: its plain call, which waits, and the one that answers with the record. */
import { isFinished } from '../protocol/task.ts'
import type { Caller, Started } from '../tasks/tasks.ts'
import { enterCall, leave } from './doors.ts'
import type { Entry } from './entries.ts'
import { ratedOf } from './guarded-call.ts'
import { pathOf, type HttpReply, type HttpRequest } from './http.ts'
import { problemReply } from './problem.ts'
import { compileRespond } from './respond.ts'
import { compileInput, type InputSource } from './rest-input.ts'
import type { RestBinding } from './rest-routes.ts'
import type { Route } from './route-table.ts'
import {
  acceptedReply,
  location,
  replayedHeader,
  resultReply,
  withHeaders,
  type Context,
} from './task-replies.ts'
import { readRepeatableStart, readStartHeaders, waitOf, wantsOf, type ReadStart } from './task-requests.ts'
import { startTask } from './task-service.ts'

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
    const started = await startTask(taskDoors, entry, { input, ctx, options: readStart(request), request })
    if (!started.ok)
      return problemReply(leave(doors, started.error, entry.path, request), pathOf(request.url))
    return answer(started.value, taskDoors.callerOf(ctx), request)
  }
}

/** `POST /{task}`: starts and waits, as long as the caller prefers; the task goes on without a caller. */
export const callRoute = (context: Context, binding: RestBinding): Route => {
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

/** `POST /{task}/tasks`: starts and answers with the record. */
export const startRoute = (context: Context, { entry, path, source }: RestBinding): Route => {
  const answer: Answer = ({ task, replayed }, caller) =>
    acceptedReply(context, task, caller, replayedHeader(replayed))
  const handle = startHandler(context, entry, { ...source, from: 'body' }, readRepeatableStart, answer)
  return { method: 'POST', path: `${path}/tasks`, owner: entry.path, handle }
}
