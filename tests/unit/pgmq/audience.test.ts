/** A host that is sure to be alone says nothing; in doubt it speaks. */
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { Audience } from '../../../src/tasks/engines/pgmq/audience.ts'

describe('an audience', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['performance'] }))
  afterEach(() => void vi.useRealTimers())

  it('is taken to be there until everybody had the time to say a word', () => {
    const audience = new Audience()
    expect(audience.isThere()).toBe(true)
    audience.hears()
    vi.advanceTimersByTime(11_000) // One word of each in ten seconds.
    expect(audience.isThere()).toBe(true)
    vi.advanceTimersByTime(10_000)
    expect(audience.isThere()).toBe(false)
  })

  it('is there while somebody is heard, and for some words that may be lost', () => {
    const audience = new Audience()
    audience.hears()
    vi.advanceTimersByTime(60_000)
    audience.heard()
    vi.advanceTimersByTime(25_000)
    expect(audience.isThere()).toBe(true)
    vi.advanceTimersByTime(10_000)
    expect(audience.isThere()).toBe(false)
  })

  it('is taken to be there by one that hears nothing', () => {
    const audience = new Audience()
    audience.hears()
    vi.advanceTimersByTime(60_000)
    audience.isDeaf()
    expect(audience.isThere()).toBe(true)
  })
})
