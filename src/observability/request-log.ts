/** One line for each request: what was asked, by whom, how it was answered, how long that took. */
import { pathOf, type HttpReply, type HttpRequest } from '../router/http.ts'
import { wants, type Logger } from './logger.ts'

/** What it is written with. */
export interface RequestLogParts {
  readonly logger: Logger
  /** Undefined where callers have no names. */
  readonly ownerOf: ((ctx: unknown) => string | null) | undefined
}

/** Told of a request when its answer is there; of a stream, when it begins. */
export type Answered = (request: HttpRequest, reply: HttpReply, ms: number) => void

// The user's own function, asked about a request that is over.
const ownerIn = ({ ownerOf }: RequestLogParts, { ctx }: HttpRequest): string | null | undefined => {
  if (!ownerOf || ctx === undefined) return undefined
  try {
    return ownerOf(ctx)
  } catch {
    return undefined
  }
}

/** Whose route it was: a procedure's dotted path, those of a batch, or the name of one of our own. */
const procedureOf = ({ match }: HttpRequest): string | undefined =>
  match && (match.route.owner === 'routes.trpc' ? match.params['path'] : match.route.owner)

/** Compiles the log of requests; undefined when nobody reads it. */
export const createRequestLog = (parts: RequestLogParts): Answered | undefined => {
  const { logger } = parts
  if (!wants(logger, 'info')) return undefined
  return (request, { status }, ms) => {
    const { method, match, requestId, traced, taskId } = request
    const path = pathOf(request.url)
    const fields: Record<string, unknown> = {
      requestId,
      method,
      path,
      status,
      ms: Math.round(ms * 100) / 100,
    }
    const procedure = procedureOf(request)
    if (procedure !== undefined) fields['procedure'] = procedure
    const owner = ownerIn(parts, request)
    if (owner !== undefined && owner !== null) fields['owner'] = owner
    if (taskId !== undefined) fields['taskId'] = taskId
    if (traced) fields['traceId'] = traced.traceId
    // Whoever asks how the process is does so every few seconds.
    if (match?.route.always) logger.debug?.(fields, 'request')
    else logger.info(fields, 'request')
  }
}
