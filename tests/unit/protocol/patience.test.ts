import { describe, expect, test } from 'vitest'
import { insist, patience } from '../../../src/protocol/patience.ts'

const mayPass = { retryAfter: (error: unknown) => (error === 'final' ? undefined : 0) }

/** An act that fails with each of these in turn, then gives 42; counts how often it was asked. */
const failing = (...failures: unknown[]) => {
  const act = async (): Promise<number> => {
    act.calls += 1
    if (failures.length > 0) throw failures.shift()
    return 42
  }
  act.calls = 0
  return act
}

describe('insisting', () => {
  test('acts until it succeeds', async () => {
    const act = failing('away', 'away')
    expect([await insist(mayPass, act, {}), act.calls]).toEqual([42, 3])
  })

  test('gives up after as many tries as it may, with the last failure', async () => {
    const act = failing('one', 'two', 'three')
    await expect(insist(mayPass, act, { tries: 2 })).rejects.toBe('two')
    expect(act.calls).toBe(2)
  })

  test('does not act again after a failure that is final, nor where nobody can tell', async () => {
    const act = failing('final')
    await expect(insist(mayPass, act, {})).rejects.toBe('final')
    await expect(insist({}, failing('any'), {})).rejects.toBe('any')
    expect(act.calls).toBe(1)
  })

  test('stops while it waits, and before it begins, when it is told to', async () => {
    const stop = new AbortController()
    const insisting = insist({ retryAfter: () => 3600 }, failing('away'), { signal: stop.signal })
    stop.abort('enough')
    await expect(insisting).rejects.toBe('enough')
    const act = failing()
    await expect(insist(mayPass, act, { signal: stop.signal })).rejects.toBe('enough')
    expect(act.calls).toBe(0)
  })
})

describe('patience', () => {
  const times = (failures: number, seconds?: number): number[] =>
    Array.from({ length: 1000 }, () => patience(failures, seconds))

  test.each([
    [0, 100, 200],
    [1, 200, 400],
    [4, 1600, 3200],
    [5, 2500, 5000],
    [1000, 2500, 5000],
  ])('after %i failures lasts from %i to %i ms', (failures, least, most) => {
    for (const ms of times(failures)) {
      expect(ms).toBeGreaterThanOrEqual(least)
      expect(ms).toBeLessThanOrEqual(most)
    }
  })

  test('of a thousand clients that lost one server is not in step', () => {
    const slots = new Map<number, number>()
    for (const ms of times(3)) slots.set(Math.floor(ms / 100), (slots.get(Math.floor(ms / 100)) ?? 0) + 1)
    expect(Math.max(...slots.values())).toBeLessThan(250)
  })

  test('is at least what the server asked for, and spread out too', () => {
    const all = times(0, 5)
    expect(Math.min(...all)).toBeGreaterThanOrEqual(5100)
    expect(new Set(all.map(Math.round)).size).toBeGreaterThan(50)
  })
})
