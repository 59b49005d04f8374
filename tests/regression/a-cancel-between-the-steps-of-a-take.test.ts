/**
 * A queued task of bullmq() was cancelled, and the answer said that it is settled and had no attempt; but a host had taken it
 * in that moment, and was killed: the record had an attempt that was lost. How often the task had been taken was written in
 * a step of its own, which another cancel could undo, and the death of its host leave out.
 *
 * Here the one happens before each step of the other, and whoever takes the task dies.
 */
import { describe, expect, test } from 'vitest'
import type { CancelResult } from '../../src/tasks/engine.ts'
import {
  atEachStep,
  cancelTask,
  expectHeld,
  put,
  RULES,
  startServers,
  SteppedHosts,
  takeAndDie,
  takeOne,
  type SteppedHost,
} from '../support/bullmq-steps.ts'

type Answers = (CancelResult | undefined)[]

describe.each(await startServers())('a queued task of bullmq() on $name', ({ url }) => {
  const join = () => SteppedHosts.two(url!)

  /** Whoever took it is dead; then somebody takes it who is not. */
  const expectHeldForGood = async (hosts: SteppedHosts, host: SteppedHost, id: string, answers: Answers) => {
    await hosts.lose(host, id)
    for (const answer of answers) await expectHeld(host, id, answer)
    await takeOne(host)
    for (const answer of answers) await expectHeld(host, id, answer)
  }

  test.skipIf(!url)('that is taken before any step of its cancel is as that answers', async () => {
    const { hosts, one } = await join()
    await atEachStep(async (step) => {
      const { id } = await put(one)
      const taker = await hosts.join()
      const taking = one.before(step, () => takeAndDie(taker))
      const answer = await cancelTask(one, id)
      if (!taking.happened) await takeAndDie(taker)
      await expectHeldForGood(hosts, one, id, [answer])
      return taking
    })
  })

  test.skipIf(!url)('whose cancel dies with its host at any step is as the next one answers', async () => {
    const { hosts, one } = await join()
    for (let steps = 0; steps <= 6; steps++) {
      const { id } = await put(one)
      const dying = await hosts.join()
      dying.dieAfter(steps)
      await cancelTask(dying, id).catch(() => undefined)
      const answer = await cancelTask(one, id)
      await takeAndDie(await hosts.join())
      await expectHeldForGood(hosts, one, id, [answer])
    }
  })

  test.skipIf(!url)('that is cancelled twice at once is as both answer', async () => {
    const { hosts, one, two } = await join()
    await atEachStep(async (step) => {
      const { id } = await put(one)
      const answers: Answers = []
      const both = one.before(step, async () => {
        answers.push(await cancelTask(two, id))
        await takeAndDie(await hosts.join())
      })
      answers.push(await cancelTask(one, id))
      if (!both.happened) await takeAndDie(await hosts.join())
      await expectHeldForGood(hosts, two, id, answers)
      return both
    })
  })

  test.skipIf(!url)(
    'that is cancelled and queued again has no attempt of who only came to end it',
    async () => {
      const { hosts, one, two } = await join()
      const { id } = await put(one)
      await cancelTask(one, id)
      await takeAndDie(two)
      await hosts.lose(one, id)
      const fresh = { after: 0, attempts: 2, deadline: undefined }
      expect(await one.queue.retry(id, fresh)).toMatchObject({ status: 'queued', attempt: 0, maxAttempts: 2 })
      expect((await takeOne(one))?.task).toMatchObject({ attempt: 1, attempts: [{ n: 1 }] })
    },
  )

  test.skipIf(!url)(
    'that was cancelled runs when it is queued again before any step of its end',
    async () => {
      const { one, two } = await join()
      await atEachStep(async (step) => {
        const { id } = await put(one)
        await cancelTask(one, id)
        const ending = two.before(step, () => takeOne(one))
        const again = await two.queue.retry(id, { after: 0, attempts: 2, deadline: undefined })
        expect(again).toMatchObject({ status: 'queued', attempt: 0 })
        const task = (await takeOne(one))?.task ?? (await one.queue.get(id))
        expect(task).toMatchObject({ status: 'running', attempt: 1 })
        return ending
      })
    },
  )

  const lost = { maxAttempts: 3, rules: RULES, wasLost: true }
  const LEFT = [
    { what: 'whose deadline has passed', ...lost, wasLost: false, deadline: -1 },
    { what: 'whose only attempt was lost', ...lost, maxAttempts: 1 },
    {
      what: 'whose attempt was lost and may not be made again',
      ...lost,
      rules: { ...RULES, onCrash: 'fail' },
    },
  ] as const

  test.skipIf(!url).each(LEFT)(
    '$what, and is cancelled before any step of its end, is as that answers',
    async ({ maxAttempts, rules, wasLost, ...rest }) => {
      const { hosts, one, two } = await join()
      await atEachStep(async (step) => {
        const deadlineAt = 'deadline' in rest ? { deadlineAt: Date.now() + rest.deadline } : {}
        const { id } = await put(one, { maxAttempts, ...deadlineAt })
        if (wasLost) {
          await takeAndDie(await hosts.join())
          await hosts.lose(one, id)
        }
        let answer: CancelResult | undefined
        const asking = one.before(step, async () => (answer = await cancelTask(two, id)))
        expect(await takeOne(one, rules)).toBeUndefined()
        answer ??= await cancelTask(two, id)
        const record = await expectHeld(two, id, answer)
        expect(record?.attempts).toHaveLength(wasLost ? 1 : 0)
        return asking
      })
    },
  )
})
