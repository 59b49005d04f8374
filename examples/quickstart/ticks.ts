/** A subscription: a stream of items, over tRPC and as server-sent events. */
import { setTimeout as sleep } from 'node:timers/promises'
import { procedure } from 'errand'
import { z } from 'zod'

export const ticks = procedure.subscription({
  input: z.object({
    count: z.int().min(1).max(1000).default(10),
    everyMs: z.int().min(1).max(60_000).default(1000),
  }),
  output: z.object({ tick: z.int(), at: z.iso.datetime() }),
  meta: { summary: 'Tick' },
  handler: async function* ({ input, signal }) {
    for (let tick = 1; tick <= input.count; tick++) {
      await sleep(input.everyMs, undefined, { signal })
      yield { tick, at: new Date().toISOString() }
    }
  },
})
