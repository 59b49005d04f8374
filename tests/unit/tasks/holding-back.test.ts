/** Of many hosts that hear of a task, few ask for it. */
import { describe, expect, it } from 'vitest'
import { HoldingBack } from '../../../src/tasks/engines/fleet/holding-back.ts'

/** The longest it would wait. */
const longest = () => new HoldingBack(() => 1)

describe('a host that hears of a task', () => {
  it('asks at once at first, and after a request that found something', () => {
    const host = longest()
    expect(host.delay('a')).toBe(0)
    host.asked('a', 0)
    host.asked('a', 1)
    expect(host.delay('a')).toBe(0)
  })

  it('waits longer with each request that found nothing, and never longer than a tenth of a second', () => {
    const host = longest()
    const delays = Array.from({ length: 10 }, () => {
      host.asked('a', 0)
      return host.delay('a')
    })
    expect(delays).toEqual([2, 4, 8, 16, 32, 64, 100, 100, 100, 100])
    expect(host.delay('b')).toBe(0)
  })

  it('waits a random share of that', () => {
    const shares = [0.25, 0.5]
    const host = new HoldingBack(() => shares.shift() ?? 1)
    host.asked('a', 0)
    expect([host.delay('a'), host.delay('a')]).toEqual([0.5, 1])
  })
})
