/** A start that is made again because its answer was lost: the retry key, and what it yields to. */
import { createTRPCClient } from '@trpc/client'
import { errandLinks, startTask } from 'errand/client'
import { describe, expect, test } from 'vitest'
import { problemOf } from '../support/http.ts'
import { serveWork, taskOf } from '../support/tasks.ts'
import type workApp from '../support/apps/work.ts'

const { url, call } = await serveWork()
const trpc = createTRPCClient<typeof workApp.router>({ links: errandLinks({ url }) })

let made = 0
const newKey = (): string => `key-${made++}`

describe.each([
  {
    door: 'REST',
    start: async (
      path: string,
      input: object,
      retryKey: string,
      idempotencyKey?: string,
    ): Promise<string> => {
      const headers: Record<string, string> = idempotencyKey ? { 'idempotency-key': idempotencyKey } : {}
      return taskOf(await call(`/${path}/tasks?retryKey=${retryKey}`, input, headers)).id
    },
  },
  {
    door: 'tRPC',
    start: async (
      path: string,
      input: object,
      retryKey: string,
      idempotencyKey?: string,
    ): Promise<string> => {
      const { startWith } = trpc[path as 'slow']
      return (await startWith.mutate({ input: input as { n: number }, retryKey, idempotencyKey })).id
    },
  },
])('a retry key over $door', ({ start }) => {
  test('makes one task of a start that comes twice, and two of two', async () => {
    const [key, other] = [newKey(), newKey()]
    const id = await start('slow', { n: 1 }, key)
    expect(await start('slow', { n: 1 }, key)).toBe(id)
    expect(await start('slow', { n: 1 }, other)).not.toBe(id)
  })

  test('yields to an idempotency key of the caller', async () => {
    const [key, first, second] = [newKey(), newKey(), newKey()]
    const id = await start('slow', { n: 1 }, key, first)
    expect(await start('slow', { n: 1 }, key, second)).not.toBe(id)
    expect(await start('slow', { n: 1 }, newKey(), first)).toBe(id)
  })

  test('yields to the idempotency key of the procedure', async () => {
    const order = { order: newKey() }
    const id = await start('keyed', order, newKey())
    expect(await start('keyed', order, newKey())).toBe(id)
    expect(await start('keyed', { order: newKey() }, newKey())).not.toBe(id)
  })
})

test('a retry key is a text of 1 to 255 characters', async () => {
  for (const key of ['', 'x'.repeat(256)]) {
    const answer = await call(`/slow/tasks?retryKey=${key}`, { n: 1 })
    expect([answer.status, problemOf(answer).issues?.[0]?.path]).toEqual([400, ['retryKey']])
  }
})

test('a replayed start says so', async () => {
  const path = `/slow/tasks?retryKey=${newKey()}`
  expect((await call(path, { n: 1 })).headers['idempotency-replayed']).toBeUndefined()
  expect((await call(path, { n: 1 })).headers['idempotency-replayed']).toBe('true')
})

test('startTask starts anew each time it is called, also a task without input', async () => {
  const tasks = await Promise.all(Array.from({ length: 5 }, () => startTask(trpc.nothing, undefined)))
  expect(new Set(tasks.map(({ id }) => id)).size).toBe(5)
  const keyed = await Promise.all([1, 2].map(() => startTask(trpc.keyed, { order: 'same' })))
  expect(keyed[0]?.id).toBe(keyed[1]?.id)
})
