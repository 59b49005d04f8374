/** Counts and times of requests are what prom-client would have made of them. */
import { Counter, Histogram, Registry } from 'prom-client'
import { expect, test } from 'vitest'
import { CountTally, TimeTally } from '../../src/observability/tallies.ts'

const BOUNDS = [0.001, 0.01, 0.1, 1]
const names = { name: 'test_seconds', help: 'Of a test', labelNames: ['procedure', 'code'] as const }
const calls: readonly (readonly [procedure: string, code: string, seconds: number])[] = [
  ['add', 'OK', 0],
  ['add', 'OK', 0.001],
  ['add', 'OK', 0.0010001],
  ['add', 'NOT_FOUND', 0.5],
  ['shop.ship', 'OK', 1],
  ['add', 'OK', 7],
]

test('a histogram is written as prom-client writes its own', async () => {
  const [ours, theirs] = [new Registry(), new Registry()]
  const tally = new TimeTally(ours, names, BOUNDS)
  const histogram = new Histogram({
    ...names,
    labelNames: [...names.labelNames],
    buckets: BOUNDS,
    registers: [theirs],
  })
  for (const [procedure, code, seconds] of calls) {
    tally.observe(procedure, code, seconds)
    histogram.observe({ procedure, code }, seconds)
  }
  const sorted = async (registry: Registry) => (await registry.metrics()).split('\n').toSorted()
  expect(await sorted(ours)).toEqual(await sorted(theirs))
})

test('a counter is written as prom-client writes its own, and both are gone when the registry is reset', async () => {
  const [ours, theirs] = [new Registry(), new Registry()]
  const tally = new CountTally(ours, names)
  const counter = new Counter({ ...names, labelNames: [...names.labelNames], registers: [theirs] })
  for (const [procedure, code] of calls) {
    tally.add(procedure, code)
    counter.inc({ procedure, code })
  }
  expect(await ours.metrics()).toBe(await theirs.metrics())
  for (const registry of [ours, theirs]) registry.resetMetrics()
  expect(await ours.metrics()).toBe(await theirs.metrics())
})
