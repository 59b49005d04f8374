/** Tasks are listed. */
import { expect } from '../../runner.ts'
import type { EngineCases } from '../bench.ts'
import { failure, FakeHost, value } from '../fake-host.ts'

export const listing = {
  'gives the newest first, page by page': async ({ open }) => {
    const on = await open(new FakeHost().on('add', () => value(3)))
    const ids: string[] = []
    for (let n = 0; n < 5; n++) ids.unshift((await on.start('add')).id)
    await Promise.all(ids.map((id) => on.end(id)))
    const seen: string[] = []
    let cursor: string | undefined
    do {
      const page = await on.engine.list({ limit: 2, ...(cursor === undefined ? {} : { cursor }) })
      seen.push(...page.items.map(({ id }) => id))
      cursor = page.nextCursor
    } while (cursor !== undefined)
    expect(seen).toEqual(ids)
  },

  'filters by procedure, status, tag and owner': async ({ open }) => {
    const host = new FakeHost().on('add', () => value(3)).on('bad', () => failure('no', { status: 400 }))
    const on = await open(host)
    const a = await on.start('add', { tags: ['x', 'y'], owner: 'ann' })
    const b = await on.start('bad', { tags: ['y'], owner: 'bob' })
    const c = await on.start('add')
    await Promise.all([a, b, c].map(({ id }) => on.end(id)))
    const ids = async (query: object) =>
      (await on.engine.list({ limit: 9, ...query })).items.map(({ id }) => id)
    expect(await ids({ procedure: 'add' })).toEqual([c.id, a.id])
    expect(await ids({ status: 'failed' })).toEqual([b.id])
    expect(await ids({ tag: 'y' })).toEqual([b.id, a.id])
    expect(await ids({ owner: 'ann', tag: 'y' })).toEqual([a.id])
    expect(await ids({ owner: 'eve' })).toEqual([])
  },

  'refuses a cursor that no page gave': async ({ open }) => {
    const on = await open(new FakeHost())
    await expect(on.engine.list({ limit: 9, cursor: '???' })).rejects.toMatchObject({ code: 'BAD_REQUEST' })
  },
} satisfies EngineCases
