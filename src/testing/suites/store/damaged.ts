/** A store meets what it can't read. */
import { expect } from '../runner.ts'
import type { StoreBench, StoreCases } from './bench.ts'
import { newTask } from './records.ts'

/** `kept`: what of the text is to be found again where it was set aside. */
const setsAside =
  (text: string, kept = text) =>
  async (bench: StoreBench): Promise<void> => {
    const { place } = bench
    const [bad, good] = [newTask(), newTask()]
    await bench.store.put(good)
    await bench.store.close()
    await place.write(bad.id, text)
    await bench.open()
    expect([...(await bench.loadAll()).keys()]).toEqual([good.id])
    expect(bench.reports).toEqual([expect.stringContaining(bad.id)])
    expect(await bench.store.get(bad.id)).toBeUndefined()
    await bench.store.close()
    expect(await place.readAside(bad.id)).toContain(JSON.stringify(kept))
    await bench.open()
    expect([...(await bench.loadAll()).keys()]).toEqual([good.id])
    expect(bench.reports).toHaveLength(0)
  }

export const damaged = {
  'sets a record aside that is no JSON, says so, and loads the others': setsAside('{"v":1,"value":{"id"'),
  'sets a record aside that is no envelope, says so, and loads the others': setsAside('"hello"'),
  'sets a record aside that is no task, says so, and loads the others': setsAside(
    '{"v":1,"value":{"id":"x"}}',
    '{"id":"x"}',
  ),
  'sets a record aside that is of another format, says so, and loads the others': setsAside('{"value":{}}'),

  'refuses records of a newer format and leaves them alone': async (bench) => {
    const { id } = newTask()
    await bench.store.close()
    await bench.place.write(id, '{"v":2,"value":{}}')
    await bench.open()
    await expect(bench.loadAll()).rejects.toThrow('newer Errand')
    expect(bench.reports).toHaveLength(0)
  },
} satisfies StoreCases
