/** Calls that are counted before they run, and streams that hold a place while they are open. */
import type { CallEnvironment } from '../procedures/call.ts'
import { failure, success, toFailure, type CallResult } from '../procedures/failure.ts'
import { isRate, parseRate } from '../procedures/rate.ts'
import { callerKey, type Doors } from './doors.ts'
import type { Entry } from './entries.ts'
import type { HttpRequest } from './http.ts'
import { holding, type Release } from './stream-limit.ts'
import type { Rated } from './throttle.ts'

/** A call as a door makes it; without a request it comes from the server's own code. */
export type DoorCall = (
  input: unknown,
  environment: CallEnvironment,
  request: HttpRequest | undefined,
) => CallResult | Promise<CallResult>

/** The rate of an entry. */
export const ratedOf = ({ path, definition }: Entry): Rated => {
  const { rateLimit } = definition.meta
  // The meta of a plain tRPC procedure may mean something else by it.
  return { path, rate: isRate(rateLimit) ? parseRate(rateLimit) : undefined }
}

/** Counts each call. */
export const countCalls = (doors: Doors, rated: Rated | undefined, call: DoorCall): DoorCall => {
  const { throttle } = doors
  if (!throttle) return call
  return async (input, environment, request) => {
    try {
      if (request) await throttle.count(request, callerKey(doors, request, environment.ctx), rated)
    } catch (thrown) {
      return failure(toFailure(thrown))
    }
    return call(input, environment, request)
  }
}

/**
 * Takes a place for a stream, until the caller hangs up or it is let go of.
 * @throws ProcedureError when there is none
 */
export const takePlace = (doors: Doors, request: HttpRequest, ctx: unknown): Release => {
  const release = doors.streams.take(callerKey(doors, request, ctx))
  // Whoever was to read may never have begun.
  if (request.signal.aborted) release()
  else request.signal.addEventListener('abort', release, { once: true })
  return release
}

const isStream = (value: unknown): value is AsyncIterable<unknown> =>
  typeof value === 'object' && value !== null && Symbol.asyncIterator in value

/** Lets a call that gives a stream have a place for it first. */
export const holdPlace =
  (doors: Doors, call: DoorCall): DoorCall =>
  async (input, environment, request) => {
    if (!request) return call(input, environment, request)
    let release: Release
    try {
      release = takePlace(doors, request, environment.ctx)
    } catch (thrown) {
      return failure(toFailure(thrown))
    }
    const result = await call(input, environment, request)
    if (result.ok && isStream(result.value)) return success(holding(result.value, release))
    release()
    return result
  }
