// Errand, start to result in one process. ERRAND_DATA, where the store is, is set by the parent.
import { setTimeout as sleep } from 'node:timers/promises'
import { inLanes, now } from '../lanes.mjs'

export async function openPart({ settings: { inFlight, writer } }) {
  if (writer) process.env.BENCH_WRITER = writer
  const { default: app, noop } = await import('./errand-app.mjs')
  await (await app.tasks.start(noop, { n: 0 })).result()
  return {
    /** A task is begun in each lane when the result of the one before is there; stops when the time is over. */
    async run({ count, limit, pause }) {
      const times = []
      const from = now()
      await inLanes(inFlight, count, async (n) => {
        const at = now()
        if (at - from > limit) return
        const task = await app.tasks.start(noop, { n })
        await task.result()
        times.push(now() - at)
        if (pause) await sleep(pause)
      })
      return { from, to: now(), times }
    },
  }
}
