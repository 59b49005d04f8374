/**
 * Calls sent ahead, and how a host gets them back from a worker whose busy loop reads no messages.
 *
 * A call sent ahead is lent until a time on the clock that both share. Its worker runs it only if the word
 * that it begins had left for the host by then. So the host, when that time is past and all that had arrived
 * is read, knows for certain: a call not begun by now never will be, and another worker may have it.
 */

/** Milliseconds that a call is lent for. */
export const LEASE = 20
/** Milliseconds before its end in which a worker begins nothing, to be sure that its word is away in time. */
const MARGIN = 10

/** Milliseconds on the system's monotonic clock: the same in every thread and process of a machine. */
export const clock = (): number => {
  const [seconds, nanoseconds] = process.hrtime()
  return seconds * 1e3 + nanoseconds / 1e6
}

/** Worker: whether there is time to begin. A call that was not lent has no end. */
export const hasTimeToBegin = (until: number | undefined): boolean =>
  until === undefined || clock() < until - MARGIN

/** Worker: whether the word went out in time. */
export const isInTime = (until: number | undefined): boolean => until === undefined || clock() < until
