/** An app whose calls keep its event loop busy, for as long as they are asked to. */
import { createApp, procedure } from 'errand'
import { z } from 'zod'

const burn = procedure.mutation({
  input: z.object({ ms: z.int() }),
  output: z.int(),
  handler: ({ input }) => {
    for (const end = performance.now() + input.ms; performance.now() < end;);
    return input.ms
  },
})

export default createApp(
  { burn, ping: procedure.query({ input: z.void(), output: z.string(), handler: () => 'pong' }) },
  { limits: { eventLoopDelay: '200ms' } },
)
