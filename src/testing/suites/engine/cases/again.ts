/** An ended task runs again by hand, or is forgotten. */
import { setTimeout as sleep } from 'node:timers/promises'
import { createTaskId } from '../../../../tasks/id.ts'
import { expect } from '../../runner.ts'
import { spec, type EngineCases } from '../bench.ts'
import { failure, FakeHost, untilAborted, value } from '../fake-host.ts'

export const retrying = {
  'a failed task runs again with fresh attempts': async ({ open }) => {
    let works = false
    const on = await open(new FakeHost().on('flaky', () => (works ? value('ok') : failure())))
    const { id } = await on.start('flaky')
    await on.end(id)
    works = true
    expect(await on.engine.retry(id)).toMatchObject({ status: 'queued', attempt: 3, maxAttempts: 6 })
    const task = await on.end(id)
    expect(task).toMatchObject({ status: 'succeeded', attempt: 4, result: 'ok' })
    expect(task.error).toBeUndefined()
  },

  'says why it can not': async ({ open }) => {
    const on = await open(new FakeHost().on('add', () => value(3)).on('long', untilAborted(value(1))))
    const added = await on.start('add')
    await on.end(added.id)
    expect(await on.engine.retry(added.id)).toBe('succeeded')
    expect(await on.engine.retry((await on.start('long')).id)).toBe('not-ended')
    expect(await on.engine.retry(createTaskId())).toBeUndefined()
  },

  'two at once queue it once': async ({ open }) => {
    const on = await open(new FakeHost().on('bad', () => failure('no', { code: 'CONFLICT', status: 409 })))
    const { id } = await on.start('bad')
    await on.end(id)
    const results = await Promise.all([on.engine.retry(id), on.engine.retry(id)])
    expect(results.filter((result) => result !== 'not-ended')).toHaveLength(1)
    expect(await on.end(id)).toMatchObject({ status: 'failed', attempt: 2 })
  },
} satisfies EngineCases

export const forgetting = {
  'removes ended tasks only': async ({ open }) => {
    const on = await open(new FakeHost().on('add', () => value(3)).on('long', untilAborted(value(1))))
    const { id } = await on.start('add')
    await on.end(id)
    expect(await on.engine.remove(id)).toBe('removed')
    expect(await on.engine.get(id)).toBeUndefined()
    expect(await on.engine.remove(id)).toBe('unknown')
    expect(await on.engine.remove((await on.start('long')).id)).toBe('not-ended')
  },

  'an ended task is gone when its time is over': async ({ open }) => {
    const on = await open(new FakeHost().on('brief', () => value(3), { keep: 300 }))
    const key = { idempotencyKey: 'k', inputDigest: 'd' }
    const { id } = await on.start('brief', key)
    const { finishedAt, expiresAt } = await on.end(id)
    expect(expiresAt).toBe(finishedAt! + 300)
    await sleep(350)
    expect(await on.engine.get(id)).toBeUndefined()
    expect((await on.engine.list({ limit: 10 })).items).toEqual([])
    expect(await on.engine.submit(spec('brief', key))).toMatchObject({ kind: 'created' })
  },
} satisfies EngineCases
