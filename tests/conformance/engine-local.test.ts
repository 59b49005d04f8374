/** The local engine over each of its stores. */
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { engineSuite, type EnginePlace } from 'errand/testing/suites'
import { afterAll, describe } from 'vitest'
import type { TaskEngine } from '../../src/tasks/engine.ts'
import { inline, local } from '../../src/tasks/engines/local.ts'
import { MapAdapter } from '../support/map-adapter.ts'
import { DURABLE, noRedis, startRedis } from '../support/servers/redis.ts'
import { RedisPlaces } from './redis-place.ts'

const queueLimit = 1000

/** Engines that were abandoned: they go on over what nobody looks at any more, and are closed at the end. */
const abandoned = () => {
  const engines: TaskEngine[] = []
  return {
    add: (engine: TaskEngine) => void engines.push(engine),
    close: async () => void (await Promise.all(engines.map((engine) => engine.close()))),
  }
}

/** Files are copied while the engine lives on: the copy is what a kill at that moment leaves. */
const sqlitePlace = (): EnginePlace => {
  const dirs = [mkdtempSync(join(tmpdir(), 'errand-engine-'))]
  const left = abandoned()
  return {
    create: () => local({ dir: dirs.at(-1)!, queueLimit }).create(),
    crash: (engine) => {
      const next = mkdtempSync(join(tmpdir(), 'errand-engine-'))
      cpSync(dirs.at(-1)!, next, { recursive: true })
      dirs.push(next)
      left.add(engine)
    },
    dispose: async () => {
      await left.close()
      dirs.forEach((dir) => rmSync(dir, { recursive: true, force: true }))
    },
  }
}

const adapterPlace = (): EnginePlace => {
  let adapter = new MapAdapter()
  const left = abandoned()
  return {
    create: () => local({ store: adapter, queueLimit }).create(),
    crash: (engine) => {
      adapter = adapter.copy()
      left.add(engine)
    },
    dispose: left.close,
  }
}

/** The engine lives on over the old database; the next one finds a copy with the mark of a dead process. */
const redisPlace = (places: RedisPlaces): EnginePlace => {
  let database = places.fresh()
  const left = abandoned()
  return {
    create: () => local({ store: places.server.url(database), queueLimit }).create(),
    crash: async (engine) => {
      left.add(engine)
      database = await places.crashed(database)
    },
    dispose: left.close,
  }
}

const inlinePlace = (): EnginePlace => ({
  create: () => inline({ queueLimit }).create(),
  crash: () => {},
  dispose: () => {},
})

engineSuite('local, SQLite', sqlitePlace)
engineSuite('local, any Keyv adapter', adapterPlace)
describe.skipIf(noRedis)('in Redis', async () => {
  if (noRedis) return
  const places = new RedisPlaces(await startRedis(DURABLE))
  afterAll(() => places.close())
  engineSuite('local, Redis', () => redisPlace(places))
})
engineSuite('inline', inlinePlace)
