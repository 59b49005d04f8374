/**
 * One host of a fleet as a process of its own, without handlers: what is measured is what its engine costs. Told by its
 * parent what to do, one thing at a time.
 *
 * Run: node host.ts <engine> <connection> <name of the fleet> <slots: 0 works nothing>
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../../src/tasks/clock.ts'
import type { EngineHost } from '../../src/tasks/engine.ts'
import { bullmq } from '../../src/tasks/engines/bullmq/index.ts'
import { pgmq } from '../../src/tasks/engines/pgmq/index.ts'
import { createTaskId } from '../../src/tasks/id.ts'
import { toPolicy } from '../../src/tasks/policy.ts'

const [engineName, connection = '', fleet = '', slots = '0'] = process.argv.slice(2)
const policy = toPolicy({})
const host: EngineHost = {
  clock: systemClock,
  policy: () => policy,
  slots: () => Number(slots),
  run: async () => ({ kind: 'value', value: { count: 3, largest: 7 } }),
  report: console.error,
}

// Two connections for queries are enough to keep a server busy, and hundreds of hosts could not have more.
const place =
  engineName === 'pgmq'
    ? pgmq({ connection: { connectionString: connection, max: 4 }, schema: fleet })
    : bullmq({
        connection: connection.startsWith('postgres') ? { connectionString: connection, max: 4 } : connection,
        name: fleet,
      })
const engine = await place.create()
await engine.open(host)
if (Number(slots) > 0) engine.work(['noop'])

/** From its start to its stored end. */
const runOne = async (): Promise<void> => {
  const id = createTaskId()
  const input = { below: 10 }
  await engine.submit({ id, procedure: 'noop', input, maxAttempts: 3, owner: null, priority: 0 })
  await engine.ended(id, new AbortController().signal)
}

/** As many as can be done by so many at once. */
const saturate = async (inFlight: number, ms: number): Promise<number> => {
  const until = performance.now() + ms
  const lane = async (): Promise<number> => {
    let done = 0
    for (; performance.now() < until; done++) await runOne()
    return done
  }
  return (await Promise.all(Array.from({ length: inFlight }, lane))).reduce((a, b) => a + b)
}

/** So many each second, evenly. */
const trickle = async (perSecond: number, ms: number): Promise<number> => {
  const count = Math.round((perSecond * ms) / 1000)
  const tasks: Promise<void>[] = []
  for (let n = 0; n < count; n++) {
    tasks.push(runOne())
    await sleep(1000 / perSecond)
  }
  await Promise.all(tasks)
  return count
}

type Order =
  | { readonly do: 'saturate'; readonly inFlight: number; readonly ms: number }
  | { readonly do: 'trickle'; readonly perSecond: number; readonly ms: number }
  | { readonly do: 'cpu' }

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

process.on('disconnect', () => process.exit())
process.on('message', async (order: Order) => {
  if (order.do === 'cpu') return process.send!(cpuMs())
  process.send!(
    order.do === 'saturate'
      ? await saturate(order.inFlight, order.ms)
      : await trickle(order.perSecond, order.ms),
  )
})
process.send!('ready')
