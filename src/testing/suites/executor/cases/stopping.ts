/** A call is asked to stop, withdrawn, killed, or the executor is closed. */
import { expect } from '../../runner.ts'
import { begun, lost, outcomeOf, start, value, type ExecutorCases } from '../bench.ts'

export const stopping = {
  'lets the handler see an abort and its reason': async ({ create }) => {
    const call = start(create(), 'waitForAbort')
    await begun(call)
    call.abort('Cancelled')
    call.abort('Cancelled')
    expect(await call.outcome).toEqual(value('Cancelled'))
  },

  'withdraws a call that has not begun': async ({ create }) => {
    const executor = create({ workers: 1 })
    const first = start(executor, 'sleep', 200)
    const [second, third] = [start(executor, 'noop'), start(executor, 'noop')]
    second.abort('Cancelled')
    third.kill('Timeout')
    expect(await second.outcome).toEqual({ kind: 'returned' })
    expect(await third.outcome).toEqual({ kind: 'returned' })
    expect(await first.outcome).toEqual(value(null))
    expect(second.trace).not.toContain('started')
  },

  'kills a deaf handler and serves on': async ({ create }) => {
    const executor = create()
    const call = start(executor, 'deaf')
    await begun(call)
    call.abort('Cancelled')
    call.kill('it did not heed its signal')
    call.kill('twice')
    expect(await call.outcome).toEqual(lost('it did not heed its signal'))
    expect(await outcomeOf(executor, 'noop')).toEqual(value(null))
  },

  'kills a busy loop and serves on': async ({ create }) => {
    const executor = create({ workers: 1 })
    const call = start(executor, 'spinForever')
    await begun(call)
    const other = start(executor, 'noop')
    call.kill('Timeout')
    expect(await call.outcome).toEqual(lost('Timeout'))
    expect(await other.outcome).toEqual(value(null))
  },

  'ends running calls as lost when it is closed': async ({ create }) => {
    const executor = create({ workers: 1 })
    const call = start(executor, 'deaf')
    await begun(call)
    const other = start(executor, 'nested.echo')
    await Promise.all([executor.close(), executor.close()])
    expect(await call.outcome).toEqual(lost('the executor was closed'))
    expect(['returned', 'lost']).toContain((await other.outcome).kind)
  },

  'returns what it is given after it was closed': async ({ create }) => {
    const executor = create()
    await executor.close()
    expect(await outcomeOf(executor, 'noop')).toEqual({ kind: 'returned' })
  },
} satisfies ExecutorCases
