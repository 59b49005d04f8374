/** The REST routes of queries, mutations and subscriptions. Tasks have their own file. */
import { toUrlPath } from '../protocol/paths.ts'
import type { Call } from '../procedures/call.ts'
import { toFailure, type CallResult } from '../procedures/failure.ts'
import type { MaybePromise } from '../procedures/handler.ts'
import { toBytes } from './body-limit.ts'
import { enterCall, leave, type Doors, type RequestEnvironment } from './doors.ts'
import type { Complaint, Entry } from './entries.ts'
import { holdPlace, ratedOf, type DoorCall } from './guarded-call.ts'
import { endingBoth } from './leaving.ts'
import { pathOf, type HttpReply, type HttpRequest } from './http.ts'
import { problemReply, toProblem } from './problem.ts'
import { compileRespond, type Respond } from './respond.ts'
import { restMetaProblems } from './rest-meta.ts'
import { compileInput, takesForm, type InputSource, type ReadInput } from './rest-input.ts'
import { templateParameters, type Route, type RouteHandler } from './route-table.ts'
import { eventStreamReply, type ServerEvent } from './sse.ts'
import { fieldsOf } from './text-values.ts'
import type { Rated } from './throttle.ts'

/** How a procedure is reached over REST: one binding a route. */
export interface RestBinding {
  readonly entry: Entry
  readonly method: string
  /** Below the prefix. */
  readonly path: string
  readonly source: InputSource
  /** Left out of the document: the GET that every query also answers. */
  readonly hidden: boolean
}

const readsQuery = (method: string): boolean => method === 'GET' || method === 'DELETE' || method === 'HEAD'

const bind = (
  entry: Entry,
  method: string,
  path: string,
  bodyLimit: number,
  hidden = false,
): RestBinding => ({
  entry,
  method,
  path,
  hidden,
  source: {
    from: readsQuery(method) ? 'query' : 'body',
    pathFields: templateParameters(path),
    in: entry.definition.meta.rest?.in ?? {},
    form: takesForm(entry.definition),
    bodyLimit:
      entry.definition.meta.bodyLimit === undefined ? bodyLimit : toBytes(entry.definition.meta.bodyLimit),
  },
})

/** The REST bindings of a procedure: `meta.rest` alone, or `POST /{fn}` with GET beside it for reading ones. */
export const restBindings = (entry: Entry, bodyLimit: number): RestBinding[] => {
  const { meta } = entry.definition
  const path = meta.rest?.path ?? toUrlPath(entry.path)
  if (meta.rest) return [bind(entry, meta.rest.method ?? 'POST', path, bodyLimit)]
  const post = bind(entry, 'POST', path, bodyLimit)
  const reads = (entry.kind === 'query' || entry.kind === 'subscription') && !entry.restOnly
  return reads ? [post, bind(entry, 'GET', path, bodyLimit, true)] : [post]
}

/** Complains of fields that a route names and the input lacks. */
export const checkBinding = (
  { entry, path, source }: RestBinding,
  complain: (complaint: Complaint) => void,
): void => {
  const fields = fieldsOf(entry.definition.input)
  const wanted = [...source.pathFields, ...Object.keys(source.in)]
  for (const name of wanted)
    if (!fields || !Object.hasOwn(fields, name))
      complain({
        at: entry.path,
        text: `meta.rest takes ${JSON.stringify(name)} from ${path}, but the input has no such field: add it, or rename the parameter`,
      })
  for (const place of Object.values(source.in))
    if (!/^(header|cookie|query):./.test(place))
      complain({
        at: entry.path,
        text: `meta.rest.in has ${JSON.stringify(place)}, expected header:name, cookie:name or query:name`,
      })
  for (const text of restMetaProblems(entry.definition)) complain({ at: entry.path, text })
}

const reply = (
  doors: Doors,
  entry: Entry,
  respond: Respond,
  request: HttpRequest,
  result: CallResult,
): HttpReply => {
  if (!result.ok) return problemReply(leave(doors, result.error, entry.path, request), pathOf(request.url))
  const answer = respond(result.value)
  if (!entry.restOnly) return answer
  return { ...answer, failed: (thrown) => void leave(doors, toFailure(thrown), entry.path, request) }
}

type Finish = (request: HttpRequest, result: CallResult) => HttpReply

const run = (
  call: DoorCall,
  input: unknown,
  environment: RequestEnvironment,
  request: HttpRequest,
  finish: Finish,
) => {
  const result = call(input, environment, request)
  return result instanceof Promise ? result.then((done) => finish(request, done)) : finish(request, result)
}

// Context first, then the body: a stranger's body is never read. Nothing waits that needn't.
const compileHandler =
  (doors: Doors, rated: Rated, call: DoorCall, read: ReadInput, finish: Finish): RouteHandler =>
  (request, params) => {
    const answer = (environment: RequestEnvironment): MaybePromise<HttpReply> =>
      read(request, params, (input) => run(call, input, environment, request, finish))
    const environment = enterCall(doors, request, rated)
    return environment instanceof Promise ? environment.then(answer) : answer(environment)
  }

async function* toServerEvents(
  doors: Doors,
  entry: Entry,
  items: AsyncIterable<unknown>,
  request: HttpRequest,
): AsyncGenerator<ServerEvent, void> {
  try {
    for await (const data of items) yield { data }
    yield { event: 'done', data: null }
  } catch (thrown) {
    // Nobody is left to hear of it, and stopping is what the signal asked for.
    if (request.signal.aborted) return
    yield {
      event: 'error',
      data: toProblem(leave(doors, toFailure(thrown), entry.path, request), pathOf(request.url)),
    }
  }
}

const compileFinish = (doors: Doors, entry: Entry): Finish => {
  if (entry.kind !== 'subscription') {
    const respond = compileRespond(entry.definition)
    return (request, result) => reply(doors, entry, respond, request, result)
  }
  const stream =
    (request: HttpRequest): Respond =>
    (value) => {
      const items = value as AsyncIterable<unknown>
      return eventStreamReply(endingBoth(toServerEvents(doors, entry, items, request), items))
    }
  return (request, result) => reply(doors, entry, stream(request), request, result)
}

/** The route of a binding of a query, mutation or subscription. */
export const restRoute = (doors: Doors, binding: RestBinding, prefix: string): Route => {
  const { entry, method, path, source } = binding
  const read = compileInput(entry.definition, source)
  const finish = compileFinish(doors, entry)
  const plain = entry.call as Call
  const call = entry.kind === 'subscription' ? holdPlace(doors, plain) : plain
  return {
    method,
    path: prefix + path,
    owner: entry.path,
    handle: compileHandler(doors, ratedOf(entry), call, read, finish),
  }
}
