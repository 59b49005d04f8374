import { describe, expect, it } from 'vitest'
import { Announcements } from '../../../src/tasks/engines/bullmq/announcements.ts'

const MOST = 10_000

describe('tasks of this process that are to be announced', () => {
  it('are known by their ids, once', () => {
    const announcements = new Announcements()
    announcements.expect('mine')
    expect(announcements.take('mine')).toBe(true)
    expect(announcements.take('mine')).toBe(false)
    expect(announcements.take('another')).toBe(false)
  })

  it('are the latest ones, when it never happens: no more than so many are remembered', () => {
    const announcements = new Announcements()
    for (let n = 0; n <= MOST; n++) announcements.expect(`task ${n}`)
    expect(announcements.take('task 0')).toBe(false)
    expect(announcements.take('task 1')).toBe(true)
    expect(announcements.take(`task ${MOST}`)).toBe(true)
  })

  it('are forgotten when events were missed', () => {
    const announcements = new Announcements()
    announcements.expect('mine')
    announcements.clear()
    expect(announcements.take('mine')).toBe(false)
  })
})
