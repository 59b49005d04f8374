/** Leases of tasks of bullmq() on real servers: what a renewal tells, and whose tasks can be asked to stop. */
import { describe, expect, test } from 'vitest'
import { cancelRequested, ended } from '../../src/tasks/lifecycle.ts'
import { value } from 'errand/testing/suites'
import {
  cancelTask,
  put,
  RULES,
  startServers,
  SteppedHosts,
  takeOne,
  type SteppedHost,
} from '../support/bullmq-steps.ts'

/** All that JSON can say and a server could say in another way. */
const ODD = JSON.parse(
  '{"10":1,"2":[],"b":{},"__proto__":{"a":null},"é\\u0000\\ud800":"\\u2028\\"","n":[-0.5,1e21,1e-7,0.1,9007199254740993]}',
) as unknown

describe.each(await startServers())('leases on $name', ({ url }) => {
  const join = () => SteppedHosts.two(url!)
  const takeNew = async (host: SteppedHost, input: unknown = null) => {
    await put(host, { input })
    return (await takeOne(host))!
  }

  test.skipIf(!url)('each renewal tells which tasks are held, are to stop, or are lost', async () => {
    const { hosts, one, two } = await join()
    const taken = [await takeNew(one), await takeNew(one), await takeNew(one)] as const
    await cancelTask(two, taken[1].task.id)
    await hosts.lose(two, taken[2].task.id)
    for (let round = 0; round < 2; round++)
      expect(await one.queue.renew(taken)).toEqual(['held', 'stop', 'lost'])
  })

  test.skipIf(!url)('a task that is to stop is lost by a host that is silent, as any other', async () => {
    const { hosts, one, two } = await join()
    const taken = await takeNew(one)
    await cancelTask(two, taken.task.id)
    await hosts.lose(two, taken.task.id)
    expect(await one.queue.renew([taken])).toEqual(['lost'])
    expect(await two.queue.get(taken.task.id)).toMatchObject({
      status: 'cancelled',
      attempt: 1,
      attempts: [{ n: 1, error: { code: 'WORKER_LOST' } }],
    })
  })

  test.skipIf(!url)('a task is asked to stop whatever its input is, and ends with it as it was', async () => {
    const { one, two } = await join()
    const taken = await takeNew(one, ODD)
    expect(await cancelTask(two, taken.task.id)).toMatchObject({ kind: 'requested', task: { input: ODD } })
    const asked = cancelRequested(taken.task)
    const next = ended(asked, 1, value('done'), { now: Date.now(), rules: RULES })
    expect(await one.queue.settle(taken, next)).toBe(true)
    expect(await two.queue.get(taken.task.id)).toMatchObject({ status: 'succeeded', input: ODD })
  })
})
