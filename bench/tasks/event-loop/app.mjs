// A small mutation, and 5 ms of work twice: as a task in a thread, and in the handler of a mutation.
import { loadErrand } from '../../errand.mjs'

const { createApp, procedure, local, z } = await loadErrand()
const numbers = z.object({ a: z.number(), b: z.number() })

/** Keeps its thread busy for so many ms of its own processor time. */
const burn = (ms) => {
  const from = process.threadCpuUsage()
  for (;;) {
    const { user, system } = process.threadCpuUsage(from)
    if (user + system >= ms * 1000) return ms
  }
}

const work = { input: z.object({ ms: z.number() }), output: z.number(), handler: ({ input }) => burn(input.ms) }

export default createApp(
  {
    add: procedure.mutation({ input: numbers, output: z.number(), handler: ({ input }) => input.a + input.b }),
    asTask: procedure.task(work),
    inHandler: procedure.mutation(work),
  },
  { logger: false, module: import.meta.url, tasks: local({ threads: 2 }) },
)
