// The producer and the worker of a peer. A task carries the time of its start, on the clock of the machine.
import { setTimeout as sleep } from 'node:timers/promises'
import { inLanes, now } from './lanes.mjs'

export async function openPart({ module, role, settings }) {
  const peer = await import(`./peers/${module}.mjs`)
  return role === 'producer' ? openProducer(peer, settings) : openWorker(peer, settings)
}

async function openProducer(peer, settings) {
  const add = await peer.openProducer(settings)
  return {
    /** Submits so many tasks, as many at once as the settings say; says when it began. */
    async produce({ count, pause, stretch }) {
      const from = now()
      await inLanes(settings.inFlight, count, async (n) => {
        await add({ n, at: now(), stretch })
        if (pause) await sleep(pause)
      })
      return { from }
    },
  }
}

async function openWorker(peer, settings) {
  let times = []
  let expected = Infinity
  let current = 0
  let finish = () => {}
  await peer.openWorker(settings, ({ at, stretch }) => {
    if (stretch !== current) return
    times.push(now() - at)
    if (times.length === expected) finish()
  })
  return {
    /** Waits until so many tasks were handled, or the time is over; says when, and how long each took to begin. */
    async work({ count, limit, stretch }) {
      current = stretch
      times = []
      expected = count
      await new Promise((resolve) => {
        const timer = setTimeout(resolve, limit)
        finish = () => resolve(clearTimeout(timer))
      })
      return { to: now(), times }
    },
  }
}
