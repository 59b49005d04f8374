/** A worker imports the module that it is given. */
import { expect } from '../../runner.ts'
import { lost, outcomeOf, startMany, value, type ExecutorCases } from '../bench.ts'

export const loading = {
  'opens before the first call, however often': async ({ create }) => {
    const executor = create()
    await Promise.all([executor.open(), executor.open()])
    await executor.open()
    expect(await outcomeOf(executor, 'noop')).toEqual(value(null))
  },

  'tells why it can not be opened, and can be tried again': async ({ create }) => {
    const broken = create({}, 'broken')
    const refused = /broken\.[jt]s can't be used: SyntaxError: broken on purpose\n +at .*broken\.[jt]s/
    await expect(Promise.all([broken.open(), broken.open()])).rejects.toThrow(refused)
    await expect(broken.open()).rejects.toThrow(refused)
    await expect(create({}, 'no-app').open()).rejects.toThrow('made no app')
    await expect(create({ startTimeout: 300 }, 'slow').open()).rejects.toThrow(
      'was not imported within 300 ms',
    )
  },

  'does not open once it is closed': async ({ create }) => {
    const [closed, closing] = [create(), create({}, 'slow')]
    await closed.close()
    await expect(closed.open()).rejects.toThrow('the executor was closed')
    const opening = closing.open()
    await Promise.all([expect(opening).rejects.toThrow('the executor was closed'), closing.close()])
  },

  'tells why a module can not be imported, for every call': async ({ create }) => {
    const executor = create({}, 'broken')
    for (const { outcome } of startMany(executor, 5))
      expect(await outcome).toEqual(lost(/could not start[^]*broken[^]*SyntaxError: broken on purpose/))
    expect(await outcomeOf(executor, 'noop')).toEqual(lost('broken on purpose'))
  },

  'tells that a module has no app': async ({ create }) => {
    expect(await outcomeOf(create({}, 'no-app'), 'noop')).toEqual(lost('made no app'))
    expect(await outcomeOf(create({}, 'nowhere'), 'noop')).toEqual(lost('nowhere'))
  },

  'gives up a module whose import never ends': async ({ create }) => {
    const executor = create({ startTimeout: 300 }, 'slow')
    expect(await outcomeOf(executor, 'noop')).toEqual(lost('was not imported within 300 ms'))
  },

  'loses the call of a worker that dies of itself before it begins': async ({ create }) => {
    expect(await outcomeOf(create({}, 'fragile'), 'deaf')).toEqual(lost('fragile on purpose'))
  },

  'passes the environment on': async ({ create }) => {
    process.env['EXECUTOR_SUITE'] = 'of the host'
    const executor = create({ env: { EXECUTOR_SUITE_OWN: 'of the workers' } })
    expect(await outcomeOf(executor, 'env', 'EXECUTOR_SUITE')).toEqual(value('of the host'))
    expect(await outcomeOf(executor, 'env', 'EXECUTOR_SUITE_OWN')).toEqual(value('of the workers'))
  },
} satisfies ExecutorCases
