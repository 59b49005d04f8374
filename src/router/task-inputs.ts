/** The inputs of `trpc.*.get`, `.startWith` and the like. Made when first needed: a server may never see such a call. */
import { z } from 'zod'

const createInputs = () => {
  const byId = z.object({ id: z.string() })
  return {
    byId,
    get: byId.extend({ wait: z.number().min(0).max(30).optional(), after: z.string().optional() }),
    watch: byId.extend({ lastEventId: z.string().nullish() }),
    startWith: z.object({
      // JSON leaves out the input of a procedure that takes none.
      input: z.unknown().optional(),
      idempotencyKey: z.string().optional(),
      retryKey: z.string().optional(),
      runAt: z.string().optional(),
      delay: z.union([z.number(), z.string()]).optional(),
      priority: z.number().optional(),
      tags: z.array(z.string()).optional(),
    }),
    list: z
      .object({
        procedure: z.string().optional(),
        status: z.enum(['queued', 'running', 'succeeded', 'failed', 'cancelled']).optional(),
        tag: z.string().optional(),
        limit: z.int().min(1).max(200).optional(),
        cursor: z.string().optional(),
      })
      .optional(),
  }
}

let made: ReturnType<typeof createInputs> | undefined

/** The schemas by operation. */
export const taskInputs = (): ReturnType<typeof createInputs> => (made ??= createInputs())
