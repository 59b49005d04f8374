import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { claimed } from '../../../src/tasks/engines/bullmq/claims.ts'
import { FORMAT, type Job, type JobData } from '../../../src/tasks/engines/bullmq/job.ts'
import { storedTaskOf } from '../../../src/tasks/engines/bullmq/stored-task-of.ts'
import { toPolicy } from '../../../src/tasks/policy.ts'

const DEADLINE = 100_000
const RULES = toPolicy({})

/** Taken once, at this time. */
const taken = (claimedAt: number, data: Partial<JobData> = {}): Job => ({
  id: 'a',
  procedure: 'hurried',
  data: {
    v: FORMAT,
    head: { input: null, owner: null },
    createdAt: 1,
    priority: 0,
    maxAttempts: 3,
    deadlineAt: DEADLINE,
    keep: 1000,
    ...data,
  },
  claims: 1,
  stalls: 0,
  claimedAt,
  history: undefined,
  progress: undefined,
  ending: undefined,
})

describe('a claim', () => {
  beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'] }))
  afterEach(() => void vi.useRealTimers())

  it('begins an attempt, at the time that it was made', () => {
    vi.setSystemTime(DEADLINE - 1)
    expect(claimed(taken(DEADLINE - 10), 'token', RULES)).toMatchObject({
      kind: 'begun',
      taken: { task: { status: 'running', attempt: 1, startedAt: DEADLINE - 10 } },
    })
  })

  const late = { kind: 'over', task: { status: 'failed', attempt: 0, error: { code: 'DEADLINE_EXCEEDED' } } }

  it.each([
    ['when the deadline has passed on its way', DEADLINE - 10, DEADLINE],
    ['when everybody saw the task expire meanwhile', DEADLINE - 10, DEADLINE + 5000],
    ['when it was made by a host whose clock is ahead', DEADLINE, DEADLINE - 500],
  ])('begins none %s', (_when, claimedAt, now) => {
    vi.setSystemTime(now)
    expect(claimed(taken(claimedAt), 'token', RULES)).toMatchObject(late)
  })

  it('that seemed to run ends above what was seen of it, and one that was seen as over as that', () => {
    vi.setSystemTime(DEADLINE + 5000)
    expect(claimed(taken(DEADLINE - 10), 'token', RULES)).not.toHaveProperty('revision')
    const seen = storedTaskOf(taken(DEADLINE), Date.now())
    expect(claimed(taken(DEADLINE), 'token', RULES)).toMatchObject({ revision: seen.revision })
  })
})
