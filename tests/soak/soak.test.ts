/** The soak, for a minute. `npm run test:soak -- --minutes 30` runs it at length. */
import { expect, test } from 'vitest'
import { judge } from './judge.ts'
import { runSoak } from './suite.ts'
import { slopeOf } from './trend.ts'

test(
  'nothing grows, nothing is lost and everything adds up, however callers behave',
  { timeout: 300_000 },
  async () => {
    const seed = Date.now() % 1_000_000
    const report = await runSoak({ minutes: 1, seed })
    const { heapPerRequest, rssPerRequest, ledger } = report
    console.log(
      `soak: ${ledger.requests} requests, ${ledger.started} tasks, --seed ${seed}; each request left ` +
        `${heapPerRequest.toFixed(1)} bytes of heap, ${rssPerRequest.toFixed(1)} of rss`,
    )
    expect(judge(report)).toEqual([])
    expect(ledger.started).toBeGreaterThan(100)
    expect(Object.keys(ledger.acts).length).toBeGreaterThan(10)
  },
)

test('a slope is found through noise, and through looks that are far off', () => {
  const noisy = (x: number): number => 5e6 + 1000 * x + 40_000 * Math.sin(x)
  const points = Array.from({ length: 8 }, (_, n) => ({ x: 1000 * n, y: noisy(1000 * n) }))
  expect(slopeOf(points)).toBeCloseTo(1000, -2)
  points[3] = { x: 3000, y: 90e6 }
  expect(slopeOf(points)).toBeCloseTo(1000, -2)
  expect(slopeOf(points.map(({ x }) => ({ x, y: 7 })))).toBe(0)
})
