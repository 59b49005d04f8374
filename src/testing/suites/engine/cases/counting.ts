/** What has not ended is counted, by procedure. */
import { expect } from '../../runner.ts'
import type { EngineCases } from '../bench.ts'
import { FakeHost, never, value } from '../fake-host.ts'

export const counting = {
  'tasks that wait, are delayed and run': async ({ open, openIdle }) => {
    const idle = await openIdle(new FakeHost())
    expect(await idle.engine.census(['wait', 'run'])).toEqual([
      { procedure: 'wait', due: 0, delayed: 0, running: 0 },
      { procedure: 'run', due: 0, delayed: 0, running: 0 },
    ])
    await idle.engine.close()
    const on = await open(new FakeHost().on('run', never).on('add', () => value(3)))
    const { id } = await on.start('run')
    const ended = await on.start('add')
    for (let count = 0; count < 3; count++) await on.start('wait')
    await on.start('wait', { runAt: Date.now() + 600_000 })
    await Promise.all([on.claimed(id), on.end(ended.id)])
    const [wait, run, add] = await on.engine.census(['wait', 'run', 'add'])
    expect(wait).toEqual({ procedure: 'wait', due: 3, delayed: 1, running: 0, waited: expect.any(Number) })
    expect(run).toEqual({ procedure: 'run', due: 0, delayed: 0, running: 1 })
    expect(add).toEqual({ procedure: 'add', due: 0, delayed: 0, running: 0 })
  },

  'how long one has waited that could run': async ({ open }) => {
    const on = await open(new FakeHost())
    await on.start('wait')
    const waited = async (): Promise<number> => (await on.engine.census(['wait']))[0]?.waited ?? -1
    const before = await waited()
    expect(before).toBeGreaterThanOrEqual(0)
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(await waited()).toBeGreaterThan(before)
  },
} satisfies EngineCases
