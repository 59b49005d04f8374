import { describe, expect, test } from 'vitest'
import { createHandle, type TaskAccess } from '../../../src/protocol/handle.ts'
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
    isTransient: (error) => (error as Error).message === 'away',
  }
}

const all = async <T>(items: AsyncIterable<T>): Promise<T[]> => {
  const list: T[] = []
  for await (const item of items) list.push(item)
  return list
}

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
      ...answering(ended),
      isTransient: () => true,
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

  test('are polled where nothing can push', async () => {
    const access = answering(record('running', { progress: { percent: 1 }, rev: 'a' }), ended)
    expect((await all(createHandle(access, '7').events())).map(({ type }) => type)).toEqual([
      'progress',
      'state',
      'done',
    ])
    expect(access.asked[1]).toEqual({ id: '7', wait: 25, after: 'a' })
  })

  test('are polled where the client turns out to be unable to watch', async () => {
    const access: TaskAccess = {
      ...answering(ended),
      cannotWatch: () => true,
      watch: async function* () {
        throw new Error('no subscription link')
      },
    }
    expect(await all(createHandle(access, '7').events())).toEqual([done])
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

test('a handle cancels and reads by its id', async () => {
  const handle = createHandle(answering(ended), '7')
  expect(await handle.cancel()).toMatchObject({ status: 'cancelled' })
  expect(await handle.record()).toBe(ended)
})
