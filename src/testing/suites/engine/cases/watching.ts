/** A task is watched. */
import type { Claim, EngineEvent } from '../../../../tasks/engine.ts'
import { createTaskId } from '../../../../tasks/id.ts'
import { expect } from '../../runner.ts'
import { collect, typesOf, type EngineCases } from '../bench.ts'
import { createGate, failure, FakeHost, untilAborted, value } from '../fake-host.ts'

const FLOOD = 5000

const numbersOf = (events: readonly EngineEvent[]): number[] =>
  events.flatMap((event) => (event.type === 'progress' ? [event.progress as number] : []))

/** Where a watcher missed something, it was told of a gap. */
const hasUntoldGap = (events: readonly EngineEvent[]): boolean => {
  let next = 1
  for (const event of events)
    if (event.type === 'gap') next = 0
    else if (event.type === 'progress') {
      if (next !== 0 && event.progress !== next) return true
      next = (event.progress as number) + 1
    }
  return false
}

export const watching = {
  'tells everything from the present state to the end': async ({ open }) => {
    const gate = createGate()
    const script = async ({ progress, log }: Claim) => {
      await gate.wait
      progress({ percent: 50 })
      log({ level: 'info', message: 'half', at: 'now' })
      return value('ok')
    }
    const on = await open(new FakeHost().on('long', script))
    const { id } = await on.start('long')
    await on.claimed(id)
    const { all } = await on.observe(id)
    gate.open()
    const events = await all
    expect(typesOf(events)).toEqual(['state', 'progress', 'log', 'done'])
    expect(events[0]).toMatchObject({ task: { status: 'running' } })
    expect(events[1]).toMatchObject({ progress: { percent: 50 } })
    expect(events[3]).toMatchObject({
      task: { status: 'succeeded', result: 'ok', progress: { percent: 50 } },
    })
    expect(new Set(events.map(({ seq }) => seq)).size).toBe(4)
  },

  'leaves out progress that JSON can not hold, and says so': async ({ open }) => {
    const script = ({ progress }: Claim) => {
      progress({ percent: 10 })
      progress({ percent: 20n })
      return value('ok')
    }
    const on = await open(new FakeHost().on('odd', script))
    const task = await on.end((await on.start('odd')).id)
    expect(task).toMatchObject({ status: 'succeeded', progress: { percent: 10 } })
    expect(on.host.reports).toHaveLength(1)
  },

  'tells of retries': async ({ open }) => {
    const gate = createGate()
    const script = ({ task }: Claim) =>
      task.attempt < 2 ? gate.wait.then(() => failure()) : Promise.resolve(value('ok'))
    const on = await open(new FakeHost().on('flaky', script))
    const { id } = await on.start('flaky')
    await on.claimed(id)
    const { all } = await on.observe(id)
    gate.open()
    const states = (await all).map((event) => ('task' in event ? event.task.status : event.type))
    expect(states).toEqual(['running', 'queued', 'running', 'succeeded'])
  },

  'an ended task tells its state and that it is done, an unknown one nothing': async ({ open }) => {
    const on = await open(new FakeHost().on('add', () => value(3)))
    const { id } = await on.start('add')
    await on.end(id)
    const all = await collect(on.watch(id))
    expect(typesOf(all)).toEqual(['state', 'done'])
    expect(await collect(on.watch(id, all[0]!.seq))).toMatchObject([{ type: 'done' }])
    expect(await collect(on.watch(id, all[1]!.seq))).toEqual([])
    expect(await collect(on.watch(createTaskId()))).toEqual([])
  },

  'goes on after the last event seen, without a gap': async ({ open }) => {
    const gates = [createGate(), createGate()]
    const reported = createGate()
    const script = async ({ progress }: Claim) => {
      progress(1)
      await gates[0]!.wait
      progress(2)
      progress(3)
      reported.open()
      await gates[1]!.wait
      return value('ok')
    }
    const on = await open(new FakeHost().on('long', script))
    const { id } = await on.start('long')
    await on.until(id, ({ progress }) => progress === 1)
    const first = on.watch(id)[Symbol.asyncIterator]()
    expect((await first.next()).value).toMatchObject({ type: 'state' })
    gates[0]!.open()
    const seen = (await first.next()).value as EngineEvent
    expect(seen).toMatchObject({ type: 'progress', progress: 2 })
    await first.return?.()
    await reported.wait
    const { all } = await on.observe(id, seen.seq)
    gates[1]!.open()
    const missed = await all
    expect(missed).toMatchObject([{ type: 'progress', progress: 3 }, { type: 'done' }])
    expect(await collect(on.watch(id, seen.seq))).toEqual(missed)
  },

  'begins anew with a gap after an event it does not know': async ({ open }) => {
    const gate = createGate()
    const on = await open(new FakeHost().on('long', () => gate.wait.then(() => value(1))))
    const { id } = await on.start('long')
    await on.claimed(id)
    const { all } = await on.observe(id, 'other.7')
    gate.open()
    expect(typesOf(await all)).toEqual(['gap', 'state', 'done'])
  },

  'a watcher that is too slow is told of a gap, the state after it, and then the latest events': async ({
    open,
  }) => {
    const gate = createGate()
    const script = async ({ progress }: Claim) => {
      await gate.wait
      for (let n = 1; n <= FLOOD; n++) progress(n)
      return value('ok')
    }
    const on = await open(new FakeHost().on('chatty', script))
    const { id } = await on.start('chatty')
    await on.claimed(id)
    const events = on.watch(id)[Symbol.asyncIterator]()
    await events.next()
    gate.open()
    await on.end(id)
    const all: EngineEvent[] = []
    for (let next = await events.next(); !next.done; next = await events.next()) all.push(next.value)
    expect(hasUntoldGap(all)).toBe(false)
    for (const [at, { type }] of all.entries())
      if (type === 'gap') expect(all[at + 1]).toMatchObject({ type: 'state' })
    expect(new Set(all.map(({ seq }) => seq)).size).toBe(all.length)
    expect(numbersOf(all).at(-1)).toBe(FLOOD)
    expect(all.at(-1)).toMatchObject({ type: 'done' })
  },

  'stops when its signal aborts': async ({ open }) => {
    const on = await open(new FakeHost().on('long', untilAborted(value(1))))
    const { id } = await on.start('long')
    const abort = new AbortController()
    const { all } = await on.observe(id, undefined, abort.signal)
    await on.claimed(id)
    abort.abort()
    expect(typesOf(await all)).not.toContain('done')
  },

  'tells all who wait for the end, at once where it is over, and nothing of an unknown id': async ({
    open,
  }) => {
    const gate = createGate()
    const on = await open(new FakeHost().on('gated', async () => (await gate.wait, value(7))))
    const { id } = await on.start('gated')
    const ended = (task: string) => on.engine.ended(task, new AbortController().signal)
    const ends = Promise.all(Array.from({ length: 10 }, () => ended(id)))
    await on.claimed(id)
    gate.open()
    for (const task of await ends) expect(task).toMatchObject({ id, status: 'succeeded', result: 7 })
    expect(await ended(id)).toMatchObject({ id, status: 'succeeded', result: 7 })
    expect(await ended(createTaskId())).toBeUndefined()
  },

  'the revision rises with every change': async ({ open }) => {
    const gate = createGate()
    const script = async ({ progress, task }: Claim) => {
      await gate.wait
      progress(1)
      return task.attempt < 2 ? failure() : value('ok')
    }
    const on = await open(new FakeHost().on('long', script))
    const { id } = await on.start('long')
    const { all } = await on.observe(id)
    await on.claimed(id)
    gate.open()
    const revisions = (await all).flatMap((event) => ('task' in event ? [event.task.revision] : []))
    expect(revisions.length).toBeGreaterThan(3)
    // The last state and `done` are one.
    expect(revisions).toEqual([...new Set(revisions)].sort((a, b) => a - b))
  },
} satisfies EngineCases
