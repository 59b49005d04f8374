/**
 * Two versions of an app on one server: a procedure of version A has another name in version B. What A's callers start is
 * left alone by B, which knows no such procedure, and waits for a process of A.
 */
import { describe, expect, test } from 'vitest'
import type { TaskRecord } from 'errand'
import { serveChild, type ChildServer } from '../support/child-server.ts'
import { talkTo } from '../support/serve.ts'
import { environmentOf, SHARED_PLACES, type Shared } from '../support/shared-places.ts'
import { until } from '../support/until.ts'

/** Milliseconds; processes are slow to start where much else runs. */
const PATIENCE = 40_000
const EACH = 10

const serve = (version: 'a' | 'b', shared: Shared, env = {}): Promise<ChildServer> =>
  serveChild(`tests/fixtures/machines/version-${version}.ts`, { ...environmentOf(shared), ...env })

const startAt = async ({ url }: ChildServer, procedure: string): Promise<string[]> => {
  const starts = Array.from({ length: EACH }, (_, n) => talkTo(url).call(`/${procedure}/tasks`, { n }))
  return (await Promise.all(starts)).map(({ json }) => (json as TaskRecord).id)
}

const readAt = ({ url }: ChildServer, ids: readonly string[]): Promise<TaskRecord[]> =>
  Promise.all(ids.map(async (id) => (await talkTo(url).get(`/tasks/${id}`)).json as TaskRecord))

/** The records of all once each has succeeded or failed. */
const endsAt = (server: ChildServer, ids: readonly string[]): Promise<TaskRecord[]> =>
  until(
    'the end of all',
    async () => {
      const records = await readAt(server, ids)
      return records.every(({ finishedAt }) => finishedAt) && records
    },
    PATIENCE,
  )

const resultsOf = (version: string): unknown[] =>
  Array.from({ length: EACH }, (_, n) => ({ status: 'succeeded', attempt: 1, result: `${version} ran ${n}` }))

for (const { name, reason, start } of SHARED_PLACES)
  describe.skipIf(reason)(`a rolling deploy on ${name}`, () => {
    test('fails no task for being unknown to a version', { timeout: 4 * PATIENCE }, async () => {
      const shared = await start()
      const front = await serve('a', shared, { ERRAND_WORK: '0' })
      const before = await startAt(front, 'oldName')
      const next = await serve('b', shared)
      const among = await startAt(front, 'oldName')
      expect(await endsAt(next, await startAt(next, 'newName'))).toMatchObject(resultsOf('B'))

      // Whichever process is asked, B with nothing else to do has left them alone.
      const old = [...before, ...among]
      const untouched = old.map((id) => ({ id, procedure: 'oldName', status: 'queued', attempt: 0 }))
      expect(await readAt(front, old)).toMatchObject(untouched)
      expect(await readAt(next, old)).toMatchObject(untouched)

      await serve('a', shared)
      const ended = await endsAt(front, old)
      expect(ended.slice(0, EACH)).toMatchObject(resultsOf('A'))
      expect(ended.slice(EACH)).toMatchObject(resultsOf('A'))
    })

    test(
      'answers for tasks of a name that came up since, and cancels them',
      { timeout: 4 * PATIENCE },
      async () => {
        const shared = await start()
        const next = await serve('b', shared)
        const front = await serve('a', shared, { ERRAND_WORK: '0' })
        const ids = await startAt(front, 'oldName')
        const queued = ids.map((id) => ({ id, procedure: 'oldName', status: 'queued', attempt: 0 }))
        expect(await readAt(next, ids)).toMatchObject(queued)
        const page = (await talkTo(next.url).get('/tasks?procedure=oldName&status=queued')).json
        expect((page as { items: TaskRecord[] }).items.map(({ id }) => id).toSorted()).toEqual(ids.toSorted())
        for (const id of ids)
          expect(await talkTo(next.url).send(`POST /tasks/${id}/cancel`)).toMatchObject({
            status: 200,
            json: { status: 'cancelled', attempt: 0 },
          })
      },
    )

    test(
      'keeps an attempt that its killed host left for a host that has the name',
      { timeout: 4 * PATIENCE },
      async () => {
        const shared = await start()
        const previous = await serve('a', shared)
        const { id } = (await talkTo(previous.url).call('/oldName/tasks', { n: 7, ms: 3000 }))
          .json as TaskRecord
        await until(
          'it to run',
          async () => (await readAt(previous, [id]))[0]!.status === 'running',
          PATIENCE,
        )
        await previous.stop('SIGKILL')
        const next = await serve('b', shared)
        expect(await endsAt(next, await startAt(next, 'newName'))).toMatchObject(resultsOf('B'))
        expect((await readAt(next, [id]))[0]!.finishedAt).toBeUndefined()

        await serve('a', shared)
        expect(await endsAt(next, [id])).toMatchObject([
          {
            status: 'succeeded',
            attempt: 2,
            attempts: [{ error: { code: 'WORKER_LOST' } }, {}],
            result: 'A ran 7',
          },
        ])
      },
    )
  })
