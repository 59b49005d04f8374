/** A worker dies of what a handler does: its call is told, the others go on. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Executor } from '../../../../tasks/executor.ts'
import { expect } from '../../runner.ts'
import { lost, outcomeOf, start, startMany, tally, value, type ExecutorCases } from '../bench.ts'

const servesOn = async (executor: Executor): Promise<void> =>
  expect(await outcomeOf(executor, 'noop')).toEqual(value(null))

export const dying = {
  'loses the call of a worker that exits with 0': async ({ create }) => {
    const executor = create()
    expect(await outcomeOf(executor, 'exit', 0)).toEqual(lost('exited with code 0'))
    await servesOn(executor)
  },

  'loses the call of a worker that exits with 1': async ({ create }) => {
    const executor = create()
    expect(await outcomeOf(executor, 'exit', 1)).toEqual(lost('exited with code 1'))
    await servesOn(executor)
  },

  'serves on after as many exits as there are workers': async ({ create }) => {
    const executor = create()
    for (let round = 0; round < 2; round += 1)
      expect(await tally([start(executor, 'exit', 1), start(executor, 'exit', 1)])).toEqual({ lost: 2 })
    expect(await tally(startMany(executor, 10))).toEqual({ value: 10 })
  },

  'loses the call of a worker with an uncaught throw': async ({ create }) => {
    const executor = create()
    expect(await outcomeOf(executor, 'throwsInTimer')).toEqual(lost(/RangeError: thrown in a timer\n +at /))
    await servesOn(executor)
  },

  'loses the call of a worker with an uncaught null': async ({ create }) => {
    const executor = create()
    expect(await outcomeOf(executor, 'throwsNull')).toEqual(lost('uncaught'))
    await servesOn(executor)
  },

  'loses the call of a worker with an unhandled rejection': async ({ create }) => {
    const executor = create()
    expect(await outcomeOf(executor, 'rejectsUnheard')).toEqual(lost('RangeError: rejected unheard'))
    await servesOn(executor)
  },

  'loses the call of a worker out of memory': async ({ create }) => {
    const executor = create({ memoryLimit: 64 })
    expect(await outcomeOf(executor, 'fillsMemory')).toEqual(lost('out of memory'))
    await servesOn(executor)
  },

  'fails the call that overflows the stack, and keeps its worker': async ({ create }) => {
    const executor = create({ workers: 1 })
    const before = await outcomeOf(executor, 'where', 0)
    const error = { name: 'RangeError', code: 'INTERNAL_SERVER_ERROR' }
    expect(await outcomeOf(executor, 'overflows')).toMatchObject({ kind: 'error', error })
    expect(await outcomeOf(executor, 'where', 0)).toEqual(before)
  },

  'ends the call of a worker that closes its channel': async ({ create }) => {
    const executor = create({ workers: 1 })
    const outcome = await outcomeOf(executor, 'closesItsChannel')
    // A process has no other way to its host; a thread's is not within its handler's reach.
    expect([value('it had another'), lost('exited with code 1')]).toContainEqual(outcome)
    await servesOn(executor)
  },

  'outlives a throw after the result': async ({ create }) => {
    const reports: string[] = []
    const executor = create({ workers: 1, report: (message) => reports.push(message) })
    expect(await outcomeOf(executor, 'throwsAfterItsEnd', 10)).toEqual(value('fine'))
    const told = [expect.stringContaining('RangeError: thrown too late')]
    await expect.poll(() => reports, { timeout: 5000 }).toEqual(told)
    expect(await outcomeOf(executor, 'throwsAfterItsEnd', 300)).toEqual(value('fine'))
    // The worker's death is told to whoever runs in it at the time; it is not a result.
    expect(await outcomeOf(executor, 'deaf')).toEqual(lost('RangeError: thrown too late'))
    await servesOn(executor)
  },

  'reports a death when the only call in the worker is given back': async ({ create }) => {
    const reports: string[] = []
    const executor = create({ workers: 1, report: (message) => reports.push(message) })
    expect(await outcomeOf(executor, 'blocksAndThrowsAfterItsEnd', 400)).toEqual(value('fine'))
    await sleep(50)
    expect(['returned', 'value']).toContain((await outcomeOf(executor, 'noop')).kind)
    const told = [expect.stringContaining('RangeError: thrown far too late')]
    await expect.poll(() => reports, { timeout: 5000 }).toEqual(told)
  },

  'returns calls that waited in a worker that died': async ({ create }) => {
    const executor = create({ workers: 1 })
    await tally(startMany(executor, 50))
    const quick = startMany(executor, 4)
    const fatal = start(executor, 'exit', 1)
    const behind = startMany(executor, 30)
    expect(await tally(quick)).toEqual({ value: 4 })
    expect(await fatal.outcome).toEqual(lost('exited with code 1'))
    const { value: served = 0, returned = 0, ...others } = await tally(behind)
    expect(others).toEqual({})
    expect(served + returned).toBe(30)
    for (const { trace } of behind)
      expect(trace).toEqual(trace.length === 1 ? [{ kind: 'returned' }] : ['started', value(null)])
  },
} satisfies ExecutorCases
