import { describe, expect, test } from 'vitest'
import { trpcTask, type TrpcTask } from '../../src/client/trpc-task.ts'

interface Callbacks {
  onData(message: object): void
  onError(error: Error): void
  onComplete(): void
  onConnectionStateChange(state: { error: Error | null }): void
}

/** A client of one subscription, whose callbacks the test calls. */
const subscribed = () => {
  let callbacks: Callbacks | undefined
  let left = 0
  const unused = { mutate: async () => undefined, query: async () => undefined }
  const client: TrpcTask = {
    run: unused,
    start: unused,
    startWith: unused,
    get: unused,
    cancel: unused,
    watch: {
      subscribe: (_input, given: Callbacks) => {
        callbacks = given
        return { unsubscribe: () => void (left += 1) }
      },
    },
  }
  const stop = new AbortController()
  const events = trpcTask(client).watch!({ id: '7' }, stop.signal)[Symbol.asyncIterator]()
  return {
    events,
    stop,
    left: () => left,
    call: (act: (callbacks: Callbacks) => void): void => act(callbacks as Callbacks),
  }
}

const message = (id: string) => ({ id, data: { type: 'gap' } })

describe('watching over tRPC', () => {
  test('gives what came before a break, then the break, and leaves the link that would connect again', async () => {
    const { events, call, left } = subscribed()
    const first = events.next()
    call(({ onData }) => onData(message('1')))
    call(({ onData }) => onData(message('2')))
    call(({ onConnectionStateChange }) => onConnectionStateChange({ error: new Error('cut') }))
    expect((await first).value).toEqual({ id: '1', event: { type: 'gap' } })
    expect((await events.next()).value).toEqual({ id: '2', event: { type: 'gap' } })
    await expect(events.next()).rejects.toThrow('cut')
    expect(left()).toBe(1)
  })

  test('goes on while a link connects for the first time', async () => {
    const { events, call } = subscribed()
    const first = events.next()
    call(({ onConnectionStateChange }) => onConnectionStateChange({ error: null }))
    call(({ onData }) => onData(message('1')))
    expect((await first).done).toBe(false)
  })

  test.each([
    ['completes', ({ onComplete }: Callbacks) => onComplete()],
    ['is told to stop', undefined],
  ])('ends when it %s', async (_how, act) => {
    const { events, call, stop, left } = subscribed()
    const first = events.next()
    if (act) call(act)
    else stop.abort()
    expect(await first).toEqual({ value: undefined, done: true })
    expect(left()).toBe(1)
  })

  test('fails with the error of the subscription', async () => {
    const { events, call } = subscribed()
    const first = events.next()
    call(({ onError }) => onError(new Error('refused')))
    await expect(first).rejects.toThrow('refused')
  })
})
