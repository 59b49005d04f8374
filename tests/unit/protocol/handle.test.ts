import { getEventListeners } from 'node:events'
import { describe, expect, test } from 'vitest'
import { createHandle } from '../../../src/protocol/handle.ts'
import type { TaskAccess } from '../../../src/protocol/task-access.ts'
import type { TaskEvent, TaskRecord } from '../../../src/protocol/task.ts'

const record = (status: TaskRecord['status'], more: Partial<TaskRecord> = {}): TaskRecord => ({
  id: '7',
  procedure: 'p',
  status,
  attempt: 1,
  maxAttempts: 3,
  attempts: [],
  createdAt: '',
  rev: status,
  links: { self: '', result: '', events: '', cancel: '' },
  ...more,
})

const ended = record('succeeded', { result: 42 })

/** An access that gives one answer after the other, throwing those that are errors. */
const answering = (...answers: (TaskRecord | Error)[]): TaskAccess & { readonly asked: unknown[] } => {
  const asked: unknown[] = []
  return {
    asked,
    get: async (query) => {
      asked.push(query)
      const answer = answers.length > 1 ? answers.shift() : answers[0]
      if (answer instanceof Error) throw answer
      return answer as TaskRecord
    },
    cancel: async () => record('cancelled'),
    retryAfter: (error) => ((error as Error).message === 'away' ? 0 : undefined),
  }
}

const all = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}

const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length

describe('the result of a handle', () => {
  test('comes when the task has ended', async () => {
    const access = answering(record('running'), record('running'), ended)
    expect(await createHandle(access, '7').result()).toBe(42)
    expect(access.asked).toEqual([
      { id: '7', wait: 25 },
      { id: '7', wait: 25 },
      { id: '7', wait: 25 },
    ])
  })

  test('rejects with a TaskError when the task failed', async () => {
    const error = { code: 'BAD', status: 409, message: 'Broken', data: { why: 1 } }
    await expect(createHandle(answering(record('failed', { error })), '7').result()).rejects.toMatchObject({
      name: 'TaskError',
      code: 'BAD',
      status: 409,
      data: { why: 1 },
      taskId: '7',
    })
    await expect(createHandle(answering(record('cancelled')), '7').result()).rejects.toMatchObject({
      code: 'CANCELLED',
    })
  })

  test('is asked for again after a failure that may pass, and not after another', async () => {
    expect(await createHandle(answering(new Error('away'), ended), '7').result()).toBe(42)
    await expect(createHandle(answering(new Error('forbidden'), ended), '7').result()).rejects.toThrow(
      'forbidden',
    )
  })

  test('is not waited for longer than asked', async () => {
    const never = { ...answering(record('running')), get: () => new Promise<TaskRecord>(() => undefined) }
    await expect(createHandle(never, '7').result({ timeout: 30 })).rejects.toMatchObject({
      name: 'TimeoutError',
    })
    await expect(
      createHandle(never, '7').result({ signal: AbortSignal.abort(new Error('enough')) }),
    ).rejects.toThrow('enough')
  })
})

describe('the events of a handle', () => {
  const done: TaskEvent = { type: 'done', record: ended }
  const progress = (percent: number): TaskEvent => ({ type: 'progress', progress: { percent } })

  test('are those that are pushed, up to done', async () => {
    const access: TaskAccess = {
      ...answering(ended),
      watch: async function* () {
        yield { id: '1', event: progress(1) }
        yield { id: '2', event: done }
        yield { id: '3', event: progress(99) }
      },
    }
    expect(await all(createHandle(access, '7').events())).toEqual([progress(1), done])
    expect(await all(createHandle(access, '7').progress())).toEqual([{ percent: 1 }])
  })

  test('go on after the last one when the stream breaks or ends too early', async () => {
    const opened: unknown[] = []
    const access: TaskAccess = {
      ...answering(record('running')),
      retryAfter: () => 0,
      watch: async function* (query) {
        opened.push(query)
        if (opened.length === 1) {
          yield { id: '1', event: progress(1) }
          throw new Error('away')
        }
        if (opened.length === 2) return
        yield { id: '2', event: done }
      },
    }
    expect(await all(createHandle(access, '7').events())).toEqual([progress(1), done])
    expect(opened).toEqual([{ id: '7' }, { id: '7', lastEventId: '1' }, { id: '7', lastEventId: '1' }])
  })

  test('tell of a gap when the stream has nothing to say of a task that has ended', async () => {
    const access: TaskAccess = { ...answering(ended), watch: async function* () {} }
    expect((await all(createHandle(access, '7').events())).map(({ type }) => type)).toEqual([
      'gap',
      'state',
      'done',
    ])
  })

  test('end in an error, not in asking on, when the task is gone', async () => {
    const access: TaskAccess = { ...answering(new Error('no such task')), watch: async function* () {} }
    await expect(all(createHandle(access, '7').events())).rejects.toThrow('no such task')
  })

  test('are polled where nothing can push: the state, what changed, done', async () => {
    const access = answering(
      record('queued', { rev: 'a' }),
      record('running', { rev: 'b' }),
      record('running', { rev: 'c', progress: { percent: 1 } }),
      record('running', { rev: 'd', progress: { percent: 1 } }),
      record('succeeded', { progress: { percent: 2 } }),
    )
    const events = await all(createHandle(access, '7').events())
    const told = events.map((event) => ('record' in event ? event.record.status : event))
    expect(told).toEqual(['queued', 'running', progress(1), progress(2), 'succeeded'])
    expect(access.asked.slice(0, 2)).toEqual([{ id: '7' }, { id: '7', wait: 25, after: 'a' }])
  })

  test('are polled where the client turns out to be unable to watch', async () => {
    const access: TaskAccess = {
      ...answering(ended),
      cannotWatch: () => true,
      watch: async function* () {
        throw new Error('no subscription link')
      },
    }
    expect((await all(createHandle(access, '7').events())).map(({ type }) => type)).toEqual(['state', 'done'])
  })

  test('stop the stream when nobody reads them any more', async () => {
    let signal: AbortSignal | undefined
    const access: TaskAccess = {
      ...answering(ended),
      watch: async function* (_query, given) {
        signal = given
        for (;;) yield { id: '1', event: progress(1) }
      },
    }
    for await (const _event of createHandle(access, '7').events()) break
    expect(signal?.aborted).toBe(true)
  })

  test('stop when they are told to', async () => {
    const stop = new AbortController()
    const access: TaskAccess = {
      ...answering(ended),
      watch: async function* (_query, signal) {
        for (;;) {
          signal.throwIfAborted()
          yield { id: '1', event: progress(1) }
        }
      },
    }
    const events = createHandle(access, '7').events({ signal: stop.signal })
    await events[Symbol.asyncIterator]().next()
    stop.abort(new Error('enough'))
    await expect(all(events)).rejects.toThrow('enough')
  })
})

describe('the progress of a handle', () => {
  const running = (percent: number): TaskEvent => ({
    type: 'state',
    record: record('running', { progress: { percent } }),
  })
  const told = (...events: TaskEvent[]): Promise<unknown[]> => {
    const access: TaskAccess = {
      ...answering(ended),
      watch: async function* () {
        for (const event of [...events, { type: 'done', record: ended } as const]) yield { id: '1', event }
      },
    }
    return all(createHandle(access, '7').progress())
  }
  const report = (value: unknown): TaskEvent => ({ type: 'progress', progress: value })

  test('begins with what the record says, and is not told twice of it', async () => {
    expect(await told(running(1), report({ percent: 2 }), running(2))).toEqual([
      { percent: 1 },
      { percent: 2 },
    ])
  })

  test('catches up by the record after a gap', async () => {
    expect(await told(report({ percent: 1 }), { type: 'gap' }, running(7))).toEqual([
      { percent: 1 },
      { percent: 7 },
    ])
    expect(await told(report({ percent: 1 }), { type: 'gap' }, running(1))).toEqual([{ percent: 1 }])
  })

  test('may be false, null, or the same twice', async () => {
    expect(await told(report(false), report(null), report(null))).toEqual([false, null, null])
  })
})

describe('leaving', () => {
  const silent = (seen: AbortSignal[]): TaskAccess => ({
    ...answering(ended),
    watch: async function* (_query, signal) {
      seen.push(signal)
      await new Promise((resolve) => signal.addEventListener('abort', resolve))
    },
  })

  test.each(['events', 'progress'] as const)(
    '%s while the next is waited for stops at once',
    async (which) => {
      const seen: AbortSignal[] = []
      const items = createHandle(silent(seen), '7')[which]()[Symbol.asyncIterator]()
      const next = items.next()
      await items.return?.()
      expect(await next).toEqual({ value: undefined, done: true })
      expect(seen[0]?.aborted).toBe(true)
    },
  )

  test('leaves no listener on a signal that lives on', async () => {
    const { signal } = new AbortController()
    const handle = createHandle({ ...answering(ended), watch: silent([]).watch! }, '7')
    await handle.result({ signal, timeout: '1h' })
    const left = handle.events({ signal })[Symbol.asyncIterator]()
    void left.next()
    await left.return?.()
    await handle.progress({ signal })[Symbol.asyncIterator]().return?.()
    await all(createHandle(answering(ended), '7').events({ signal }))
    expect(getEventListeners(signal, 'abort')).toEqual([])
  })

  test('leaves no timer behind', async () => {
    const before = timers()
    await createHandle(answering(ended), '7').result({ timeout: '1h' })
    const away = createHandle(answering(new Error('away')), '7')
    await expect(away.result({ timeout: 20 })).rejects.toMatchObject({ name: 'TimeoutError' })
    expect(timers()).toBe(before)
  })
})

describe('a call that may be made again', () => {
  test('is, after a failure that may pass', async () => {
    const calls: string[] = []
    const access = (failures: number): TaskAccess => ({
      ...answering(ended),
      cancel: async (id) => {
        if (calls.push(id) <= failures) throw new Error('away')
        return ended
      },
    })
    expect(await createHandle(access(2), '7').cancel()).toBe(ended)
    expect(calls).toHaveLength(3)
  })

  test('waits as long as it is told', async () => {
    let told = 0
    const access: TaskAccess = {
      ...answering(new Error('busy'), ended),
      retryAfter: () => {
        told = performance.now()
        return 0.3
      },
    }
    await createHandle(access, '7').result()
    expect(performance.now() - told).toBeGreaterThanOrEqual(299)
  })
})

test('a handle cancels and reads by its id', async () => {
  const handle = createHandle(answering(ended), '7')
  expect(await handle.cancel()).toMatchObject({ status: 'cancelled' })
  expect(await handle.record()).toBe(ended)
})
