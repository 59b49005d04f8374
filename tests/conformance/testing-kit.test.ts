/** The engine and the store of `errand/testing` are held to what all are held to: a test on them tells of the others. */
import { engineSuite, storeSuite, type EnginePlace, type StorePlace } from 'errand/testing/suites'
import { MemoryStore, Records } from '../../src/testing/memory-store.ts'
import { Pulse } from '../../src/testing/pulse.ts'
import { TestEngine } from '../../src/testing/test-engine.ts'

const pulse = new Pulse(0)

const enginePlace = (): EnginePlace => {
  const records = new Records()
  return {
    create: async () => new TestEngine({ records, pulse, queueLimit: 1000 }),
    crash: (engine) => (engine as TestEngine).crash(),
    dispose: () => {},
  }
}

const storePlace = (): StorePlace => {
  const records = new Records()
  return {
    create: () => new MemoryStore(records, pulse),
    write: async (id, text) => void records.rows.set(id, text),
    readAside: async () => undefined,
    dispose: () => {},
  }
}

const OWN = 'nobody else writes into its memory'

engineSuite('of the testing kit', enginePlace)
storeSuite('memory of the testing kit', storePlace, {
  skip: {
    'lets an ended task vanish when its time is over, and no other': 'the engine forgets it',
    'sets a record aside that is no JSON, says so, and loads the others': OWN,
    'sets a record aside that is no envelope, says so, and loads the others': OWN,
    'sets a record aside that is no task, says so, and loads the others': OWN,
    'sets a record aside that is of another format, says so, and loads the others': OWN,
  },
})
