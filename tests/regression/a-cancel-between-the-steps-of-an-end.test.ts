/**
 * A task of bullmq() that failed in the very moment in which its cancel was answered with 202 ended as failed: whoever
 * wrote its end looked for a cancel first, and one that came between the two was not seen.
 *
 * Here the one happens before each step of the other.
 */
import { describe, expect, test } from 'vitest'
import { failure, value } from 'errand/testing/suites'
import { errorData } from '../../src/protocol/errors.ts'
import type { CancelResult } from '../../src/tasks/engine.ts'
import type { Taken } from '../../src/tasks/engines/fleet/shared-queue.ts'
import type { Outcome } from '../../src/tasks/executor.ts'
import { cancelRequested, ended } from '../../src/tasks/lifecycle.ts'
import type { StoredTask } from '../../src/tasks/stored-task.ts'
import {
  atEachStep,
  cancelTask,
  expectHeld,
  put,
  RULES,
  startServers,
  SteppedHosts,
  takeOne,
  type SteppedHost,
} from '../support/bullmq-steps.ts'

/** As the engine of many hosts does it. */
const settle = async ({ queue }: SteppedHost, taken: Taken, outcome: Outcome): Promise<boolean> => {
  const end = (task: StoredTask) => ended(task, task.attempt, outcome, { now: Date.now(), rules: RULES })
  const settled = await queue.settle(taken, end(taken.task))
  return settled === 'stop' ? (await queue.settle(taken, end(cancelRequested(taken.task)))) === true : settled
}

const LATER: Outcome = {
  kind: 'error',
  error: { ...errorData('INTERNAL_SERVER_ERROR', 'Not now'), retryAfter: 3600 },
}

const FAILURES = [
  ['fails', failure(), 1],
  ['fails and is to run again', failure(), 3],
  ['fails and is to run again later', LATER, 3],
] as const

describe.each(await startServers())('a task of bullmq() on $name', ({ url }) => {
  const join = () => SteppedHosts.two(url!)

  describe.skipIf(!url).each(FAILURES)('that %s', (_name, outcome, maxAttempts) => {
    test('is cancelled when it is asked to stop before any step of that', async () => {
      const { one, two } = await join()
      await atEachStep(async (step) => {
        const { id } = await put(one, { maxAttempts })
        const taken = (await takeOne(one))!
        let answer: CancelResult | undefined
        const asking = one.before(step, async () => (answer = await cancelTask(two, id)))
        expect(await settle(one, taken, outcome)).toBe(true)
        if (asking.happened) await expectHeld(two, id, answer)
        return asking
      })
    })

    test('before any step of a cancel is what that answers', async () => {
      const { one, two } = await join()
      await atEachStep(async (step) => {
        const { id } = await put(one, { maxAttempts })
        const taken = (await takeOne(one))!
        const ending = two.before(step, () => settle(one, taken, outcome))
        const answer = await cancelTask(two, id)
        if (!ending.happened) await settle(one, taken, outcome)
        await expectHeld(one, id, answer)
        return ending
      })
    })
  })

  test.skipIf(!url)('that succeeds has, when it is asked to stop before any step of that', async () => {
    const { one, two } = await join()
    await atEachStep(async (step) => {
      const { id } = await put(one)
      const taken = (await takeOne(one))!
      const asking = one.before(step, () => cancelTask(two, id))
      expect(await settle(one, taken, value('done'))).toBe(true)
      expect(await two.queue.get(id)).toMatchObject({ status: 'succeeded', attempt: 1, result: 'done' })
      return asking
    })
  })
})
