/** An app for crowds of hostile callers, which tells how much memory it holds. */
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createApp, inline, procedure } from 'errand'
import { z } from 'zod'

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

const echo = procedure.mutation({
  input: z.unknown(),
  output: z.unknown(),
  handler: ({ input }) => input ?? null,
})

export default createApp(
  {
    echo,
    form: procedure.mutation({
      input: z.object({ a: z.unknown().optional(), file: z.file().optional() }),
      output: z.string(),
      handler: () => 'done',
    }),
    memory: procedure.query({
      input: z.void(),
      output: z.object({ heap: z.number(), rss: z.number() }),
      handler: async () => {
        for (let round = 0; round < 3; round++) {
          collect()
          await sleep(20)
        }
        return { heap: process.memoryUsage().heapUsed, rss: process.memoryUsage().rss }
      },
    }),
    // One item, and then nothing more.
    quiet: procedure.subscription({
      input: z.void(),
      output: z.string(),
      handler: async function* ({ signal }) {
        yield 'here'
        await new Promise((resolve) => signal.addEventListener('abort', resolve))
      },
    }),
    work: procedure.task({
      input: z.unknown(),
      output: z.unknown(),
      retry: { attempts: 1 },
      handler: ({ input }) => input ?? null,
    }),
  },
  {
    tasks: inline(),
    profile: 'production',
    limits: {
      headersTimeout: '1s',
      requestTimeout: '2s',
      connections: 19_000,
      streams: 15_000,
      streamsPerCaller: 15_000,
      eventLoopDelay: '10s',
    },
    logger: { error: console.error, warn: () => undefined, info: () => undefined },
  },
)
