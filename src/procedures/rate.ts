/** How often something may happen: so many times in so long, as in `'100/1m'`. */
import { toMilliseconds, type Duration } from '../protocol/duration.ts'

/** So many in so long: `'5/1s'`, `'100/1m'`, `'10000/1d'`. */
export type Rate = `${number}/${number}${'s' | 'm' | 'h' | 'd'}`

/** A rate, read. */
export interface ParsedRate {
  readonly times: number
  readonly seconds: number
  /** As it was written. */
  readonly text: string
}

/** What counts them holds its timers in 31 bits of milliseconds, and Redis its times in whole seconds. */
const LONGEST = 24 * 86_400

const read = (rate: unknown): ParsedRate | undefined => {
  const [text, times, window] = /^([1-9]\d*)\/(\d+(?:\.\d+)?[smhd])$/.exec(String(rate)) ?? []
  if (text === undefined) return undefined
  const seconds = toMilliseconds(window as Duration) / 1000
  const fits = Number.isInteger(seconds) && seconds >= 1 && seconds <= LONGEST
  return fits ? { times: Number(times), seconds, text } : undefined
}

/** What a rate must be, in words. */
export const RATE = "a rate of whole seconds, up to 24 days, such as '100/1m'"

/** Whether a value is a rate. */
export const isRate = (value: unknown): value is Rate => read(value) !== undefined

/**
 * A rate, read.
 * @throws RangeError for what `isRate` denies
 */
export const parseRate = (rate: Rate): ParsedRate => {
  const parsed = read(rate)
  if (parsed) return parsed
  throw new RangeError(`${JSON.stringify(rate)} is not ${RATE}`)
}

/** How far a caller has used up a rate. */
export interface RateState {
  readonly exceeded: boolean
  readonly left: number
  /** Milliseconds until it begins anew. */
  readonly resetsIn: number
}

/** Counts against one rate. */
export interface RateCounter {
  hit(caller: string): Promise<RateState>
}
