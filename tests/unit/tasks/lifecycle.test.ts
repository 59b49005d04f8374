import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { errorData } from '../../../src/protocol/errors.ts'
import { isFinished } from '../../../src/protocol/task.ts'
import type { Outcome } from '../../../src/tasks/executor.ts'
import * as lifecycle from '../../../src/tasks/lifecycle.ts'
import { toPolicy } from '../../../src/tasks/policy.ts'
import type { StoredTask } from '../../../src/tasks/stored-task.ts'

const rules = toPolicy({ keep: 1000, retry: { initial: 100, jitter: 0 } })
const spec = { id: 'a', procedure: 'add', input: 1, maxAttempts: 3, owner: null, priority: 0 }
const queued = lifecycle.created(spec, 0)
const running = lifecycle.started(queued, 10)
const error = { ...errorData('INTERNAL_SERVER_ERROR', 'boom'), name: 'Error', declared: false }
const failure: Outcome = { kind: 'error', error }

/** Everything that can be tried on a task, whether it is allowed or not. */
type Operation = (task: StoredTask, now: number) => StoredTask

const outcomes: readonly Outcome[] = [
  { kind: 'value', value: 1 },
  { kind: 'lost', reason: 'killed' },
  { kind: 'returned' },
  failure,
  { kind: 'error', error: { ...errorData('BAD_REQUEST', 'no') } },
  { kind: 'error', error: { ...errorData('SERVICE_UNAVAILABLE', 'later', { retryAfter: 2 }) } },
]

const requeue: Operation = (task, now) => lifecycle.requeued(task, now, { attempts: 2, deadline: 50 })

const operations: readonly Operation[] = [
  lifecycle.started,
  lifecycle.started,
  (task, now) => lifecycle.cancelled(task, now, 1000),
  (task, now) => lifecycle.expired(task, now, 1000),
  (task) => lifecycle.cancelRequested(task),
  (task) => lifecycle.progressed(task, task.attempt, { percent: 1 }),
  (task) => lifecycle.progressed(task, task.attempt - 1, { percent: 2 }),
  (task, now) => lifecycle.recovered(task, { now, rules, reason: 'crash' }),
  ...outcomes.map(
    (outcome): Operation =>
      (task, now) =>
        lifecycle.ended(task, task.attempt, outcome, { now, rules }),
  ),
  ...outcomes.map(
    (outcome): Operation =>
      (task, now) =>
        lifecycle.ended(task, task.attempt - 1, outcome, { now, rules }),
  ),
  requeue,
]

const attempted = (task: StoredTask, operation: Operation, now: number): StoredTask => {
  try {
    return operation(task, now)
  } catch {
    return task
  }
}

describe('any sequence of operations', () => {
  it('keeps the promises of the table', () => {
    const sequences = fc.array(fc.integer({ min: 0, max: operations.length - 1 }), { maxLength: 60 })
    fc.assert(
      fc.property(sequences, fc.integer({ min: 1, max: 4 }), (sequence, maxAttempts) => {
        let task = lifecycle.created({ ...spec, maxAttempts }, 0)
        for (const [index, number] of sequence.entries()) {
          const operation = operations[number]!
          const next = attempted(task, operation, index + 1)
          holdsTogether(next)
          follows(task, next, operation)
          task = next
        }
      }),
      { numRuns: 2000 },
    )
  })
})

const holdsTogether = (task: StoredTask): void => {
  expect(task.attempt).toBeLessThanOrEqual(task.maxAttempts)
  expect(task.attempts.at(-1)?.n ?? 0).toBe(task.attempt)
  expect(task.attempts.filter(({ finishedAt }) => finishedAt === undefined)).toHaveLength(
    task.status === 'running' ? 1 : 0,
  )
  expect(task.finishedAt !== undefined).toBe(isFinished(task.status))
  expect(task.expiresAt !== undefined).toBe(isFinished(task.status))
  expect('error' in task).toBe(task.status === 'failed' || task.status === 'cancelled')
  expect('result' in task).toBe(task.status === 'succeeded')
  if (task.status !== 'queued') expect(task.runAt).toBeUndefined()
}

const follows = (before: StoredTask, after: StoredTask, operation: Operation): void => {
  if (after === before) return
  expect(after.revision).toBeGreaterThan(before.revision)
  if (after.status !== before.status) expect(lifecycle.isAllowed(before.status, after.status)).toBe(true)
  if (isFinished(before.status)) expect(operation).toBe(requeue)
}

describe('each change', () => {
  it('begins an attempt', () => {
    expect(running).toEqual({
      ...queued,
      status: 'running',
      attempt: 1,
      attempts: [{ n: 1, startedAt: 10 }],
      startedAt: 10,
      revision: 2,
    })
  })

  it('drops runAt and the progress of the attempt before when another begins', () => {
    const reported = lifecycle.progressed(running, 1, 50)
    const waiting = lifecycle.ended(reported, 1, failure, { now: 20, rules })
    expect(waiting).toMatchObject({ status: 'queued', runAt: 120, progress: 50 })
    const again = lifecycle.started(waiting, 120)
    expect(again).toMatchObject({ attempt: 2, startedAt: 10 })
    expect('runAt' in again || 'progress' in again).toBe(false)
  })

  it('keeps nothing of an error but what a record shows', () => {
    const { attempts } = lifecycle.ended(running, 1, failure, { now: 20, rules })
    expect(attempts[0]!.error).toEqual(errorData('INTERNAL_SERVER_ERROR', 'boom'))
  })

  it('ignores a stale attempt: the very same task comes back', () => {
    const second = lifecycle.started(lifecycle.ended(running, 1, failure, { now: 20, rules }), 200)
    for (const outcome of outcomes) {
      expect(lifecycle.ended(second, 1, outcome, { now: 300, rules })).toBe(second)
      expect(lifecycle.ended(queued, 0, outcome, { now: 300, rules })).toBe(queued)
    }
    expect(lifecycle.progressed(second, 1, 5)).toBe(second)
  })

  it('does not wait for a deadline that will have passed', () => {
    const late = { ...running, deadlineAt: 100 }
    expect(lifecycle.ended(late, 1, failure, { now: 20, rules })).toMatchObject({
      status: 'failed',
      error: { message: 'boom' },
    })
    const over = lifecycle.ended(late, 1, failure, { now: 100, rules })
    expect(over).toMatchObject({
      error: { code: 'DEADLINE_EXCEEDED' },
      attempts: [{ error: { message: 'boom' } }],
    })
  })

  it('keeps progress that came while another change was being written', () => {
    const written = lifecycle.cancelRequested(running)
    const latest = lifecycle.progressed(lifecycle.progressed(running, 1, 1), 1, 2)
    expect(lifecycle.withLateProgress(written, latest)).toMatchObject({
      cancelRequested: true,
      progress: 2,
      revision: 5,
    })
    const done = lifecycle.ended(running, 1, { kind: 'value', value: 1 }, { now: 20, rules })
    expect(lifecycle.withLateProgress(done, latest)).toBe(done)
  })

  it('lists the latest attempts of a task that has had very many', () => {
    let task = lifecycle.created({ ...spec, maxAttempts: 200 }, 0)
    const patient = toPolicy({ retry: { attempts: 200, backoff: 'none' } })
    for (let n = 1; n <= 150; n++)
      task = lifecycle.ended(lifecycle.started(task, n), n, failure, { now: n, rules: patient })
    expect(task.attempts).toHaveLength(lifecycle.KEPT_ATTEMPTS)
    expect(task.attempts.at(-1)).toMatchObject({ n: 150 })
  })

  it('says what is wrong with an illegal change', () => {
    expect(() => lifecycle.created({ ...spec, maxAttempts: 0 }, 0)).toThrow('has maxAttempts 0')
    expect(() => lifecycle.cancelled(running, 20, 0)).toThrow(
      "Task a (add) can't become cancelled from running",
    )
    expect(() => lifecycle.started(running, 20)).toThrow("can't become running from running")
    expect(() => lifecycle.started({ ...queued, attempt: 3 }, 20)).toThrow('all 3 attempts are used')
    expect(() => lifecycle.cancelRequested(queued)).toThrow('only a running task')
    expect(() => requeue(running, 20)).toThrow('it has not ended')
  })
})
