/** A crowd around one task: what it costs is counted, in timers made and in subscriptions to the engine. */
import { createHook } from 'node:async_hooks'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createApp, inline, procedure } from 'errand'
import { z } from 'zod'
import { until } from '../support/until.ts'

const CROWD = 1000

const countTimers = () => {
  let made = 0
  const hook = createHook({ init: (_id, type) => (type === 'Timeout' ? (made += 1) : made) }).enable()
  onTestFinished(() => void hook.disable())
  return { made: () => made }
}

/** An app with a task that runs until it is let go, and a count of who asked its engine to tell of it. */
const openApp = async () => {
  const gate = Promise.withResolvers<number>()
  let subscriptions = 0
  const count = () => (subscriptions += 1)
  // As it is: settings from outside would make another engine.
  const { configure: _, ...chosen } = inline()
  const create: typeof chosen.create = async () => {
    const engine = await chosen.create()
    const { events, ended } = engine
    engine.events = (...args) => (count(), events.apply(engine, args))
    engine.ended = (...args) => (count(), ended.apply(engine, args))
    return engine
  }
  const wait = procedure.task({ input: z.void(), output: z.int(), handler: () => gate.promise })
  const app = createApp({ wait }, { tasks: { ...chosen, create } })
  onTestFinished(() => {
    gate.resolve(0)
    return app.close()
  })
  const { id } = await app.tasks.start(wait, undefined)
  await until('the task runs', async () => (await app.tasks.get(id))?.status === 'running')
  return { app, id, finish: () => gate.resolve(42), subscriptions: () => subscriptions }
}

const crowd = <T>(join: () => Promise<T>): Promise<T>[] => Array.from({ length: CROWD }, join)
const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('a thousand watchers of one task', () => {
  test('on the server cost one subscription and one timer', async () => {
    const { app, id, finish, subscriptions } = await openApp()
    const timers = countTimers()
    const results = crowd(() => app.tasks.handle<number>(id).result())
    for (let turns = 0; turns < 10; turns += 1) await turn()
    expect(subscriptions()).toBe(1)
    expect(timers.made()).toBeLessThan(10)
    finish()
    expect(new Set(await Promise.all(results))).toEqual(new Set([42]))
  })

  test('that poll over HTTP cost one subscription and one timer, and those who leave leave nothing behind', async () => {
    const { app, id, finish, subscriptions } = await openApp()
    const timers = countTimers()
    const poll = (signal: AbortSignal) => app.fetch(new Request(`http://a/tasks/${id}?wait=30`, { signal }))
    const leaving = new AbortController()
    const left = crowd(() => poll(leaving.signal))
    const stayed = crowd(() => poll(new AbortController().signal))
    for (let turns = 0; turns < 10; turns += 1) await turn()
    expect(subscriptions()).toBe(1)
    leaving.abort()
    await Promise.allSettled(left)
    expect(subscriptions()).toBe(1)
    expect(timers.made()).toBeLessThan(10)
    finish()
    const answers = await Promise.all(stayed.map(async (answer) => (await answer).json()))
    expect(answers.filter(({ status, result }) => status === 'succeeded' && result === 42)).toHaveLength(
      CROWD,
    )
  })

  test('of its events over HTTP cost one timer', async () => {
    const { app, id, finish } = await openApp()
    const timers = countTimers()
    const streams = await Promise.all(crowd(() => app.fetch(new Request(`http://a/tasks/${id}/events`))))
    const texts = streams.map((stream) => stream.text())
    for (let turns = 0; turns < 10; turns += 1) await turn()
    expect(timers.made()).toBeLessThan(10)
    finish()
    for (const text of await Promise.all(texts)) expect(text).toContain('event: done')
  })
})
