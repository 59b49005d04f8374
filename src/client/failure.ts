/** What a client can tell of a failed call: whether it may pass, and how long to wait. */

/** Says "not now": a limit, a restart, a proxy that lost its server. */
const FOR_NOW: readonly unknown[] = [429, 502, 503, 504]

/** The answer's status and what it says of when to come back. */
interface Refusal {
  readonly status?: number | undefined
  /** Seconds. */
  readonly retryAfter?: number | undefined
}

interface Failure extends Refusal {
  readonly code?: string
  /** Of tRPC, from an answer of Errand's. */
  readonly data?: { readonly httpStatus?: number; readonly retryAfter?: number } | null
  readonly cause?: Failure
}

// `Retry-After` is seconds or a date (RFC 9110 §10.2.3).
const secondsIn = (text: string): number =>
  Math.max(0, Number.isNaN(Number(text)) ? (Date.parse(text) - Date.now()) / 1000 : Number(text)) || 0

/** What an answer says of itself. */
export const refusalOf = ({ status, headers }: Response): Refusal => ({
  status,
  retryAfter: secondsIn(headers.get('retry-after') ?? ''),
})

// A problem of the REST door and what our own fetches throw have a status; tRPC wraps the latter.
const toRefusal = ({ status, retryAfter, data, cause }: Failure): Refusal =>
  status === undefined
    ? data?.httpStatus === undefined
      ? (cause ?? {})
      : { status: data.httpStatus, retryAfter: data.retryAfter }
    : { status, retryAfter }

// Without an address to ask, asking again makes no sense.
const isHomeless = ({ code, cause }: Failure): boolean =>
  code === 'ERR_INVALID_URL' || (!!cause && isHomeless(cause))

/** Seconds to wait before another try, 0 where nobody said; undefined when another makes no sense. */
export const retryAfter = (error: unknown): number | undefined => {
  const { status, retryAfter: seconds = 0 } = toRefusal(error as Failure)
  const mayPass = status === undefined ? !isHomeless(error as Failure) : FOR_NOW.includes(status)
  return mayPass ? seconds : undefined
}
