/** What one turn asks for is done in one go, and one bad item takes no other with it. */
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { Batch } from '../../../src/tasks/engines/pgmq/batch.ts'
import { createLane } from '../../../src/tasks/engines/pgmq/lane.ts'

describe('a batch', () => {
  it('takes all of a turn, and what comes while the one before is under way', async () => {
    const sizes: number[] = []
    const batch = new Batch<number, number>({
      work: async (items) => {
        sizes.push(items.length)
        await sleep(10)
        return items.map((item) => item * 2)
      },
    })
    const first = Promise.all([1, 2, 3].map((n) => batch.add(n)))
    await sleep(5)
    const second = Promise.all([4, 5].map((n) => batch.add(n)))
    expect([await first, await second]).toEqual([
      [2, 4, 6],
      [8, 10],
    ])
    expect(sizes).toEqual([3, 2])
  })

  it('does no more in one go than it may', async () => {
    const sizes: number[] = []
    const batch = new Batch<number, number>({
      work: async (items) => (sizes.push(items.length), items),
      most: 2,
    })
    await Promise.all([1, 2, 3, 4, 5].map((n) => batch.add(n)))
    expect(sizes).toEqual([2, 2, 1])
  })

  it('tries each item alone where one may be to blame', async () => {
    const work = async (items: readonly number[]): Promise<readonly number[]> => {
      if (items.includes(2)) throw new Error('two')
      return items
    }
    const batch = new Batch({ work, mayBeOnes: () => true })
    const ends = await Promise.allSettled([1, 2, 3].map((n) => batch.add(n)))
    expect(ends.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
  })

  it('fails as a whole where all are to blame', async () => {
    let tries = 0
    const batch = new Batch<number, number>({
      work: async () => {
        tries += 1
        throw new Error('away')
      },
      mayBeOnes: () => false,
    })
    const ends = await Promise.allSettled([1, 2, 3].map((n) => batch.add(n)))
    expect(ends.every(({ status }) => status === 'rejected')).toBe(true)
    expect(tries).toBe(1)
    await batch.idle()
  })
})

describe('a lane', () => {
  it('does one thing after the other, failures too', async () => {
    const order: string[] = []
    const inTurn = createLane()
    const slow = inTurn(async () => {
      await sleep(10)
      order.push('slow')
    })
    const bad = inTurn(async () => {
      order.push('bad')
      throw new Error('bad')
    })
    const quick = inTurn(async () => void order.push('quick'))
    await Promise.allSettled([slow, bad, quick])
    expect(order).toEqual(['slow', 'bad', 'quick'])
    await expect(bad).rejects.toThrow('bad')
  })
})
