/** Trying again where a failure may pass by itself: how long to wait, and when to give up. */
import { pause } from './stop.ts'

/** Knows of a failure whether it may pass. */
export interface Judge {
  /**
   * Seconds that the other side asked to wait, 0 where it said nothing; undefined for a failure that is final.
   * A dropped connection, a restart and "not now" may pass.
   */
  retryAfter?(error: unknown): number | undefined
}

const FIRST = 200
const LONGEST = 5000

/**
 * Milliseconds to wait after so many failures in a row: longer each time, and at random, so that all who lost one
 * server don't come back in step.
 */
export const patience = (failures: number, seconds = 0): number =>
  seconds * 1000 + Math.min(FIRST * 2 ** failures, LONGEST) * (0.5 + Math.random() / 2)

/** How often a call is made that somebody waits for: for some six seconds, where nobody asks for more. */
export const TRIES = 6

const NEVER = new AbortController().signal

/** Acts again and again while failures may pass, at most so many times. */
export const insist = async <T>(
  judge: Judge,
  act: () => Promise<T>,
  { tries = Infinity, signal = NEVER }: { readonly tries?: number; readonly signal?: AbortSignal },
): Promise<T> => {
  for (let failures = 0; ; failures++) {
    signal.throwIfAborted()
    try {
      return await act()
    } catch (error) {
      const seconds = judge.retryAfter?.(error)
      if (seconds === undefined || failures + 1 >= tries) throw error
      await pause(patience(failures, seconds), signal)
    }
  }
}
