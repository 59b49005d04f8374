/** Which failures of Postgres pass by themselves: those are told as `EngineUnavailable`, and callers get 503. */
import { EngineUnavailable } from '../../engine.ts'

/**
 * Classes and codes (Appendix A of Postgres's manual): connection, authorization, resources, shut-down, another
 * transaction in the way, a server that only reads.
 */
const PASSING = /^(08|28|53|57P|57014$|40001$|40P01$|55P03$|25P03$|25006$)/

/**
 * A server's code has five characters, a digit among them, which EPIPE has not; whatever fails without one never reached a
 * server, or lost it.
 */
const isFromServer = (code: unknown): code is string =>
  typeof code === 'string' && /^(?=.*\d)[0-9A-Z]{5}$/.test(code)

/** One statement stood in the way of another: it may be one task's doing, where several are written at once. */
const BLOCKED = new Set(['55P03', '57014', '40001', '40P01'])

/** The code of a failure, be it told as unavailable. */
export const codeOf = (error: unknown): string | undefined => {
  const { code, cause } = error as { code?: unknown; cause?: unknown }
  if (isFromServer(code)) return code
  return cause === undefined || cause === null ? undefined : codeOf(cause)
}

/** Whether the failure may be that of one of several that were written together. */
export const mayBeOnes = (error: unknown): boolean =>
  !(error instanceof EngineUnavailable) || BLOCKED.has(codeOf(error) ?? '')

/** A failure as callers get it. */
export const toFailure = (error: unknown): unknown => {
  if (error instanceof EngineUnavailable) return error
  const { code, message } = error as { code?: unknown; message: string }
  if (isFromServer(code) && !PASSING.test(code)) return error
  return new EngineUnavailable(`The database of pgmq() can't be reached or is busy: ${message}`, {
    cause: error,
  })
}
