/** What is refused before anything looks into it: too long a URL, and anything at all while there is too much to do. */
import type { Limits } from '../config/limits.ts'
import { errorData, type ErrorData } from '../protocol/errors.ts'
import type { PressureGauge } from './pressure.ts'
import type { Route } from './route-table.ts'

/** Refuses a request to a route, or to none. */
export type Gate = (url: string, route: Route | undefined) => ErrorData | undefined

/** Batches of tRPC are the long URLs that are meant well. */
export const longUrlText = (longest: number): string =>
  `The URL is longer than the ${longest} characters allowed here. ` +
  `A batch link of tRPC makes several requests of it with maxURLLength: ${longest}`

const tooLong = (message: string): ErrorData => ({ ...errorData('BAD_REQUEST', message), status: 414 })

const hasMoreFields = (url: string, limit: number): boolean => {
  const start = url.indexOf('?')
  if (start < 0) return false
  let fields = start + 1 < url.length ? 1 : 0
  for (let at = url.indexOf('&', start); at >= 0 && fields <= limit; at = url.indexOf('&', at + 1)) fields++
  return fields > limit
}

const OVERLOADED = errorData('SERVICE_UNAVAILABLE', 'The server has too much to do; try again soon', {
  retryAfter: 1,
})

/** Compiles the gate. */
export const compileGate = ({ url: longest, queryFields }: Limits, pressure: PressureGauge): Gate => {
  const longUrl = tooLong(longUrlText(longest))
  const manyFields = tooLong(`The query has more than the ${queryFields} fields allowed here`)
  return (url, route) => {
    if (url.length > longest) return longUrl
    if (hasMoreFields(url, queryFields)) return manyFields
    return pressure.high && !route?.always ? OVERLOADED : undefined
  }
}
