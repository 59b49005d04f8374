/**
 * From one engine to another without losing a task, as docs/engines.md says: callers are sent to the new place, the old one
 * runs out, and is ended when nothing waits or runs there any more.
 */
import { describe, expect, test } from 'vitest'
import type { TaskRecord } from 'errand'
import { serveChild, type ChildServer } from '../support/child-server.ts'
import { talkTo } from '../support/serve.ts'
import { environmentOf, SHARED_PLACES } from '../support/shared-places.ts'
import { eventsIn } from '../support/sse.ts'
import { until } from '../support/until.ts'

/** Milliseconds; processes are slow to start where much else runs. */
const PATIENCE = 40_000
const EACH = 6

const serve = (env: Readonly<Record<string, string>> = {}): Promise<ChildServer> =>
  serveChild('tests/fixtures/machines/app.ts', env)

const startSome = async ({ url }: ChildServer): Promise<string[]> => {
  const starts = Array.from({ length: EACH }, (_, n) =>
    talkTo(url).call('/slow/tasks', { n, ms: 300 }, { 'idempotency-key': `order ${n}` }),
  )
  return (await Promise.all(starts)).map(({ json }) => (json as TaskRecord).id)
}

/** As the guide has it: nothing is queued, and nothing runs. */
const runsOut = ({ url }: ChildServer) =>
  until(
    'it to run out',
    async () => {
      const lists = ['queued', 'running'].map((status) => talkTo(url).get(`/tasks?limit=1&status=${status}`))
      return (await Promise.all(lists)).every(({ json }) => (json as { items: unknown[] }).items.length === 0)
    },
    PATIENCE,
  )

/** What there is of tasks: a status of HTTP, and a record. */
const read = ({ url }: ChildServer, ids: readonly string[]) =>
  Promise.all(ids.map((id) => talkTo(url).get(`/tasks/${id}`)))

/** Moves what was begun at `old`; afterwards that one is ended. Returns what was started at `next` meanwhile. */
const move = async (old: ChildServer, begun: readonly string[], next: ChildServer): Promise<string[]> => {
  const watched = talkTo(old.url).get(`/tasks/${begun.at(-1)}/events`)
  const started = await startSome(next)
  expect(started.filter((id) => begun.includes(id))).toEqual([])
  expect((await read(next, begun)).every(({ status }) => status === 404)).toBe(true)
  await runsOut(old)
  const ended = (await read(old, begun)).map(({ json }) => json as TaskRecord)
  expect(ended).toMatchObject(begun.map((_, n) => ({ status: 'succeeded', attempt: 1, result: 2 * n })))
  expect(eventsIn((await watched).text).at(-1)).toMatchObject({
    event: 'done',
    data: { status: 'succeeded' },
  })
  await old.stop('SIGTERM')
  return started
}

const [redis, , pgmq] = SHARED_PLACES

describe.skipIf(redis!.reason ?? pgmq!.reason)('a move to another engine', () => {
  test('from local to BullMQ, and on to pgmq, loses no task', { timeout: 4 * PATIENCE }, async () => {
    const local = await serve()
    const first = await startSome(local)
    const onRedis = await serve(environmentOf(await redis!.start()))
    const second = await move(local, first, onRedis)
    const onPostgres = await serve(environmentOf(await pgmq!.start()))
    const third = await move(onRedis, second, onPostgres)
    await runsOut(onPostgres)
    expect((await read(onPostgres, third)).map(({ json }) => (json as TaskRecord).status)).toEqual(
      third.map(() => 'succeeded'),
    )

    // What ended there is there, for whoever asks it.
    await local.start()
    expect((await read(local, first)).map(({ status }) => status)).toEqual(first.map(() => 200))
  })
})
