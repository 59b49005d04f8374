import { afterEach, expect, test, vi } from 'vitest'
import { eventStreamReply, type ServerEvent } from '../../../src/router/sse.ts'

afterEach(() => void vi.useRealTimers())

test('a quiet event stream says every 15 seconds that it is still there, and keeps no timer once it has ended', async () => {
  vi.useFakeTimers()
  const said = Promise.withResolvers<ServerEvent>()
  const events = async function* () {
    yield await said.promise
  }
  const texts = (eventStreamReply(events()).body as AsyncIterable<string>)[Symbol.asyncIterator]()
  expect(await texts.next()).toMatchObject({ value: 'retry: 2000\n\n' })
  for (let beats = 0; beats < 3; beats += 1) {
    const text = texts.next()
    await vi.advanceTimersByTimeAsync(15_000)
    expect(await text).toMatchObject({ value: ': still here\n\n' })
  }
  said.resolve({ data: 1 })
  expect(await texts.next()).toMatchObject({ value: 'data: 1\n\n' })
  expect(await texts.next()).toMatchObject({ done: true })
  expect(vi.getTimerCount()).toBe(0)
})
