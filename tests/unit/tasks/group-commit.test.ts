import { describe, expect, it } from 'vitest'
import { GroupCommit, type Write } from '../../../src/tasks/stores/group-commit.ts'

const write = (key: string): Write => ({ kind: 'delete', values: [key] })

describe('group commit', () => {
  it('commits the writes of one turn together and in order, and resolves them after', async () => {
    const batches: string[] = []
    const commits = new GroupCommit((writes) => {
      batches.push(writes.map(({ values }) => values[0]).join(''))
      return writes.map(() => 1)
    })
    const first = ['a', 'b', 'c'].map((key) => commits.write(write(key)))
    expect(batches).toEqual([])
    expect(await Promise.all(first)).toEqual([1, 1, 1])
    await commits.write(write('d'))
    expect(batches).toEqual(['abc', 'd'])
  })

  it('tells a failed write from a failed commit', async () => {
    let fails = false
    const commits = new GroupCommit((writes) => {
      if (fails) throw new Error('disk full')
      return writes.map(({ values }) => (values[0] === 'bad' ? new Error('too big') : 1))
    })
    const alone = await Promise.allSettled(['a', 'bad', 'b'].map((key) => commits.write(write(key))))
    expect(alone.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled'])
    fails = true
    const all = await Promise.allSettled(['a', 'b'].map((key) => commits.write(write(key))))
    expect(all.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    fails = false
    expect(await commits.write(write('a'))).toBe(1)
  })

  it('waits a moment for as many as there were last time, and not for one that does not come', async () => {
    const turn = () => new Promise((resolve) => setImmediate(resolve))
    const comeOneByOne = async () => {
      const sizes: number[] = []
      const commits = new GroupCommit(async (writes) => {
        sizes.push(writes.length)
        for (const until = performance.now() + 2; performance.now() < until;);
        return writes.map(() => 1)
      })
      await Promise.all(['a', 'b', 'c'].map((key) => commits.write(write(key))))
      const all = [commits.write(write('d'))]
      for (const key of ['e', 'f']) {
        await turn()
        all.push(commits.write(write(key)))
      }
      await Promise.all([...all, commits.write(write('g'))])
      await commits.write(write('h'))
      return sizes
    }
    // A busy machine may let the moment pass between two turns.
    const runs: number[][] = []
    for (let n = 0; n < 20; n += 1) runs.push(await comeOneByOne())
    for (const sizes of runs) expect(sizes.reduce((a, b) => a + b)).toBe(8)
    expect(runs.map(([, second = 0]) => second)).toContainEqual(expect.toSatisfy((size: number) => size >= 3))
  })

  it('makes no commit so large that it keeps others waiting', async () => {
    const sizes: number[] = []
    const commits = new GroupCommit(async (writes) => {
      sizes.push(writes.length)
      return writes.map(() => 1)
    })
    const all = Promise.all(Array.from({ length: 2500 }, () => commits.write(write('a'))))
    await commits.idle()
    await all
    expect(sizes).toEqual([1000, 1000, 500])
  })
})
