/** Errors on the tRPC door: tRPC's standard shape, with `data.issues` and `data.error` where there are some. */
import { TRPCError } from '@trpc/server'
import {
  codeForStatus,
  ERROR_CODES,
  isErrorCode,
  type ErrorCode,
  type ErrorData,
} from '../protocol/errors.ts'
import { isProcedureError, toErrorData, toProcedureError } from '../procedures/errors.ts'
import type { ErrorShape } from '../procedures/procedure.ts'

/** The tRPC key of an error: its own code where that is one, else the one for its status. */
export const trpcCode = (error: ErrorData): ErrorCode =>
  isErrorCode(error.code) ? error.code : codeForStatus(error.status)

/** The shape of an error; its members stand in the order tRPC writes them. */
export const toShape = (error: ErrorData, path: string | undefined): ErrorShape => {
  const code = trpcCode(error)
  const named = error.declared || error.code !== code || error.data !== undefined
  return {
    message: error.message,
    code: ERROR_CODES[code].rpc,
    data: {
      code,
      httpStatus: error.status,
      ...(path === undefined ? {} : { path }),
      ...(error.issues ? { issues: error.issues } : {}),
      ...(error.retryAfter === undefined ? {} : { retryAfter: error.retryAfter }),
      ...(named ? { error: { code: error.code, data: error.data } } : {}),
    },
  }
}

/** Error data as the error that tRPC's own code passes around. */
export const toTRPCError = (error: ErrorData): TRPCError =>
  new TRPCError({ code: trpcCode(error), message: error.message, cause: toProcedureError(error) })

/** What tRPC's error formatter is to send: ours as we made it, tRPC's own as it is, and nothing of anything else. */
export const formatError = (
  error: TRPCError,
  standard: ErrorShape,
  path: string | undefined,
  reveal: boolean,
): ErrorShape => {
  if (isProcedureError(error.cause)) return toShape(toErrorData(error.cause), path)
  if (error.code !== 'INTERNAL_SERVER_ERROR' || reveal) return standard
  return { ...standard, message: 'Internal server error' }
}
