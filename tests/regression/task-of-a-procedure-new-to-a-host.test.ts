/**
 * A host of bullmq() did not find tasks of a procedure that came up elsewhere in the five seconds after it had read which
 * there are: in a rolling deploy, hosts of one version answered 404 for tasks that the other had just started.
 */
import { describe, expect, test } from 'vitest'
import { FakeHost } from 'errand/testing/suites'
import type { TaskEngine } from '../../src/tasks/engine.ts'
import { afterwards } from '../support/afterwards.ts'
import { createBullmqEngine, freshName } from '../support/bullmq-place.ts'
import { start } from '../support/engine.ts'
import { noPostgres, startPostgres } from '../support/servers/postgres.ts'
import { noRedis, startRedis } from '../support/servers/redis.ts'

const servers = [
  { on: 'Redis', reason: noRedis, serve: startRedis },
  { on: 'Postgres', reason: noPostgres, serve: startPostgres },
]

const open = async (url: string, name: string): Promise<TaskEngine> => {
  const engine = createBullmqEngine(url, { name })
  await engine.open(new FakeHost())
  afterwards(() => engine.close())
  return engine
}

describe.each(servers)('on $on', ({ reason, serve }) => {
  test.skipIf(reason)(
    'a task of a procedure that a host has never heard of is found there at once',
    async () => {
      const [url, name] = [(await serve()).url(), freshName()]
      const starter = await open(url, name)
      const other = await open(url, name)
      const id = await start(starter, 'brandNew')
      expect(await other.get(id)).toMatchObject({ id, status: 'queued' })
      const next = await start(starter, 'newer')
      expect((await other.cancel(next))?.task).toMatchObject({ id: next, status: 'cancelled' })
    },
  )
})
