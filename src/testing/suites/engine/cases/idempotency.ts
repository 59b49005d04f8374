/** One key, one task. */
import { expect } from '../../runner.ts'
import { spec, type EngineCases } from '../bench.ts'
import { FakeHost, value } from '../fake-host.ts'

const KEY = { idempotencyKey: 'k', inputDigest: 'd' }

export const idempotency = {
  'a hundred starts with one key at once make one task': async ({ open }) => {
    const on = await open(new FakeHost().on('pay', () => value('paid')))
    const all = await Promise.all(Array.from({ length: 100 }, () => on.engine.submit(spec('pay', KEY))))
    expect(new Set(all.map(({ task }) => task.id)).size).toBe(1)
    expect(all.filter(({ kind }) => kind === 'created')).toHaveLength(1)
    expect(all.filter(({ kind }) => kind === 'replayed')).toHaveLength(99)
    await on.end(all[0]!.task.id)
    expect(on.host.claims).toHaveLength(1)
  },

  'the same key with another input is a conflict': async ({ open }) => {
    const on = await open(new FakeHost().on('pay', () => value('paid')))
    const { id } = await on.start('pay', { idempotencyKey: 'k', inputDigest: 'one' })
    const again = await on.engine.submit(spec('pay', { idempotencyKey: 'k', inputDigest: 'two' }))
    expect(again).toMatchObject({ kind: 'conflict', task: { id } })
  },

  'a key is the owner’s and the procedure’s': async ({ open }) => {
    const on = await open(new FakeHost().on('pay', () => value(1)).on('ship', () => value(1)))
    const specs = [spec('pay', KEY), spec('ship', KEY), spec('pay', { ...KEY, owner: 'ann' })]
    const kinds = await Promise.all(specs.map(async (each) => (await on.engine.submit(each)).kind))
    expect(kinds).toEqual(['created', 'created', 'created'])
  },

  'a key still stands for an ended task, and for none once that is removed': async ({ open }) => {
    const on = await open(new FakeHost().on('pay', () => value('paid')))
    const { id } = await on.start('pay', KEY)
    await on.end(id)
    expect(await on.engine.submit(spec('pay', KEY))).toMatchObject({
      kind: 'replayed',
      task: { id, status: 'succeeded', result: 'paid' },
    })
    await on.engine.remove(id)
    expect(await on.engine.submit(spec('pay', KEY))).toMatchObject({ kind: 'created' })
  },
} satisfies EngineCases
