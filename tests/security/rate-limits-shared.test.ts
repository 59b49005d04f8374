/** Calls counted in a Redis that several processes share, and what happens when it is away. */
import { once } from 'node:events'
import { createClient } from '@keyv/redis'
import { Redis } from 'ioredis'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createApp, procedure, type RateLimitOptions } from 'errand'
import { z } from 'zod'
import { recordingLogger, serve, type LogLine, type Served } from '../support/serve.ts'
import { noRedis, startRedis } from '../support/servers/redis.ts'
import { until } from '../support/until.ts'

const tree = {
  ping: procedure.query({ input: z.void(), output: z.string(), handler: () => 'pong' }),
  dear: procedure.query({
    input: z.void(),
    output: z.string(),
    meta: { rateLimit: '2/1h' },
    handler: () => 'pong',
  }),
}

const serveTree = (rateLimit: RateLimitOptions): Promise<Served> => serve(tree, { rateLimit })

const ask = async (api: Served, times: number, path = '/ping'): Promise<number[]> => {
  const statuses: number[] = []
  for (let count = 0; count < times; count++) statuses.push((await api.get(path)).status)
  return statuses
}

describe.skipIf(noRedis)('counted in Redis', async () => {
  const redis = noRedis ? undefined : await startRedis()
  const url = (database: number): string => redis?.url(database) as string

  test('calls of all processes are counted together, each rate by itself', async () => {
    const options = { limit: '5/1h', store: url(1) } as const
    const [one, other] = [await serveTree(options), await serveTree(options)]
    expect(await ask(one, 3)).toEqual([200, 200, 200])
    expect(await ask(other, 3)).toEqual([200, 200, 429])
    const { headers } = await one.get('/ping')
    expect(headers['ratelimit']).toMatch(/^"all-calls";r=0;t=3\d{3}$/)

    const [third, fourth] = [await serveTree({ store: url(2) }), await serveTree({ store: url(2) })]
    expect(await ask(third, 2, '/dear')).toEqual([200, 200])
    expect(await ask(fourth, 1, '/dear')).toEqual([429])
    expect(await ask(fourth, 3)).toEqual([200, 200, 200])
  })

  const nodeRedis = async () => {
    const client = createClient({ url: url(3) })
    await client.connect()
    onTestFinished(() => client.destroy())
    return { client, ping: () => client.ping() }
  }
  const ioredis = async () => {
    const client = new Redis(url(4))
    onTestFinished(() => client.disconnect())
    await once(client, 'ready')
    return { client, ping: () => client.ping() }
  }

  test.each([
    ['node-redis', nodeRedis],
    ['ioredis', ioredis],
  ])('a client of one’s own does it too, and stays open: %s', async (_, connect) => {
    const { client, ping } = await connect()
    const logs: LogLine[] = []
    const logger = recordingLogger(logs)
    const app = createApp(tree, { rateLimit: { limit: '1/1h', store: client }, logger })
    const fetched = async (): Promise<number> => (await app.fetch(new Request('http://x/ping'))).status
    expect([await fetched(), await fetched()]).toEqual([200, 429])
    await app.close()
    expect(await ping()).toBe('PONG')
    expect(logs).toEqual([])
  })

  test('when Redis is away each process counts for itself, says so, and goes back to it', async () => {
    const own = await startRedis()
    const api = await serveTree({ limit: '3/1h', store: own.url() })
    expect(await ask(api, 1)).toEqual([200])
    await own.kill()
    expect(await ask(api, 4)).toEqual([200, 200, 200, 429])
    expect(api.logs).toContainEqual(
      expect.objectContaining({
        level: 'warn',
        message: expect.stringMatching(/^Calls are counted in each process/),
      }),
    )
    await own.start()
    await until('a count in Redis', async () => (await ask(api, 1))[0] === 200, 20_000)
  })

  test('one that stands still holds up no call for long', async () => {
    const own = await startRedis()
    const api = await serveTree({ limit: '100/1h', store: own.url() })
    expect(await ask(api, 1)).toEqual([200])
    own.freeze()
    expect(await ask(api, 20)).toEqual(Array.from({ length: 20 }, () => 200))
    own.thaw()
  })
})

test('a Redis that can’t be reached stops the start, and its password is not told', async () => {
  const app = createApp(tree, {
    rateLimit: { limit: '1/1m', store: 'redis://user:hunter2@127.0.0.1:1' },
    profile: 'test',
  })
  const error: unknown = await app.listen({ port: 0 }).catch((thrown: unknown) => thrown)
  expect(String(error)).toMatch(/ECONNREFUSED/)
  expect(String((error as Error).stack)).not.toContain('hunter2')
  await app.close()
})
