/** What every door needs of the app: contexts, tasks, and a place to report failures. */
import type { CallEnvironment } from '../procedures/call.ts'
import { toWireError, type Failure } from '../procedures/failure.ts'
import type { MaybePromise, TaskStarter } from '../procedures/handler.ts'
import type { ErrorData } from '../protocol/errors.ts'
import type { ContextRequest, HttpRequest } from './http.ts'

/** Shared by all doors of one app. */
export interface Doors {
  readonly createContext: (request: ContextRequest) => MaybePromise<unknown>
  readonly tasks: TaskStarter
  /** Whether internal messages go to callers: development only. */
  readonly reveal: boolean
  /** Bytes; a procedure's `meta.bodyLimit` wins. */
  readonly bodyLimit: number
  /** Told of every failure; logs those that aren't the caller's. */
  readonly report: (failure: Failure, path: string) => void
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
export const leave = (doors: Doors, failure: Failure, path: string): ErrorData => {
  doors.report(failure, path)
  return toWireError(failure, doors.reveal)
}

/** Makes the environment of a call; waits only for a `createContext` that does. */
export const enter = (doors: Doors, request: HttpRequest): MaybePromise<RequestEnvironment> => {
  const ctx = doors.createContext(request)
  return ctx instanceof Promise
    ? ctx.then((done: unknown) => new RequestEnvironment(done, request, doors.tasks))
    : new RequestEnvironment(ctx, request, doors.tasks)
}
