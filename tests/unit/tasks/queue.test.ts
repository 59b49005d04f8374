import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { systemClock } from '../../../src/tasks/clock.ts'
import { Alarms } from '../../../src/tasks/engines/alarms.ts'
import { Heap } from '../../../src/tasks/engines/heap.ts'
import { LookAhead } from '../../../src/tasks/engines/look-ahead.ts'

describe('heap', () => {
  it('gives back in order what was not taken out', () => {
    const items = fc.array(fc.record({ major: fc.integer({ min: -5, max: 5 }), removed: fc.boolean() }))
    fc.assert(
      fc.property(items, (all) => {
        const heap = new Heap<number>()
        const nodes = all.map(({ major }, index) => heap.push(index, major, index))
        all.forEach(({ removed }, index) => removed && heap.remove(nodes[index]!))
        all.forEach(({ removed }, index) => removed && heap.remove(nodes[index]!))
        const order = []
        for (let node = heap.pop(); node; node = heap.pop()) order.push(node.value)
        const left = all.flatMap((item, index) => (item.removed ? [] : [{ ...item, index }]))
        left.sort((a, b) => a.major - b.major || a.index - b.index)
        expect(order).toEqual(left.map(({ index }) => index))
      }),
    )
  })
})

describe('alarms', () => {
  afterEach(() => void vi.useRealTimers())

  it('ring in order, each at its time, with one timer', () => {
    vi.useFakeTimers({ now: 0 })
    const rung: string[] = []
    const alarms = new Alarms<string>(systemClock, (name) => rung.push(`${name}@${Date.now()}`))
    alarms.set('late', 500)
    alarms.set('early', 100)
    const never = alarms.set('never', 200)
    alarms.set('twin', 100)
    alarms.cancel(never)
    alarms.cancel(never)
    expect(vi.getTimerCount()).toBe(1)
    vi.advanceTimersByTime(1000)
    expect(rung).toEqual(['early@100', 'twin@100', 'late@500'])
    expect(vi.getTimerCount()).toBe(0)
  })

  it('rings at times that no timer reaches in one go', () => {
    vi.useFakeTimers({ now: 0 })
    const ring = vi.fn()
    new Alarms<string>(systemClock, ring).set('next month', 40 * 864e5)
    vi.advanceTimersByTime(39 * 864e5)
    expect(ring).not.toHaveBeenCalled()
    vi.advanceTimersByTime(2 * 864e5)
    expect(ring).toHaveBeenCalledOnce()
  })
})

describe('look-ahead', () => {
  const run = (ahead: LookAhead, from: number, took: number) => {
    ahead.end(ahead.begin(from), from + took)
  }

  it('is none until tasks prove short, and none the moment one turns out long', () => {
    const ahead = new LookAhead(16)
    expect(ahead.beyond(1, 0)).toBe(0)
    run(ahead, 0, 1)
    expect(ahead.beyond(1, 1)).toBe(10)
    for (let n = 0; n < 100; n++) run(ahead, n, 0.01)
    expect(ahead.beyond(1, 100)).toBe(16)
    expect(ahead.beyond(2, 100)).toBe(32)
    ahead.begin(100)
    expect(ahead.beyond(1, 109)).toBe(16)
    expect(ahead.beyond(1, 111)).toBe(0)
    const long = new LookAhead(16)
    run(long, 0, 50)
    expect(long.beyond(1, 60)).toBe(0)
  })

  it('does not take the wait behind others for the length of a task', () => {
    const ahead = new LookAhead(16)
    const attempts = Array.from({ length: 16 }, () => ahead.begin(0))
    // One after the other, a quarter of a millisecond each.
    attempts.forEach((attempt, index) => ahead.end(attempt, (index + 1) / 4))
    expect(ahead.beyond(1, 4)).toBe(16)
  })
})
