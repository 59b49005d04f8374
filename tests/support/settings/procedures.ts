/** The procedures of the apps whose settings are looked at. No task in them, or each app would need its workers. */
import { procedure } from 'errand'
import { z } from 'zod'

export const procedures = {
  echo: procedure.query({ input: z.unknown(), output: z.unknown(), handler: ({ input }) => input ?? null }),
  note: procedure.mutation({
    input: z.unknown(),
    output: z.unknown(),
    handler: ({ input }) => input ?? null,
  }),
  fails: procedure.query({
    input: z.void(),
    output: z.void(),
    handler: () => {
      throw new Error('inner words')
    },
  }),
  big: procedure.query({ input: z.void(), output: z.string(), handler: () => 'x'.repeat(20 * 1024 ** 2) }),
  burn: procedure.query({
    input: z.void(),
    output: z.void(),
    handler: () => {
      for (const end = performance.now() + 300; performance.now() < end;);
    },
  }),
  ticks: procedure.subscription({
    input: z.void(),
    output: z.int(),
    handler: async function* ({ signal }) {
      yield 1
      await new Promise((resolve) => signal?.addEventListener('abort', resolve))
    },
  }),
}
