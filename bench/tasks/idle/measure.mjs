// node measure.mjs <kind> <seconds>: serves, makes both workers of a kind, then does nothing and measures that.
import { setTimeout as sleep } from 'node:timers/promises'
import { treeCpuMs } from '../queues/cpu.mjs'
import app from './app.mjs'

const [kind, seconds] = process.argv.slice(2)
const SETTLE = 2000

await app.listen({ port: 0 })
for (let n = 0; n < 20; n++) {
  const tasks = await Promise.all(Array.from({ length: 4 }, () => app.tasks.start(kind)))
  await Promise.all(tasks.map((task) => task.result()))
}
await sleep(SETTLE)

const ownMs = () => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
const before = { own: ownMs(), tree: treeCpuMs(process.pid) }
await sleep(Number(seconds) * 1000)
const host = ownMs() - before.own
// The tree is counted in ticks of 10 ms.
const children = Math.max(0, treeCpuMs(process.pid) - before.tree - host)
process.send({ host: host / Number(seconds), children: children / Number(seconds) })
