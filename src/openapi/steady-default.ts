/** Tells a default that is a constant from one that a function makes anew: the time, a random id. */
import type { AnyDef } from '../procedures/inspect.ts'

/** 400 days, 11 hours, 7 minutes, 13.579 seconds: no part of a time stays the same. */
const AWAY = 34_600_033_579

const textOf = (def: AnyDef): string => {
  try {
    const value: unknown = def.type === 'catch' ? def.catchValue(undefined) : def.defaultValue
    return JSON.stringify(value) ?? 'undefined'
  } catch {
    return ''
  }
}

/** Does something on another day. Nothing else runs meanwhile: it is synchronous. */
const onAnotherDay = <T>(act: () => T): T => {
  const Real = globalThis.Date
  const now = Real.now() + AWAY
  class Shifted extends Real {
    constructor(...args: []) {
      if (args.length === 0) super(now)
      else super(...args)
    }
    static override now = (): number => now
  }
  globalThis.Date = Shifted as DateConstructor
  try {
    return act()
  } finally {
    globalThis.Date = Real
  }
}

/**
 * Whether a default is the same whenever it is asked for. zod doesn't tell a constant from a function, and
 * two calls in one millisecond give one time; so the second call is made on another day.
 */
export const isSteadyDefault = (def: AnyDef): boolean => textOf(def) === onAnotherDay(() => textOf(def))
