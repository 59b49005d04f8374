/** Chance that can be had again: the same seed makes the same choices. (What the machine does with them it won't repeat.) */

/** Draws. */
export interface Random {
  /** From 0 up to 1. */
  next(): number
  /** A whole number, both ends included. */
  between(from: number, to: number): number
  one<T>(of: readonly T[]): T
  /** A key of a table of weights. */
  weighted<K extends string>(weights: Readonly<Record<K, number>>): K
  chance(share: number): boolean
}

/** mulberry32: small, and good enough for a dice. */
const generator = (seed: number) => {
  let state = seed >>> 0
  return (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export const createRandom = (seed: number): Random => {
  const next = generator(seed)
  const between = (from: number, to: number): number => from + Math.floor(next() * (to - from + 1))
  return {
    next,
    between,
    one: (of) => of[between(0, of.length - 1)]!,
    weighted: (weights) => {
      const entries = Object.entries<number>(weights)
      let left = next() * entries.reduce((sum, [, weight]) => sum + weight, 0)
      const found = entries.find(([, weight]) => (left -= weight) < 0) ?? entries.at(-1)!
      return found[0] as keyof typeof weights
    },
    chance: (share) => next() < share,
  }
}
