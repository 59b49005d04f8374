/** Stopping, retrying and removing tasks over REST. */
import { describe, expect, test } from 'vitest'
import { problemOf } from '../support/http.ts'
import { serveWork, taskOf } from '../support/tasks.ts'

const { call, get, send, start, end, running, runningOf } = await serveWork()

describe('cancelling a task', () => {
  test('that never ran is done at once: 200', async () => {
    const { id } = await start('/slow', { n: 1 }, { 'task-delay': '1h' })
    const answer = await send(`POST /tasks/${id}/cancel`)
    expect(answer.status).toBe(200)
    expect(taskOf(answer)).toMatchObject({ id, status: 'cancelled', attempts: [] })
  })

  test('that runs is asked for: 202; its signal aborts and it ends', async () => {
    const { id } = await start('/ticks')
    await running(id)
    const answer = await send(`POST /ticks/tasks/${id}/cancel`)
    expect(answer.status).toBe(202)
    expect(taskOf(answer)).toMatchObject({ status: 'running', cancelRequested: true })
    const before = performance.now()
    expect(await end(id)).toMatchObject({ status: 'cancelled' })
    expect(performance.now() - before).toBeLessThan(2000)
  })

  test('that hears nothing ends with its thread, after its grace', async () => {
    const { id } = await start('/spins', {})
    await running(id)
    expect((await send(`POST /tasks/${id}/cancel`)).status).toBe(202)
    expect(await end(id)).toMatchObject({ status: 'cancelled' })
    expect((await call('/slow', { n: 1 })).text).toBe('2')
  })

  test('that has ended changes nothing: 200', async () => {
    const { id } = await start('/by/four', { n: 1 })
    const before = await end(id)
    const answer = await send(`POST /tasks/${id}/cancel`)
    expect(answer.status).toBe(200)
    expect(taskOf(answer)).toEqual(before)
  })

  test('ends the wait of its caller with 409', async () => {
    const waiting = call('/ticks')
    const task = await runningOf('ticks')
    await send(`POST /tasks/${task.id}/cancel`)
    const answer = await waiting
    expect(answer.status).toBe(409)
    expect(problemOf(answer)).toMatchObject({ code: 'CANCELLED', instance: '/ticks' })
  })
})

describe('retrying a task', () => {
  test('that failed runs it again: 202', async () => {
    const { id } = await start('/flaky', { goodFrom: 2 })
    expect(await end(id)).toMatchObject({ status: 'failed', attempt: 1 })
    const answer = await send(`POST /tasks/${id}/retry`)
    expect(answer).toMatchObject({ status: 202, headers: { location: `/tasks/${id}` } })
    expect(await end(id)).toMatchObject({ status: 'succeeded', attempt: 2, result: 2 })
  })

  test('that was cancelled runs it for the first time', async () => {
    const { id } = await start('/by/four', { n: 3 }, { 'task-delay': '1h' })
    await send(`POST /tasks/${id}/cancel`)
    expect((await send(`POST /tasks/${id}/retry`)).status).toBe(202)
    expect(await end(id)).toMatchObject({ status: 'succeeded', result: 12 })
  })

  test('that succeeded or is live is 409, and the problem says what to do', async () => {
    const done = await start('/by/four', { n: 3 })
    await end(done.id)
    const succeeded = await send(`POST /tasks/${done.id}/retry`)
    expect(succeeded.status).toBe(409)
    expect(problemOf(succeeded).detail).toMatch(/start a new one/)
    const live = await start('/slow', { n: 1 }, { 'task-delay': '1h' })
    expect(problemOf(await send(`POST /tasks/${live.id}/retry`))).toMatchObject({
      status: 409,
      detail: expect.stringMatching(/not ended/),
    })
    await send(`POST /tasks/${live.id}/cancel`)
  })
})

describe('removing a task', () => {
  test('that has ended is 204, and it is gone from everywhere', async () => {
    const { id } = await start('/by/four', { n: 3 }, { 'task-tags': 'to-remove' })
    await end(id)
    expect(await send(`DELETE /tasks/${id}`)).toMatchObject({ status: 204, text: '' })
    for (const path of ['', '/status', '/result', '/events'])
      expect((await get(`/tasks/${id}${path}`)).status).toBe(404)
    expect((await get('/tasks?tag=to-remove')).json).toEqual({ items: [] })
    expect((await send(`DELETE /tasks/${id}`)).status).toBe(404)
  })

  test('that is live is 409', async () => {
    const { id } = await start('/slow', { n: 1 }, { 'task-delay': '1h' })
    expect(problemOf(await send(`DELETE /tasks/${id}`))).toMatchObject({
      status: 409,
      detail: expect.stringMatching(/cancel it first/),
    })
    await send(`POST /tasks/${id}/cancel`)
  })
})
