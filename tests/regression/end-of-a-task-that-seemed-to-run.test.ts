/**
 * A task of bullmq() whose deadline passed while it was being taken was shown, by whoever had seen it run, with the start
 * of an attempt that it never had; its record had none.
 */
import { expect, test } from 'vitest'
import { withEnding } from '../../src/tasks/engines/bullmq/stored-task-of.ts'
import type { JobEnding } from '../../src/tasks/engines/bullmq/job.ts'
import type { StoredTask } from '../../src/tasks/stored-task.ts'

test('a task that is known to run, and ended without an attempt, is shown without the start of one', () => {
  const known: StoredTask = {
    id: 'a',
    procedure: 'hurried',
    input: null,
    owner: null,
    priority: 0,
    status: 'running',
    attempt: 1,
    maxAttempts: 4,
    attempts: [{ n: 1, startedAt: 5 }],
    createdAt: 1,
    startedAt: 5,
    revision: 2,
  }
  const ending: JobEnding = {
    v: 1,
    left: 0,
    back: 0,
    task: { status: 'failed', attempt: 0, maxAttempts: 4, attempts: [], finishedAt: 6, revision: 3 },
  }
  expect(withEnding(known, ending)).not.toHaveProperty('startedAt')
  expect(withEnding(known, ending)).toMatchObject({
    status: 'failed',
    attempt: 0,
    attempts: [],
    finishedAt: 6,
  })
})
