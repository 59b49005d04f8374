/** Notices fit into what a notification holds, in order, and what is too long is told of. */
import { describe, expect, it } from 'vitest'
import { newTask } from 'errand/testing/suites'
import { newsOf, renewed, type News } from '../../../src/tasks/engines/pgmq/news.ts'
import { started } from '../../../src/tasks/lifecycle.ts'
import {
  fromPayload,
  isFrom,
  toPayloads,
  toPing,
  toText,
  type Notice,
} from '../../../src/tasks/engines/pgmq/notices.ts'

const limit = 8000

describe('notices', () => {
  it('are told in order, in as few payloads as hold them', () => {
    const notices: Notice[] = Array.from({ length: 500 }, (_, n) => ({ type: 'changed', id: `ünï-${n}` }))
    const payloads = toPayloads('me', notices.map(toText))
    expect(payloads.length).toBeLessThan(5)
    for (const payload of payloads) expect(Buffer.byteLength(payload)).toBeLessThan(limit)
    expect(payloads.map(fromPayload).flatMap((letter) => letter!.notices)).toEqual(notices)
  })

  it('become a word to look where progress is too long', () => {
    const long: Notice = { type: 'progress', id: 'a', progress: 'x'.repeat(10_000) }
    expect(JSON.parse(toText(long))).toEqual({ type: 'look', id: 'a' })
    const short: Notice = { type: 'progress', id: 'a', progress: 1 }
    expect(JSON.parse(toText(short))).toEqual(short)
  })

  it('lose the end of a log line that is too long', () => {
    const log = { level: 'info', message: '\0'.repeat(9000), at: 'now', fields: { a: 1 } } as const
    const [payload] = toPayloads('me', [toText({ type: 'log', id: 'a', log })])
    expect(Buffer.byteLength(payload!)).toBeLessThan(limit)
    expect(fromPayload(payload)!.notices[0]).toMatchObject({ log: { level: 'info', at: 'now' } })
  })

  it('tell what is new of a record, if that is short: whoever knows it need not read it', () => {
    const known = newTask({ tags: ['t'], runAt: 5, progress: { percent: 1 }, idempotencyKey: 'k' })
    const running = started(known, 7)
    const [payload] = toPayloads('me', [toText({ type: 'changed', id: known.id, news: newsOf(running) })])
    const [notice] = fromPayload(payload)!.notices
    expect(payload).not.toContain('"input"')
    expect(renewed(known, (notice as { news: News }).news)).toEqual(running)
    const long = { ...running, result: 'x'.repeat(2000) }
    const told = toText({ type: 'changed', id: known.id, news: newsOf(long) })
    expect(JSON.parse(told)).toEqual({ type: 'changed', id: known.id })
  })

  it('come back to whoever told them, who need not read them', () => {
    const [payload] = toPayloads('me', [toText({ type: 'stop', id: 'a', attempt: 1 })])
    expect([payload!, toPing('me')].map((each) => isFrom('me', each))).toEqual([true, true])
    expect([payload!, toPing('me'), 'hello'].map((each) => isFrom('m', each))).toEqual([false, false, false])
    expect(fromPayload(toPing('me'))).toEqual({ from: 'me', notices: [] })
  })

  it('leave alone what others say on the channel', () => {
    for (const payload of ['', 'hello', '7', 'null', '{"from":"x"}', '[]', undefined])
      expect(fromPayload(payload)).toBeUndefined()
  })
})
