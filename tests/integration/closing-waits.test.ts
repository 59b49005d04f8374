/** Who waits for a task when the server closes before it has ended. */
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createApp, inline, procedure } from 'errand'
import { z } from 'zod'

test('a result that is waited for when the app closes is refused, and not left hanging', async () => {
  const never = procedure.task({
    input: z.void(),
    output: z.void(),
    cancelGrace: 0,
    handler: () => new Promise<void>(() => {}),
  })
  const app = createApp({ never }, { tasks: inline({ drainGrace: 20 }) })
  const task = await app.tasks.start(never, undefined)
  const waits = [
    task.result(),
    task.result({ timeout: '1m' }),
    task.result({ signal: new AbortController().signal }),
  ]
  const answers = Promise.allSettled(waits)
  await sleep(5)
  await app.close()
  for (const answer of await answers)
    expect(answer).toMatchObject({ status: 'rejected', reason: { code: 'SERVICE_UNAVAILABLE' } })
})

test('a wait for a result ends with its signal or its time, and the task goes on', async () => {
  const gate = Promise.withResolvers<number>()
  const wait = procedure.task({ input: z.void(), output: z.int(), handler: () => gate.promise })
  const app = createApp({ wait }, { tasks: inline() })
  const task = await app.tasks.start(wait, undefined)
  const stop = new AbortController()
  const stopped = task.result({ signal: stop.signal })
  stop.abort(new Error('enough'))
  await expect(stopped).rejects.toThrow('enough')
  await expect(task.result({ timeout: 5 })).rejects.toThrow('It took longer than 5 ms')
  gate.resolve(42)
  expect(await task.result()).toBe(42)
  await app.close()
})
