/** A task is asked to stop. */
import { createTaskId } from '../../../../tasks/id.ts'
import { expect } from '../../runner.ts'
import type { EngineCases } from '../bench.ts'
import { failure, FakeHost, lost, untilAborted, value } from '../fake-host.ts'

export const cancelling = {
  'a queued task never runs': async ({ open }) => {
    const on = await open(new FakeHost().on('later', () => value(1)))
    const runAt = Date.now() + 500
    const { id } = await on.start('later', { runAt })
    expect(await on.engine.cancel(id)).toMatchObject({
      kind: 'settled',
      task: { status: 'cancelled', error: { code: 'CANCELLED', status: 409 } },
    })
    const next = await on.start('later', { runAt: runAt + 20 })
    await on.end(next.id)
    expect(on.host.claims.map(({ task }) => task.id)).toEqual([next.id])
  },

  'a running task is told, and is cancelled when it stops': async ({ open }) => {
    const on = await open(new FakeHost().on('long', untilAborted(failure('stopped'))))
    const { id } = await on.start('long')
    await on.claimed(id)
    expect(await on.engine.cancel(id)).toMatchObject({
      kind: 'requested',
      task: { status: 'running', cancelRequested: true },
    })
    expect(await on.end(id)).toMatchObject({ status: 'cancelled', attempt: 1, error: { code: 'CANCELLED' } })
    expect(on.host.claims[0]!.signal.reason).toMatchObject({ name: 'Cancelled' })
  },

  'a task that ends well all the same has succeeded': async ({ open }) => {
    const on = await open(new FakeHost().on('long', untilAborted(value('done'))))
    const { id } = await on.start('long')
    await on.claimed(id)
    await on.engine.cancel(id)
    expect(await on.end(id)).toMatchObject({ status: 'succeeded', result: 'done' })
  },

  'a killed one is cancelled, not run again': async ({ open }) => {
    const on = await open(new FakeHost().on('deaf', untilAborted(lost)))
    const { id } = await on.start('deaf')
    await on.claimed(id)
    await on.engine.cancel(id)
    expect(await on.end(id)).toMatchObject({ status: 'cancelled', attempt: 1 })
  },

  'an ended task stays as it is, an unknown one is unknown': async ({ open }) => {
    const on = await open(new FakeHost().on('add', () => value(3)))
    const { id } = await on.start('add')
    const task = await on.end(id)
    expect(await on.engine.cancel(id)).toEqual({ kind: 'settled', task })
    expect(await on.engine.cancel(createTaskId())).toBeUndefined()
  },

  'a cancel at any moment settles the task': async ({ open }) => {
    const on = await open(new FakeHost(2).on('long', untilAborted(failure())))
    const ids = await Promise.all(Array.from({ length: 40 }, async () => (await on.start('long')).id))
    await Promise.all(ids.map((id) => on.engine.cancel(id)))
    for (const id of ids) expect(await on.end(id)).toMatchObject({ status: 'cancelled' })
  },
} satisfies EngineCases
