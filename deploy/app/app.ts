/** An app as it is deployed: tasks on many hosts, everything that differs between places in the environment. */
import { createApp, procedure } from 'errand'
import { bullmq } from 'errand/bullmq'
import { z } from 'zod'

export const hello = procedure.query({
  input: z.object({ name: z.string().max(100) }),
  output: z.string(),
  handler: ({ input }) => `Hello ${input.name}`,
})

export const report = procedure.task({
  input: z.object({ days: z.int().min(1).max(366) }),
  output: z.object({ lines: z.int() }),
  timeout: '10m',
  handler: ({ input }) => ({ lines: 24 * input.days }),
})

// Where the tasks live is said by ERRAND_TASKS_CONNECTION, or by a file that ERRAND_TASKS_CONNECTION_FILE names.
export default createApp({ hello, report }, { module: import.meta.url, tasks: bullmq() })
