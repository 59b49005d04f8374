/** What watchers of a task see, however slowly they read and however often they leave and come back. */
import { getEventListeners } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { isFinished } from '../../../src/protocol/task.ts'
import type { EngineEvent } from '../../../src/tasks/engine.ts'
import { RING_SIZE } from '../../../src/tasks/engines/channel.ts'
import { EventHub } from '../../../src/tasks/engines/event-hub.ts'
import { createTaskId } from '../../../src/tasks/id.ts'
import type { StoredTask } from '../../../src/tasks/stored-task.ts'

const newTask = (): StoredTask => ({
  id: createTaskId(),
  procedure: 'walk',
  input: {},
  maxAttempts: 1,
  owner: null,
  priority: 0,
  status: 'running',
  attempt: 1,
  attempts: [],
  createdAt: 0,
  revision: 1,
})

/** A task that counts what happens to it, and the hub of the process that runs it. */
class Life {
  task = newTask()
  hub = new EventHub()
  #count = 0

  #change(changes: Partial<StoredTask>): void {
    this.task = { ...this.task, ...changes, revision: this.task.revision + 1 }
  }

  progress(times = 1): void {
    for (let n = 0; n < times; n++) {
      this.#change({ progress: ++this.#count })
      this.hub.emit(this.task.id, { type: 'progress', progress: this.task.progress })
    }
  }

  /** Told by its count too, so that a hole shows wherever it is. */
  log(): void {
    this.progress()
    this.hub.emit(this.task.id, { type: 'log', log: { level: 'info', message: 'at', at: '' } })
  }

  state(): void {
    this.#change({ status: this.task.status === 'running' ? 'queued' : 'running' })
    this.hub.changed(this.task)
  }

  restart(): void {
    this.hub.close()
    this.hub = new EventHub()
  }

  end(): void {
    this.#change({ status: 'succeeded' })
    this.hub.changed(this.task)
  }
}

/** Reads when it is told to, and comes back with the last id it saw. */
class Watcher {
  readonly seen: EngineEvent[] = []
  readonly #life: Life
  #stop = new AbortController()
  #events: ReturnType<EventHub['watch']> | undefined
  #next: Promise<void> | undefined

  constructor(life: Life) {
    this.#life = life
  }

  get isDone(): boolean {
    return this.seen.at(-1)?.type === 'done'
  }

  /** Reads up to so many events that are there. */
  async read(count: number): Promise<void> {
    for (let n = 0; n < count && !this.isDone; n++) {
      const next = (this.#next ??= this.#take())
      await Promise.race([next, turn()])
      if (this.#next === next) return
    }
  }

  async #take(): Promise<void> {
    const after = this.seen.at(-1)?.seq
    this.#events ??= this.#life.hub.watch(this.#life.task, {
      signal: this.#stop.signal,
      ...(after === undefined ? {} : { after }),
    })
    const events = this.#events
    const { done, value } = await events.next()
    if (events !== this.#events) return
    this.#next = undefined
    if (done) this.#events = undefined
    else this.seen.push(value)
  }

  leave(): void {
    this.#stop.abort()
    this.#stop = new AbortController()
    void this.#events?.return()
    this.#events = undefined
    this.#next = undefined
  }
}

/** One view: without a hole but after a gap, nothing twice, current after a gap, and to the end. */
const expectOneView = (seen: readonly EngineEvent[]): void => {
  let last = 0
  let mayJump = true
  for (const [at, event] of seen.entries()) {
    const before = seen[at - 1]
    if (before?.type === 'gap') expect(['state', 'gap']).toContain(event.type)
    if (event.type === 'gap') mayJump = true
    if (event.type === 'state' || event.type === 'done') {
      const now = (event.task.progress as number | undefined) ?? 0
      if (mayJump) expect(now).toBeGreaterThanOrEqual(last)
      else expect(now).toBe(last)
      last = now
      mayJump = false
    }
    if (event.type === 'progress') {
      expect(event.progress).toBe(last + 1)
      last += 1
    }
  }
  expect(seen[0]?.type).toBe('state')
  expect(seen.filter(({ type }) => type === 'done')).toHaveLength(1)
  // A gap is told again to whoever broke off before the state that follows it.
  const ids = seen.filter(({ type }) => type !== 'gap').map(({ seq }) => seq)
  expect(new Set(ids).size).toBe(ids.length)
}

type Step = readonly [
  what: 'progress' | 'log' | 'state' | 'restart' | 'read' | 'leave',
  which: number,
  count: number,
]

const step: fc.Arbitrary<Step> = fc.tuple(
  fc.constantFrom('progress', 'progress', 'log', 'state', 'restart', 'read', 'read', 'read', 'leave'),
  fc.nat({ max: 2 }),
  fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 2 * RING_SIZE })),
)

const play = async (steps: readonly Step[]): Promise<Watcher[]> => {
  const life = new Life()
  const watchers = [0, 1, 2].map(() => new Watcher(life))
  await watchers[0]?.read(1)
  for (const [what, which, count] of steps)
    if (what === 'read') await watchers[which]?.read(count)
    else if (what === 'leave') watchers[which]?.leave()
    else if (what === 'progress') life.progress(count)
    else life[what]()
  life.end()
  for (const watcher of watchers)
    for (let reads = 0; !watcher.isDone && reads < 20; reads++) await watcher.read(RING_SIZE)
  expect(life.hub.watchers).toBe(0)
  return watchers
}

describe('watchers', () => {
  test('each see one story, whatever happens meanwhile', async () => {
    const property = fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
      for (const { seen } of await play(steps)) expectOneView(seen)
    })
    await fc.assert(property, { numRuns: 150 })
  })

  test('that fall behind are told of the gap, how the task was after it, and all that is kept', async () => {
    const life = new Life()
    const watcher = new Watcher(life)
    await watcher.read(1)
    life.progress(3 * RING_SIZE)
    await watcher.read(3)
    expect(watcher.seen.slice(1)).toMatchObject([
      { type: 'gap' },
      { type: 'state', task: { progress: 2 * RING_SIZE } },
      { type: 'progress', progress: 2 * RING_SIZE + 1 },
    ])
    life.end()
    await watcher.read(2 * RING_SIZE)
    expect(watcher.seen).toHaveLength(RING_SIZE + 4)
  })

  test('that break off between a gap and its state are told of both again', async () => {
    const life = new Life()
    const watcher = new Watcher(life)
    await watcher.read(1)
    life.restart()
    watcher.leave()
    await watcher.read(1)
    watcher.leave()
    await watcher.read(2)
    expect(watcher.seen.map(({ type }) => type)).toEqual(['state', 'gap', 'gap', 'state'])
  })

  test('that come back from an event nobody sent begin anew', async () => {
    const { task, hub } = new Life()
    const fresh = hub.watch(task, { signal: new AbortController().signal })
    const known = (await fresh.next()).value as EngineEvent
    const GARBAGE = [
      '',
      '.',
      'x',
      '.1',
      '1',
      'NaN',
      '-1',
      '1e3',
      '0x0',
      ' 0',
      '\u0000',
      '9'.repeat(400),
      '__proto__.1',
    ]
    for (const text of GARBAGE)
      for (const after of [text, known.seq.slice(0, -1) + text, `${known.seq}.${text}`]) {
        const { signal } = new AbortController()
        const events = hub.watch(task, { signal, after })
        const told = [(await events.next()).value, (await events.next()).value] as EngineEvent[]
        expect([after, ...told.map(({ type }) => type)]).toEqual([after, 'gap', 'state'])
        await events.return()
      }
  })

  test('leave nothing behind when they go, one by one or all at once', async () => {
    const life = new Life()
    const stops = Array.from({ length: 1000 }, () => new AbortController())
    let ended = 0
    const readings = stops.map(async ({ signal }) => {
      for await (const _ of life.hub.watch(life.task, { signal }));
      ended += 1
    })
    await turn()
    expect(life.hub.watchers).toBe(1000)
    stops[0]?.abort()
    await readings[0]
    expect([life.hub.watchers, ended]).toEqual([999, 1])
    for (const stop of stops) stop.abort()
    await Promise.all(readings)
    expect(life.hub.watchers).toBe(0)
    expect(stops.flatMap(({ signal }) => getEventListeners(signal, 'abort'))).toEqual([])
  })

  test('of one task are a thousand, and each hears the end', async () => {
    const life = new Life()
    const { signal } = new AbortController()
    const lasts = Array.from({ length: 1000 }, async () => {
      let last: EngineEvent | undefined
      for await (const event of life.hub.watch(life.task, { signal })) last = event
      return last?.type
    })
    await turn()
    life.progress(10)
    life.end()
    expect(new Set(await Promise.all(lasts))).toEqual(new Set(['done']))
    expect(life.hub.watchers).toBe(0)
    expect(isFinished(life.task.status)).toBe(true)
  })
})
