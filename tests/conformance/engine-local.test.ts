/** The local engine over each of its stores. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe } from 'vitest'
import { inline, local } from '../../src/tasks/engines/local.ts'
import { DURABLE, noRedis, startRedis } from '../support/servers/redis.ts'
import { RedisPlaces } from './redis-place.ts'
import { engineSuite, type EnginePlace } from './engine-suite.ts'

const queueLimit = 1000

/** Files are copied while the engine lives on: the copy is what a kill at that moment leaves. */
const sqlitePlace = (): EnginePlace => {
  const dirs = [mkdtempSync(join(tmpdir(), 'errand-engine-'))]
  return {
    create: () => local({ dir: dirs.at(-1)!, queueLimit }).create(),
    crash: () => {
      const next = mkdtempSync(join(tmpdir(), 'errand-engine-'))
      cpSync(dirs.at(-1)!, next, { recursive: true })
      dirs.push(next)
    },
    dispose: () => dirs.forEach((dir) => rmSync(dir, { recursive: true, force: true })),
  }
}

const mapPlace = (): EnginePlace => {
  let map = new Map<string, unknown>()
  return {
    create: () => local({ store: map, queueLimit }).create(),
    crash: () => {
      map = new Map(map)
    },
    dispose: () => {},
  }
}

/** The engine lives on over the old database; the next one finds a copy with the mark of a dead process. */
const redisPlace = (places: RedisPlaces): EnginePlace => {
  let database = places.fresh()
  return {
    create: () => local({ store: places.server.url(database), queueLimit }).create(),
    crash: async () => {
      database = await places.crashed(database)
    },
    dispose: () => {},
  }
}

const inlinePlace = (): EnginePlace => ({
  create: () => inline({ queueLimit }).create(),
  crash: () => {},
  dispose: () => {},
})

const GONE = 'memory ends with the process'

engineSuite('local, SQLite', sqlitePlace)
engineSuite('local, any Keyv adapter', mapPlace)
describe.skipIf(noRedis)('in Redis', async () => {
  if (noRedis) return
  const places = new RedisPlaces(await startRedis(DURABLE))
  afterAll(() => places.close())
  engineSuite('local, Redis', () => redisPlace(places))
})
engineSuite('inline', inlinePlace, {
  skip: {
    'what was queued runs': GONE,
    'what ran runs again, and the lost attempt counts': GONE,
    'what ran is lost where onCrash says so, or no attempt is left': GONE,
    'what was asked to stop is cancelled': GONE,
    'results, lists and idempotency keys are still there': GONE,
    'a watcher of before begins anew with a gap, unless it saw the end': GONE,
    'delays and deadlines still hold': GONE,
  },
})
