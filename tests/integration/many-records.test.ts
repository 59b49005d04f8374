/** A store with 100,000 ended and 10,000 queued tasks: all are there, in order, in bounded memory. What it takes in time is in bench/. */
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { expect, test } from 'vitest'
import { createTaskId } from '../../src/tasks/id.ts'
import { KeyvStore } from '../../src/tasks/stores/keyv-store.ts'
import { SqliteAdapter } from '../../src/tasks/stores/sqlite.ts'
import type { StoredTask } from '../../src/tasks/stored-task.ts'
import { afterwards } from '../support/afterwards.ts'
import { tempDir } from '../support/temp.ts'

const ENDED = 100_000
const QUEUED = 10_000
/** One in so many failed, and has a tag. */
const RARE = 1000
const AT = Date.now() - 864e5
const input = { text: 'a sentence of a length that is often met. '.repeat(8) }

const ended = (n: number): StoredTask => {
  const isRare = n % RARE === 0
  const createdAt = AT + n / 10
  return {
    id: createTaskId(Math.floor(createdAt)),
    procedure: n % 2 ? 'a' : 'b',
    input,
    status: isRare ? 'failed' : 'succeeded',
    attempt: 1,
    maxAttempts: 1,
    attempts: [{ n: 1, startedAt: createdAt, finishedAt: createdAt + 5 }],
    owner: null,
    priority: 0,
    createdAt,
    startedAt: createdAt,
    finishedAt: createdAt + 5,
    expiresAt: createdAt + 7 * 864e5,
    revision: 3,
    ...(isRare
      ? { tags: ['rare'], error: { code: 'TEAPOT', status: 500, message: 'no' } }
      : { result: input }),
  }
}

const queued = (n: number): StoredTask => {
  const createdAt = AT + ENDED / 10 + n / 10
  return {
    id: createTaskId(Math.floor(createdAt)),
    procedure: 'a',
    input,
    status: 'queued',
    attempt: 0,
    maxAttempts: 1,
    attempts: [],
    owner: null,
    priority: 0,
    createdAt,
    runAt: Date.now() + 36e5,
    revision: 1,
  }
}

const fill = async (dir: string): Promise<void> => {
  const store = new KeyvStore(new SqliteAdapter({ dir }))
  await store.open(() => {})
  const all = [
    ...Array.from({ length: ENDED }, (_, n) => ended(n)),
    ...Array.from({ length: QUEUED }, (_, n) => queued(n)),
  ]
  for (let from = 0; from < all.length; from += 2000) await store.putMany(all.slice(from, from + 2000))
  await store.close()
}

interface Page {
  readonly items: readonly { readonly id: string; readonly createdAt: string; readonly status: string }[]
  readonly nextCursor?: string
}

const serveIn = async (dir: string): Promise<{ readonly url: string; readonly megabytes: number }> => {
  const child = fork(new URL('many-records-child.ts', import.meta.url), [dir])
  afterwards(async () => {
    const exit = once(child, 'exit')
    child.kill('SIGKILL')
    await exit
  })
  const [said] = await once(child, 'message')
  return said as { url: string; megabytes: number }
}

const dir = await tempDir()
await fill(dir)
const served = await serveIn(dir)

const list = async (query: string): Promise<Page> =>
  (await (await fetch(`${served.url}/tasks?${query}`)).json()) as Page

const count = async (query: string): Promise<number> => {
  let total = 0
  for (let cursor = ''; ;) {
    const { items, nextCursor } = await list(`${query}&limit=200${cursor}`)
    total += items.length
    if (nextCursor === undefined) return total
    cursor = `&cursor=${nextCursor}`
  }
}

test('every record is in the list once, newest first', async () => {
  const seen = new Set<string>()
  let before = '9999'
  for (let cursor = ''; ;) {
    const { items, nextCursor } = await list(`limit=200${cursor}`)
    for (const { id, createdAt } of items) {
      expect(createdAt <= before && !seen.has(id)).toBe(true)
      before = createdAt
      seen.add(id)
    }
    if (nextCursor === undefined) break
    cursor = `&cursor=${nextCursor}`
  }
  expect(seen.size).toBe(ENDED + QUEUED)
}, 120_000)

test('filters that let few through find all of them', async () => {
  expect(await count('status=queued')).toBe(QUEUED)
  expect(await count('status=failed')).toBe(ENDED / RARE)
  expect(await count('tag=rare')).toBe(ENDED / RARE)
  expect(await count('status=failed&procedure=b&tag=rare')).toBe(ENDED / RARE)
  expect(await count('status=failed&procedure=a')).toBe(0)
  expect(await count('status=cancelled')).toBe(0)
})

test('they take a few hundred bytes of memory each', () => {
  expect(served.megabytes).toBeLessThan(400)
})
