/**
 * Task time: delays, backoff, deadlines, timeouts, graces and how long records are kept go by it, so that a test can
 * let days pass in a moment.
 *
 * Not in it: limits on I/O, such as how long a store may take to answer. Those are real time.
 */
/** What a clock gives for a time that was set. */
export interface Timer {
  /** Lets the process end before it rings. */
  unref(): unknown
}

/** Tells the time, and wakes at a later one. */
export interface Clock {
  /** Whole milliseconds since the epoch. */
  now(): number
  /** Calls `ring` once, so many ms from now and never within this call. At most what Node's timers hold. */
  setTimer(ring: () => void, ms: number): Timer
  clearTimer(timer: Timer | undefined): void
}

/** The time of day. */
export const systemClock: Clock = {
  now: () => Date.now(),
  setTimer: (ring, ms) => setTimeout(ring, ms),
  clearTimer: (timer) => clearTimeout(timer as NodeJS.Timeout | undefined),
}

/** Resolves when so many ms have passed. */
export const sleep = (clock: Clock, ms: number): Promise<void> =>
  new Promise((resolve) => void clock.setTimer(resolve, ms))
