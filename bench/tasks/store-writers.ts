/**
 * Writes per second into the SQLite store, made on the event loop and in a thread, and how long the event loop was
 * kept from others meanwhile.
 * Run: node bench/tasks/store-writers.ts [seconds=2] [rounds=3]. BENCH_DIR names a place on another disk.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { SqliteAdapter } from '../../src/tasks/stores/sqlite.ts'

const [seconds = '2', rounds = '3'] = process.argv.slice(2)
const value = JSON.stringify({ v: 1, value: 'x'.repeat(480) })

let next = 0
const loop = async (adapter: SqliteAdapter, until: number): Promise<number> => {
  let count = 0
  for (; performance.now() < until; count++)
    await adapter.set(`errand:task/${(next++).toString(36).padStart(36, '0')}`, value)
  return count
}

const measure = async (adapter: SqliteAdapter, inFlight: number) => {
  const delay = monitorEventLoopDelay({ resolution: 1 })
  const [from, cpu] = [performance.now(), process.cpuUsage()]
  delay.enable()
  const lanes = Array.from({ length: inFlight }, () => loop(adapter, from + Number(seconds) * 1000))
  const count = (await Promise.all(lanes)).reduce((a, b) => a + b)
  delay.disable()
  const { user, system } = process.cpuUsage(cpu)
  return {
    perSecond: Math.round((count / (performance.now() - from)) * 1000),
    cpuUs: Number(((user + system) / count).toFixed(1)),
    loopP99: Number((delay.percentile(99) / 1e6).toFixed(1)),
  }
}

const median = (all: readonly number[]): number => [...all].sort((a, b) => a - b)[all.length >> 1] as number

const found = new Map<string, Awaited<ReturnType<typeof measure>>[]>()
for (let round = 0; round < Number(rounds); round++)
  for (const writer of ['inline', 'thread'] as const)
    for (const inFlight of [1, 64, 1000]) {
      const dir = mkdtempSync(join(process.env['BENCH_DIR'] ?? tmpdir(), 'errand-bench-'))
      const adapter = new SqliteAdapter({ dir, writer })
      await adapter.set('warm', value)
      const key = `${writer}, ${inFlight} in flight`
      found.set(key, [...(found.get(key) ?? []), await measure(adapter, inFlight)])
      await adapter.disconnect()
      rmSync(dir, { recursive: true })
    }
const table = [...found].map(([what, all]) => [
  what,
  {
    perSecond: median(all.map(({ perSecond }) => perSecond)),
    cpuUs: median(all.map(({ cpuUs }) => cpuUs)),
    loopP99: median(all.map(({ loopP99 }) => loopP99)),
  },
])
console.table(Object.fromEntries(table))
