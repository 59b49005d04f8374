/** What every door needs of the app: contexts, tasks, and a place to report failures. */
import type { CallEnvironment } from '../procedures/call.ts'
import { toWireError, type CallResult, type Failure } from '../procedures/failure.ts'
import type { MaybePromise, TaskStarter } from '../procedures/handler.ts'
import type { ErrorData } from '../protocol/errors.ts'
import type { ContextRequest, HttpRequest } from './http.ts'
import type { StreamLimit } from './stream-limit.ts'
import type { Rated, Throttle } from './throttle.ts'

/** Stands around a call; without a request the server's own code calls. */
export type TraceCall = (
  path: string,
  request: HttpRequest | undefined,
  call: () => MaybePromise<CallResult>,
) => MaybePromise<CallResult>

/** Shared by all doors of one app. */
export interface Doors {
  readonly createContext: (request: ContextRequest) => MaybePromise<unknown>
  readonly tasks: TaskStarter
  /** Whether internal messages go to callers: development only. */
  readonly reveal: boolean
  /** Bytes; a procedure's `meta.bodyLimit` wins. */
  readonly bodyLimit: number
  /** Told of every failure; logs those that aren't the caller's. */
  readonly report: (failure: Failure, path: string, request: HttpRequest | undefined) => void
  /** Who a context stands for; null for a stranger. */
  readonly ownerOf: (ctx: unknown) => string | null
  /** What a stranger is counted by. */
  readonly strangerKey: (request: HttpRequest) => string
  /** Counts calls, where something has a rate. */
  readonly throttle: Throttle | undefined
  readonly streams: StreamLimit
  readonly traceCall: TraceCall
}

/** A call's environment on a request. */
export class RequestEnvironment implements CallEnvironment {
  readonly ctx: unknown
  readonly tasks: TaskStarter
  readonly #request: ContextRequest

  constructor(ctx: unknown, request: ContextRequest, tasks: TaskStarter) {
    this.ctx = ctx
    this.#request = request
    this.tasks = tasks
  }

  get signal(): AbortSignal {
    return this.#request.signal
  }
}

/** A failure as it leaves through a door: reported, then stripped of what is internal. */
export const leave = (
  doors: Doors,
  failure: Failure,
  path: string,
  request: HttpRequest | undefined,
): ErrorData => {
  doors.report(failure, path, request)
  return toWireError(failure, doors.reveal)
}

/** What a caller is counted by: his name, or else where he comes from. */
export const callerKey = (doors: Doors, request: HttpRequest, ctx: unknown): string => {
  const owner = doors.ownerOf(ctx)
  return owner === null ? doors.strangerKey(request) : `owner:${owner}`
}

// A caller who is refused for what he says of himself has called, too: else he could try for as long as he likes.
const countedContext = async (doors: Doors, throttle: Throttle, request: HttpRequest): Promise<unknown> => {
  try {
    return await doors.createContext(request)
  } catch (thrown) {
    await throttle.count(request, doors.strangerKey(request))
    throw thrown
  }
}

const remember = (request: HttpRequest, ctx: unknown): unknown => (request.ctx = ctx)

/** Makes the context of a request; waits only for a `createContext` that does. */
export const contextOf = (doors: Doors, request: HttpRequest): MaybePromise<unknown> => {
  const ctx = doors.throttle ? countedContext(doors, doors.throttle, request) : doors.createContext(request)
  return ctx instanceof Promise ? ctx.then((made) => remember(request, made)) : remember(request, ctx)
}

/** Makes the environment of the calls of a request. */
export const enter = (doors: Doors, request: HttpRequest): MaybePromise<RequestEnvironment> => {
  const ctx = contextOf(doors, request)
  return ctx instanceof Promise
    ? ctx.then((done: unknown) => new RequestEnvironment(done, request, doors.tasks))
    : new RequestEnvironment(ctx, request, doors.tasks)
}

/** Makes the environment of a request that is one call, and counts it. */
export const enterCall = (
  doors: Doors,
  request: HttpRequest,
  rated?: Rated,
): MaybePromise<RequestEnvironment> => {
  const environment = enter(doors, request)
  return doors.throttle ? counted(doors, doors.throttle, request, environment, rated) : environment
}

const counted = async (
  doors: Doors,
  throttle: Throttle,
  request: HttpRequest,
  entering: MaybePromise<RequestEnvironment>,
  rated: Rated | undefined,
): Promise<RequestEnvironment> => {
  const environment = await entering
  await throttle.count(request, callerKey(doors, request, environment.ctx), rated)
  return environment
}
