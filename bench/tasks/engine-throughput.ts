/**
 * No-op tasks per second through the local engine, submit to done, with a host that answers at once.
 * Run: node bench/tasks/engine-throughput.ts [store=sqlite] [slots=64] [inFlight=64] [seconds=4]
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '../../src/tasks/clock.ts'
import type { EngineHost } from '../../src/tasks/engine.ts'
import { local, type LocalOptions } from '../../src/tasks/engines/local.ts'
import { createTaskId } from '../../src/tasks/id.ts'
import { toPolicy } from '../../src/tasks/policy.ts'

const [store = 'sqlite', slots = '64', inFlight = '64', seconds = '4'] = process.argv.slice(2)
const dir = mkdtempSync(join(process.env['BENCH_DIR'] ?? tmpdir(), 'errand-bench-'))
const options = (store === 'sqlite' ? { store, dir } : { store }) as LocalOptions
const engine = await local(options).create()
const policy = toPolicy({})

const host: EngineHost = {
  clock: systemClock,
  policy: () => policy,
  slots: () => Number(slots),
  run: async () => ({ kind: 'value', value: { count: 3, largest: 7 } }),
  report: console.error,
}

/** One task from start to its stored end, as a waiting call does it: by watching it. */
const runOne = async (): Promise<void> => {
  const id = createTaskId()
  await engine.submit({
    id,
    procedure: 'noop',
    input: { below: 10 },
    maxAttempts: 3,
    owner: null,
    priority: 0,
  })
  const { signal } = new AbortController()
  for await (const _ of engine.events(id, { signal }));
}

const loop = async (until: number): Promise<number> => {
  let count = 0
  for (; performance.now() < until; count++) await runOne()
  return count
}

/** Rate and processor time of one stretch: the second is what a busy machine changes least. */
const measure = async (ms: number): Promise<{ perSecond: number; cpuUs: number }> => {
  const [from, cpuBefore] = [performance.now(), process.cpuUsage()]
  const counts = await Promise.all(Array.from({ length: Number(inFlight) }, () => loop(from + ms)))
  const count = counts.reduce((a, b) => a + b)
  const { user, system } = process.cpuUsage(cpuBefore)
  return {
    perSecond: Math.round((count / (performance.now() - from)) * 1000),
    cpuUs: Math.round((user + system) / count),
  }
}

await engine.open(host)
engine.work(['noop'])
await measure(1000)
const rounds = []
for (let round = 0; round < 3; round++) rounds.push(await measure((Number(seconds) * 1000) / 3))
rounds.sort((a, b) => a.perSecond - b.perSecond)
const all = rounds.map(({ perSecond }) => perSecond)
console.log(JSON.stringify({ store, slots, inFlight, ...rounds[1], all }))
await engine.close()
rmSync(dir, { recursive: true })
