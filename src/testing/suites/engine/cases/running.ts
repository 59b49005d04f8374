/** A task runs: once it is written, when its time has come, in its turn. */
import { EngineUnavailable } from '../../../../tasks/engine.ts'
import { expect } from '../../runner.ts'
import { spec, type Opened, type EngineCases } from '../bench.ts'
import { createGate, FakeHost, never, value } from '../fake-host.ts'

/** Attempts that wait at a gate, and count how many of them there are at once. */
const counting = () => {
  let now = 0
  const gate = createGate()
  const count = { most: 0 }
  const script = async () => {
    count.most = Math.max(count.most, ++now)
    await gate.wait
    now -= 1
    return value(null)
  }
  return { count, gate, script }
}

export const running = {
  'runs a task to its end and keeps its result': async ({ open }) => {
    const on = await open(new FakeHost().on('add', () => value({ sum: 3 })))
    const trace = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`
    const submitted = await on.engine.submit(spec('add', { tags: ['a'], carried: { user: 7 }, trace }))
    expect(submitted).toMatchObject({ kind: 'created', task: { status: 'queued', attempt: 0 } })
    const task = await on.end(submitted.task.id)
    expect(task).toMatchObject({ status: 'succeeded', attempt: 1, result: { sum: 3 }, tags: ['a'], trace })
    expect(task.attempts).toMatchObject([
      { n: 1, startedAt: expect.any(Number), finishedAt: expect.any(Number) },
    ])
    const given = { input: { n: 1 }, carried: { user: 7 }, trace, attempt: 1 }
    expect(on.host.claims[0]!.task).toMatchObject(given)
  },

  'an acknowledged task can be read at once': async ({ open }) => {
    const on = await open(new FakeHost().on('slow', never))
    const { id } = await on.start('slow')
    expect(await on.engine.get(id)).toMatchObject({ id, procedure: 'slow' })
  },

  'an attempt is written before its handler runs': async ({ open }) => {
    const seen: unknown[] = []
    const look: { on?: Opened } = {}
    const host = new FakeHost().on('look', async ({ task }) => {
      seen.push(await look.on?.engine.get(task.id))
      return value(null)
    })
    const on = (look.on = await open(host))
    await on.end((await on.start('look')).id)
    expect(seen).toMatchObject([{ status: 'running', attempt: 1, attempts: [{ n: 1 }] }])
  },

  'does not run before runAt': async ({ open }) => {
    const on = await open(new FakeHost().on('later', () => value(Date.now())))
    const runAt = Date.now() + 120
    const { id } = await on.start('later', { runAt })
    expect(await on.engine.get(id)).toMatchObject({ status: 'queued', runAt })
    const { result, runAt: left } = await on.end(id)
    expect(result).toBeGreaterThanOrEqual(runAt)
    expect(left).toBeUndefined()
  },

  'runs by priority, then in the order of starts': async ({ open }) => {
    const gate = createGate()
    const host = new FakeHost(1).on('first', () => gate.wait.then(() => value(1))).on('next', () => value(2))
    const on = await open(host)
    await on.claimed((await on.start('first')).id)
    const ids: string[] = []
    for (const priority of [0, 5, -5, 5]) ids.push((await on.start('next', { priority })).id)
    gate.open()
    await Promise.all(ids.map((id) => on.end(id)))
    expect(host.claims.slice(1).map(({ task }) => ids.indexOf(task.id))).toEqual([1, 3, 0, 2])
  },

  'runs no more of a procedure at once than its concurrency, and holds up no other': async ({ open }) => {
    const { count, gate, script } = counting()
    const on = await open(new FakeHost().on('few', script, { concurrency: 2 }).on('many', () => value(null)))
    const few = await Promise.all(Array.from({ length: 6 }, () => on.start('few')))
    await on.end((await on.start('many')).id)
    expect(await on.engine.get(few.at(-1)!.id)).toMatchObject({ status: 'queued' })
    gate.open()
    await Promise.all(few.map(({ id }) => on.end(id)))
    expect(count.most).toBe(2)
  },

  'leaves a task of an unknown procedure queued': async ({ open }) => {
    const on = await open(new FakeHost().on('known', () => value(1)))
    const { id } = await on.start('unknown')
    await on.end((await on.start('known')).id)
    expect(await on.engine.get(id)).toMatchObject({ status: 'queued', attempt: 0 })
  },

  'refuses a start when the queue is full': async ({ open }) => {
    const on = await open(new FakeHost())
    await Promise.all(Array.from({ length: 1000 }, () => on.start('unknown')))
    await expect(on.start('unknown')).rejects.toThrow(EngineUnavailable)
    await expect(on.start('unknown')).rejects.toThrow('queueLimit')
  },

  'a result that JSON can not hold ends as OUTPUT_INVALID': async ({ open }) => {
    const on = await open(new FakeHost().on('big', () => value(1n), { retry: { attempts: 1 } }))
    const task = await on.end((await on.start('big', { maxAttempts: 1 })).id)
    expect(task).toMatchObject({ status: 'failed', error: { code: 'OUTPUT_INVALID', status: 500 } })
  },
} satisfies EngineCases
